"""Tolerant access to a JSON record: absent values are accepted; values of the wrong type are left out and reported."""

import html
import re
from dataclasses import dataclass, field
from typing import Any, Final

from shared.values.problems import Fault
from shared.values.wire import Label

_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_SPACES: Final = re.compile(r"\s+")


@dataclass(slots=True)
class Reader:
    """Collects what is left out of one record and why."""

    warnings: list[Fault] = field(default_factory=list)

    def warn(self, pointer: str, code: str, fr: str, en: str) -> None:
        """Report something left out.

        ``pointer``: JSON Pointer (RFC 6901) into the record. The texts never repeat the value.
        """
        self.warnings.append(Fault(pointer=pointer, code=code, detail=Label(fr=fr, en=en)))

    def section(self, parent: "Section", key: str) -> "Section":
        """Return the object under a key; an empty one if it is absent or not an object."""
        pointer = f"{parent.pointer}/{escape(key)}"
        value = parent.given.get(key)
        if value is None:
            return Section(self, pointer, {})
        if not isinstance(value, dict):
            self.warn(pointer, "wrong_type", "un objet est attendu", "an object is expected")
            return Section(self, pointer, {})
        return Section(self, pointer, value)


def _too_long(limit: int) -> tuple[str, str, str]:
    return "too_long", f"au plus {limit} caractères", f"at most {limit} characters"


def escape(key: str) -> str:
    """Escape a key for a JSON Pointer."""
    return key.replace("~", "~0").replace("/", "~1")


@dataclass(frozen=True, slots=True)
class Section:
    """An object of the record with its pointer."""

    reader: Reader
    pointer: str
    given: dict[str, Any]

    def section(self, key: str) -> "Section":
        """Return the object under a key, possibly empty."""
        return self.reader.section(self, key)

    def text(self, key: str, limit: int) -> str | None:
        """Return a cleaned text with its line ends; None if it is absent, empty or longer than ``limit`` characters."""
        return self._limited(key, self._raw(key), limit, line=False)

    def line(self, key: str, limit: int) -> str | None:
        """Return a cleaned text on one line; None if it is absent, empty or longer than ``limit`` characters."""
        return self._limited(key, self._raw(key), limit, line=True)

    def lines(self, key: str, limit: int, most: int) -> list[tuple[str, str]]:
        """Return the texts of an array as (pointer, line), at most ``most``."""
        found = []
        for place, value in enumerate(self._array(key, most)):
            pointer = f"{self.pointer}/{escape(key)}/{place}"
            if value is None:
                continue
            if not isinstance(value, str):
                self.reader.warn(pointer, "wrong_type", "un texte est attendu", "a text is expected")
                continue
            cleaned = clean(value, line=True)
            if len(cleaned) > limit:
                self.reader.warn(pointer, *_too_long(limit))
            elif cleaned:
                found.append((pointer, cleaned))
        return found

    def each_line(self, key: str, limit: int, most: int) -> list[tuple[str, str]]:
        """Return the texts of an array, or the one text that some exports write in its place."""
        if isinstance(self.given.get(key), str):
            line = self.line(key, limit)
            return [] if line is None else [(f"{self.pointer}/{escape(key)}", line)]
        return self.lines(key, limit, most)

    def sections(self, key: str, most: int) -> list["Section"]:
        """Return the objects of an array, at most ``most``."""
        found = []
        for place, value in enumerate(self._array(key, most)):
            pointer = f"{self.pointer}/{escape(key)}/{place}"
            if isinstance(value, dict):
                found.append(Section(self.reader, pointer, value))
            elif value is not None:
                self.reader.warn(pointer, "wrong_type", "un objet est attendu", "an object is expected")
        return found

    def each(self, key: str, most: int) -> list["Section"]:
        """Return the objects of an array, or the one object that some exports write in its place; at most ``most``."""
        return [self.section(key)] if isinstance(self.given.get(key), dict) else self.sections(key, most)

    def whole_number(self, key: str) -> int | None:
        """Return a whole number that is not negative; None if it is absent or something else."""
        value = self.given.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            self.reader.warn(
                f"{self.pointer}/{escape(key)}",
                "wrong_type",
                "un nombre entier est attendu",
                "a whole number is expected",
            )
            return None
        return value

    def code(self, key: str) -> str | None:
        """Return a code that is written as a text or as a whole number; None if it is absent or something else."""
        value = self.given.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)[:200]
        return self.line(key, 200)

    def flag(self, key: str) -> bool | None:
        """Return a truth value; None if it is absent or something else."""
        value = self.given.get(key)
        if value is None or isinstance(value, bool):
            return value
        self.reader.warn(
            f"{self.pointer}/{escape(key)}", "wrong_type", "true ou false est attendu", "true or false is expected"
        )
        return None

    def _array(self, key: str, most: int) -> list[Any]:
        value = self.given.get(key)
        if value is None:
            return []
        pointer = f"{self.pointer}/{escape(key)}"
        if not isinstance(value, list):
            self.reader.warn(pointer, "wrong_type", "un tableau est attendu", "an array is expected")
            return []
        if len(value) > most:
            self.reader.warn(
                pointer,
                "too_many",
                f"seuls les {most} premiers éléments sont gardés",
                f"only the first {most} items are kept",
            )
        return value[:most]

    def _raw(self, key: str) -> str | None:
        value = self.given.get(key)
        if value is None or isinstance(value, str):
            return value
        self.reader.warn(f"{self.pointer}/{escape(key)}", "wrong_type", "un texte est attendu", "a text is expected")
        return None

    def _limited(self, key: str, raw: str | None, limit: int, *, line: bool) -> str | None:
        if raw is None:
            return None
        cleaned = clean(raw, line=line)
        if len(cleaned) > limit:
            self.reader.warn(f"{self.pointer}/{escape(key)}", *_too_long(limit))
            return None
        return cleaned or None


def clean(raw: str, *, line: bool) -> str:
    """Remove control characters, lone surrogates, HTML entities and outer spaces. ``line``: also join the lines."""
    plain = _CONTROLS.sub("", html.unescape(raw).replace("\r\n", "\n").replace("\r", "\n"))
    return _SPACES.sub(" ", plain).strip() if line else plain.strip()
