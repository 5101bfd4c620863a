"""Decides which trial a source record belongs to. Pure.

Numbers only propose a trial: a record is never joined to a trial that is another record's of the same source, unless
the records say themselves that they are one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

# `current`: the record describes its trial. `obsolete`: its number is a former one of another record's trial.
# `undecided`: it shares a number with another trial, so a person must decide whether they are one.
Standing = Literal["current", "obsolete", "undecided"]


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of a record, as aliases.

    ``own``: its number in its source. ``former``: those that its source says it had. ``others``: of other registries.
    ``renames``: whether its source gives records new numbers, and says so.
    """

    own: str
    former: frozenset[str]
    others: frozenset[str]
    renames: bool = True

    @property
    def all(self) -> frozenset[str]:
        return self.former | self.others | {self.own}


@dataclass(frozen=True, slots=True)
class Owner:
    """A trial that has one of the numbers.

    ``records``: the numbers of the source's records that describe it. ``numbers``: those that it has
    now of the type of the record's own; it may have had others.
    """

    key: str
    records: frozenset[str]
    numbers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Assignment:
    """The trial of a record, None where it has none yet, and what the record is to it.

    ``shared``: numbers of the record that are other trials'. ``replaces``: numbers of records that are now obsolete.
    """

    key: str | None
    standing: Standing = "current"
    shared: frozenset[str] = frozenset()
    replaces: frozenset[str] = frozenset()


def assign(
    numbers: Numbers,
    assigned: str | None,
    owners: Mapping[str, Owner],
    *,
    obsolete: bool = False,
    may_join: bool = True,
) -> Assignment:
    """Decide on a record.

    ``assigned``: the key of the trial it was assigned to before: that stays. ``owners``: who has its numbers, by
    number. ``obsolete``: it was found obsolete before. ``may_join``: whether numbers of its source assign it to a trial
    of others.
    """
    if assigned is not None:
        others = frozenset(alias for alias, owner in owners.items() if owner.key != assigned)
        return Assignment(assigned, "obsolete" if obsolete else "current", others)
    if owners and not may_join:
        return Assignment(None, "undecided", frozenset(owners))
    holder = owners.get(numbers.own)
    if holder is not None and numbers.own in holder.numbers:
        others = frozenset(alias for alias, owner in owners.items() if owner.key != holder.key)
        is_another = bool(holder.records - {numbers.own})
        if is_another and not numbers.renames:
            return Assignment(None, "undecided", frozenset(owners))
        return Assignment(holder.key, "obsolete" if is_another else "current", others)
    found = {owner.key: owner for owner in owners.values()}
    if not found:
        return Assignment(None)
    if len(found) == 1 and holder is None:
        (owner,) = found.values()
        if owner.records | owner.numbers <= numbers.former:
            return Assignment(owner.key, replaces=owner.records)
    return Assignment(None, "undecided", frozenset(owners))
