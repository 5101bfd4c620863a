"""The codes and units of one patient, each read once. Pure."""

from services.matching.patients.codes import of_coding, written
from shared.criteria.unit_spellings import ucum


class Spellings:
    """Codes and units of one patient, each read once: a record repeats them. Nothing is kept beyond the call."""

    def __init__(self) -> None:
        self._codes: dict[str, str | None] = {}
        self._codings: dict[str, str | None] = {}
        self._units: dict[str, str | None] = {}

    def code(self, text: str) -> str | None:
        if text not in self._codes:
            self._codes[text] = written(text)
        return self._codes[text]

    def coding(self, system: str | None, code: str) -> str | None:
        key = f"{system}|{code}"
        if key not in self._codings:
            self._codings[key] = of_coding(system, code)
        return self._codings[key]

    def unit(self, text: str) -> str | None:
        if text not in self._units:
            self._units[text] = ucum(text)
        return self._units[text]
