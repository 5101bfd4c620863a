"""Tolerant access to a JSON record: what is absent is fine, what has the wrong type is reported with its pointer and left out."""

import html
import re
from dataclasses import dataclass, field
from typing import Any, Final

_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_SPACES: Final = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class ReadingWarning:
    """What was left out of a record and why. ``pointer``: JSON Pointer (RFC 6901) into the source record. The value itself is never told."""

    pointer: str
    code: str
    detail: str


@dataclass(slots=True)
class Reader:
    """Walks one record and collects the warnings."""

    warnings: list[ReadingWarning] = field(default_factory=list)

    def warn(self, pointer: str, code: str, detail: str) -> None:
        """Report something left out."""
        self.warnings.append(ReadingWarning(pointer, code, detail))

    def section(self, parent: "Section", key: str) -> "Section":
        """The object under a key; an empty one when it is absent or not an object."""
        pointer = f"{parent.pointer}/{escape(key)}"
        value = parent.given.get(key)
        if value is None:
            return Section(self, pointer, {})
        if not isinstance(value, dict):
            self.warn(pointer, "wrong_type", "an object was expected")
            return Section(self, pointer, {})
        return Section(self, pointer, value)


def escape(key: str) -> str:
    """A reference token of a JSON Pointer."""
    return key.replace("~", "~0").replace("/", "~1")


@dataclass(frozen=True, slots=True)
class Section:
    """An object of the record with its pointer."""

    reader: Reader
    pointer: str
    given: dict[str, Any]

    def section(self, key: str) -> "Section":
        """The object under a key, possibly empty."""
        return self.reader.section(self, key)

    def text(self, key: str, limit: int) -> str | None:
        """A text with its line ends, cleaned of control characters and HTML entities; None when absent, empty or longer than ``limit``."""
        return self._limited(key, self._raw(key), limit, line=False)

    def line(self, key: str, limit: int) -> str | None:
        """A text on one line; None when absent, empty or longer than ``limit``."""
        return self._limited(key, self._raw(key), limit, line=True)

    def lines(self, key: str, limit: int, most: int) -> list[tuple[str, str]]:
        """The texts of an array as (pointer, line), at most ``most``."""
        found = []
        for place, value in enumerate(self._array(key, most)):
            pointer = f"{self.pointer}/{escape(key)}/{place}"
            if value is None:
                continue
            if not isinstance(value, str):
                self.reader.warn(pointer, "wrong_type", "a text was expected")
                continue
            cleaned = clean(value, line=True)
            if len(cleaned) > limit:
                self.reader.warn(pointer, "too_long", f"at most {limit} characters are kept here")
            elif cleaned:
                found.append((pointer, cleaned))
        return found

    def sections(self, key: str, most: int) -> list["Section"]:
        """The objects of an array, at most ``most``."""
        found = []
        for place, value in enumerate(self._array(key, most)):
            pointer = f"{self.pointer}/{escape(key)}/{place}"
            if isinstance(value, dict):
                found.append(Section(self.reader, pointer, value))
            elif value is not None:
                self.reader.warn(pointer, "wrong_type", "an object was expected")
        return found

    def whole_number(self, key: str) -> int | None:
        """A whole number, not negative; None when absent."""
        value = self.given.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            self.reader.warn(f"{self.pointer}/{escape(key)}", "wrong_type", "a whole number was expected")
            return None
        return value

    def _array(self, key: str, most: int) -> list[Any]:
        value = self.given.get(key)
        if value is None:
            return []
        pointer = f"{self.pointer}/{escape(key)}"
        if not isinstance(value, list):
            self.reader.warn(pointer, "wrong_type", "an array was expected")
            return []
        if len(value) > most:
            self.reader.warn(pointer, "too_many", f"the first {most} items are kept")
        return value[:most]

    def _raw(self, key: str) -> str | None:
        value = self.given.get(key)
        if value is None or isinstance(value, str):
            return value
        self.reader.warn(f"{self.pointer}/{escape(key)}", "wrong_type", "a text was expected")
        return None

    def _limited(self, key: str, raw: str | None, limit: int, *, line: bool) -> str | None:
        if raw is None:
            return None
        cleaned = clean(raw, line=line)
        if len(cleaned) > limit:
            self.reader.warn(f"{self.pointer}/{escape(key)}", "too_long", f"at most {limit} characters are kept here")
            return None
        return cleaned or None


def clean(raw: str, *, line: bool) -> str:
    """A text without control characters, lone surrogates, HTML entities or outer spaces; on one line if asked."""
    plain = _CONTROLS.sub("", html.unescape(raw).replace("\r\n", "\n").replace("\r", "\n"))
    return _SPACES.sub(" ", plain).strip() if line else plain.strip()
