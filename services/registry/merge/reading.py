"""What a source record says of a trial, field by field."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, Protocol, TypeVar

from services.registry.merge.fields import at_path, field_rules, is_empty


@dataclass(frozen=True, slots=True)
class Reading:
    """What one form of a record says, by path.

    ``values``: JSON; null or an empty list where the record says that there is nothing. ``unreadable``: what it gives
    in a form that is not understood, also members of a group (``eligibility.minimum_age``). ``inferred``: what it does
    not state, but lets one suppose: it counts where nothing else is known. Every other path is not stated: a record
    that leaves it out says nothing of it.
    ``dated``: the source's own date of the record (``2024``, ``2024-05``, ``2024-05-03``); ``version``: its place in
    the order of reception, from 1.
    """

    values: Mapping[str, Any]
    unreadable: frozenset[str] = frozenset()
    dated: str | None = None
    version: int = 1
    inferred: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        members = {path.partition(".")[0] for path in self.unreadable - field_rules().keys()}
        unknown = {*self.values, *self.inferred, *members} - field_rules().keys()
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
    inferred: Mapping[str, Said] = field(default_factory=dict)

    @classmethod
    def of(cls, source: str, source_id: str, readings: Iterable[Reading]) -> "Record":
        """Fold the forms of a record, whatever their order here: the source's own date decides, then the reception.

        A form that does not state a path, or not readably, leaves what an older form said of it.
        """
        return reduce(Record.followed_by, in_order(readings), cls(source, source_id))

    def followed_by(self, newer: Reading) -> "Record":
        """Return the record after a newer form."""
        said = {path: Said(value, newer.version, newer.dated) for path, value in newer.values.items()}
        for path in newer.unreadable - field_rules().keys():
            name, _, member = path.partition(".")
            before = self.said[name].value if name in self.said else None
            if name in said and before is not None and member in before:
                said[name] = replace(said[name], value={**(said[name].value or {}), member: before[member]})
        inferred = {path: Said(value, newer.version, newer.dated) for path, value in newer.inferred.items()}
        return Record(self.source, self.source_id, {**self.said, **said}, {**self.inferred, **inferred})

    def dump(self) -> str:
        """Write what it says as JSON."""
        return json.dumps(
            [
                {path: [one.value, one.version, one.dated] for path, one in part.items()}
                for part in (self.said, self.inferred)
            ],
            separators=(",", ":"),
        )

    @classmethod
    def load(cls, source: str, source_id: str, text: str | bytes) -> "Record":
        """Parse what `dump` wrote."""
        said, inferred = ({path: Said(*one) for path, one in part.items()} for part in json.loads(text))
        return cls(source, source_id, said, inferred)


class Dated(Protocol):
    """A form of a record: its place in the order of reception, and its date."""

    @property
    def version(self) -> int: ...

    @property
    def dated(self) -> str | None: ...


Form = TypeVar("Form", bound=Dated)


def in_order(forms: Iterable[Form]) -> list[Form]:
    """Sort by the source's date, then by reception. A form without a date is as recent as those received before it."""
    dated, latest = [], ""
    for form in sorted(forms, key=lambda one: one.version):
        date = form.dated or latest
        latest = max(latest, date)
        dated.append((date, form.version, form))
    return [form for _, _, form in sorted(dated, key=lambda one: one[:2])]


def record_of(source: str, source_id: str, trial: Mapping[str, Any]) -> Record:
    """Return a record that says what a whole trial (JSON) says, and nothing of what it leaves empty."""
    values = {path: value for path in field_rules() if not is_empty(value := at_path(trial, path))}
    return Record(source, source_id).followed_by(Reading(values))
