"""Objects of a JSON document with their place: each value is read as one type, and another type is refused. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from shared.values.problems import Fault, InvalidBodyError
from shared.values.wire import Label

_WRONG_TYPE: dict[type, tuple[str, Label]] = {
    dict: ("dict_type", Label(fr="un objet est attendu", en="an object is expected")),
    list: ("list_type", Label(fr="une liste est attendue", en="a list is expected")),
    str: ("string_type", Label(fr="un texte est attendu", en="a string is expected")),
    bool: ("bool_type", Label(fr="un booléen est attendu", en="a boolean is expected")),
    float: ("float_type", Label(fr="un nombre est attendu", en="a number is expected")),
}
_CAPITAL = re.compile(r"(?<=[a-z0-9])[A-Z]")


@dataclass(frozen=True, slots=True)
class Part:
    """An object and its JSON Pointer. Each method reads a member of one type; None where it is absent or null.

    A member is also found under its Protobuf name: ``phenotypic_features`` for ``phenotypicFeatures``.
    """

    value: Mapping[str, Any]
    pointer: str

    def __contains__(self, key: str) -> bool:
        return self.value.get(self._name(key)) is not None

    def of(self, key: str) -> str:
        """Return the pointer of a member."""
        return f"{self.pointer}/{self._name(key)}"

    def part(self, key: str) -> "Part | None":
        found = self._get(key, dict)
        return None if found is None else Part(found, self.of(key))

    def parts(self, key: str) -> "list[Part]":
        pointer = self.of(key)
        return [
            Part(typed(item, dict, f"{pointer}/{index}"), f"{pointer}/{index}")
            for index, item in enumerate(self._get(key, list) or ())
        ]

    def text(self, key: str) -> str | None:
        found: str | None = self._get(key, str)
        return found

    def flag(self, key: str) -> bool:
        return bool(self._get(key, bool))

    def number(self, key: str) -> int | float | None:
        found: int | float | None = self.value.get(self._name(key))
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise wrong(self.of(key), float)
        return found

    def _get(self, key: str, kind: type) -> Any:
        found = self.value.get(self._name(key))
        return None if found is None else typed(found, kind, self.of(key))

    def _name(self, key: str) -> str:
        if key in self.value:
            return key
        other = snake_case(key)
        return other if other in self.value else key


@cache
def snake_case(name: str) -> str:
    """Return the Protobuf name of a member: ``phenotypic_features``. Cached: only names of readers come here."""
    return _CAPITAL.sub(lambda capital: f"_{capital.group().lower()}", name)


def typed(value: Any, kind: type, pointer: str) -> Any:
    """:raises InvalidBodyError: 422, the value has another type."""
    if not isinstance(value, kind):
        raise wrong(pointer, kind)
    return value


def wrong(pointer: str, kind: type) -> InvalidBodyError:
    """Return the refusal of a value of another type."""
    code, detail = _WRONG_TYPE[kind]
    return InvalidBodyError(errors=[Fault(pointer=pointer, code=code, detail=detail)])
