"""What a source record says of a trial, field by field."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from services.registry.merge.fields import field_rules


@dataclass(frozen=True, slots=True)
class Reading:
    """What one form of a record says, by path.

    ``values``: JSON; null or an empty list where the record says that there is nothing. ``unreadable``: what it gives
    in a form that is not understood. Every other path is not stated: a record that leaves it out says nothing of it.
    ``dated``: the source's own date of the record (``2024``, ``2024-05``, ``2024-05-03``); ``version``: its place in
    the order of reception, from 1.
    """

    values: Mapping[str, Any]
    unreadable: frozenset[str] = frozenset()
    dated: str | None = None
    version: int = 1

    def __post_init__(self) -> None:
        unknown = {*self.values, *self.unreadable} - field_rules().keys()
        if unknown:
            raise ValueError(f"no such path: {sorted(unknown)}")


@dataclass(frozen=True, slots=True)
class Said:
    """A value, and the form of the record that gave it."""

    value: Any
    version: int
    dated: str | None


@dataclass(frozen=True, slots=True)
class Record:
    """A source record: what its forms say together."""

    source: str
    source_id: str
    said: Mapping[str, Said] = field(default_factory=dict)

    @classmethod
    def of(cls, source: str, source_id: str, readings: Iterable[Reading]) -> "Record":
        """Fold the forms of a record, whatever their order here: the source's own date decides, then the reception.

        A form that does not state a path, or not readably, leaves what an older form said of it.
        """
        return reduce(Record.followed_by, _in_order(readings), cls(source, source_id))

    def followed_by(self, newer: Reading) -> "Record":
        """Return the record after a newer form."""
        said = {path: Said(value, newer.version, newer.dated) for path, value in newer.values.items()}
        return Record(self.source, self.source_id, {**self.said, **said})


def _in_order(readings: Iterable[Reading]) -> list[Reading]:
    """Sort by the source's date, then by reception. A form without a date is as recent as those received before it."""
    dated, latest = [], ""
    for reading in sorted(readings, key=lambda one: one.version):
        date = reading.dated or latest
        latest = max(latest, date)
        dated.append((date, reading.version, reading))
    return [reading for _, _, reading in sorted(dated, key=lambda one: one[:2])]
