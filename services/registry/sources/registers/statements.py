"""Collects what a record says, path by path: a value, empty, not readable, or only supposed."""

from collections.abc import Callable, Mapping
from typing import Any

from services.registry.merge.fields import is_empty
from services.registry.merge.reading import Reading
from services.registry.sources.reader import SourceReading
from services.registry.sources.reading import Reader, Section
from shared.values.wire import ApiModel

# A member of the record: the object that has it, and its key.
Member = tuple[Section, str]


class Statements:
    """The statements of one record."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._values: dict[str, Any] = {}
        self._inferred: dict[str, Any] = {}
        self._unreadable: set[str] = set()

    def say(self, path: str, read: Callable[[], Any], *members: Member) -> None:
        """Add what the record says at a path.

        Nothing read: the path is not readable where ``read`` warned of something, empty where the record has one of
        the ``members``, and else not stated.
        """
        warned = len(self._reader.warnings)
        value = _as_json(read())
        if not is_empty(value):
            self._values[path] = value
        elif len(self._reader.warnings) > warned:
            self._unreadable.add(path)
        elif any(key in section.given for section, key in members):
            self._values[path] = [] if isinstance(value, list) else None

    def say_group(self, path: str, members: Mapping[str | tuple[str, ...], Callable[[], Any]], empty: ApiModel) -> None:
        """Add a group. Of members that are read together, ``members`` has a tuple of names, read as a tuple of values.

        ``empty``: the group without any member; a group that says nothing is not stated.
        """
        nothing = empty.model_dump(mode="json")
        group = dict(nothing)
        for key, read in members.items():
            warned = len(self._reader.warnings)
            names, values = (key, read()) if isinstance(key, tuple) else ((key,), (read(),))
            given = {name: _as_json(value) for name, value in zip(names, values, strict=True)}
            if not is_empty(given):
                group |= given
            elif len(self._reader.warnings) > warned:
                self._unreadable |= {f"{path}.{name}" for name in names}
        if group != nothing:
            self._values[path] = group

    def suppose(self, path: str, value: Any) -> None:
        """Add what the record lets one suppose, but does not state."""
        if not is_empty(_as_json(value)):
            self._inferred[path] = _as_json(value)

    def reading(self, dated: str | None) -> SourceReading:
        """Return all statements and warnings. ``dated``: the source's own date of the record."""
        read = Reading(self._values, frozenset(self._unreadable), dated, inferred=self._inferred)
        return SourceReading(read, tuple(dict.fromkeys(self._reader.warnings)))


def _as_json(value: Any) -> Any:
    if isinstance(value, ApiModel):
        return value.model_dump(mode="json")
    return [_as_json(item) for item in value] if isinstance(value, list) else value
