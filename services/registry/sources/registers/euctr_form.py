"""Access to the answers of an EUCTR record by the number of the question."""

import re
from typing import Final

from services.registry.model.trial import MAX_LINE
from services.registry.sources.reading import Section
from services.registry.sources.registers.euctr_record import keys_by_code
from services.registry.sources.registers.phases import unknown_code
from services.registry.sources.registers.statements import Member
from services.registry.sources.registers.texts import cut

_ACCENTED: Final = re.compile(r"[à-öø-ÿœÀ-ÖØ-ß]")
_SHORT_TEXT: Final = 40
_ANSWERS: Final = {"yes": True, "no": False}


class Form:
    """A form, or a part of it that is filled in several times."""

    def __init__(self, top: Section) -> None:
        self.top = top
        self._keys = keys_by_code(top.given)

    def key(self, code: str) -> str:
        """Return the key of a question in the record; its number where the record does not have it."""
        return self._keys.get(code, code)

    def member(self, code: str) -> Member:
        """Return the place of the answer."""
        return self.top, self.key(code)

    def line(self, code: str, limit: int) -> str | None:
        """Return an answer on one line; None if it is absent, empty or too long."""
        return self.top.line(self.key(code), limit)

    def text(self, code: str, limit: int) -> str | None:
        """Return an answer with its line ends; None if it is absent, empty or too long."""
        return self.top.text(self.key(code), limit)

    def yes(self, code: str) -> bool | None:
        """Return whether the answer is yes; None if there is none, with a warning if it is another word."""
        written = self.line(code, 200)
        answer = _ANSWERS.get(written.lower()) if written is not None else None
        if written is not None and answer is None and written.lower() != "information not present in eudract":
            unknown_code(*self.member(code))
        return answer

    def french(self, code: str) -> str | None:
        """Return the French answer on one line; None if it has lost its accented letters."""
        key = f"{self.key(code)}_fr"
        text = self.top.line(key, 10_000)
        if text is None:
            return None
        if len(text) > _SHORT_TEXT and not _ACCENTED.search(text):
            self.top.reader.warn(
                f"{self.top.pointer}/{key}",
                "letters_lost",
                "ce texte français a perdu ses lettres accentuées",
                "this French text has lost its accented letters",
            )
            return None
        return cut(text, MAX_LINE)

    def rows(self, key: str) -> list["Form"]:
        """Return the parts that are filled in several times."""
        return [Form(section) for section in self.top.each(key, 100)]
