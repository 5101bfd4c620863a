"""Results that something falsified: a transfusion, antibodies given or of the mother (`docs/eligibility.md` §4)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Literal

from services.matching.engine.facts import DateBounds, Fact, Falsified
from shared.criteria.durations import add, first_within, parse
from shared.terminology.clinical_data import INVALIDATIONS, Invalidation

Above = Callable[[tuple[str, ...]], frozenset[str]]
Likelihood = Literal["no", "maybe", "yes"]
_CODES = frozenset(code for one in INVALIDATIONS for code in one.results)
_ORDER: tuple[Likelihood, ...] = ("no", "maybe", "yes")


def without_invalidated(facts: Sequence[Fact], birth: DateBounds | None, above: Above) -> list[Fact]:
    """Take the number of falsified measurements; make falsified findings unconfirmed, falsified variants uncertain."""
    kept: list[Fact] = []
    for fact in facts:
        rules = _rules_for(fact, above)
        found = {one: how for one in rules if (how := _falsified(fact, one, facts, birth, above)) != "no"}
        kept.append(_invalidated(fact, found) if found else fact)
    return kept


def _invalidated(given: Fact, found: Mapping[Invalidation, Likelihood]) -> Fact:
    cause = max(found, key=lambda one: _ORDER.index(found[one]))
    only_raised = given.status == "present" and all(one.younger_than is not None for one in found)
    fact = given._replace(falsified=Falsified(cause, only_raised, given.number))
    if fact.variant is not None:
        status = "unconfirmed" if fact.status == "absent" else fact.status
        return fact._replace(status=status, variant=replace(fact.variant, significance="uncertain"))
    if fact.number is None:
        return fact._replace(status="ordered" if fact.status == "ordered" else "unconfirmed")
    if found[cause] == "maybe" and fact.status != "absent":
        return fact._replace(doubtful=True, shows_presence=False)
    # No measurement, but as a finding it is open.
    return fact._replace(status="present", number=None, shows_presence=False)


def _rules_for(fact: Fact, above: Above) -> list[Invalidation]:
    """Return the rules about a result; none for other facts."""
    if fact.relative is not None:
        return []
    if fact.kind == "variant":
        return [one for one in INVALIDATIONS if one.variants]
    if fact.kind != "observation" or _CODES.isdisjoint(carried := above(fact.codes)):
        return []
    return [one for one in INVALIDATIONS if not carried.isdisjoint(one.results)]


def _falsified(
    fact: Fact, rule: Invalidation, facts: Sequence[Fact], birth: DateBounds | None, above: Above
) -> Likelihood:
    if rule.positive_only and not _may_be_positive(fact):
        return "no"
    if rule.younger_than is not None:
        return _was_younger(fact, birth, rule.younger_than)
    return max(
        (_is_before(cause, fact, rule) for cause in facts if _is_cause(cause, rule, above)),
        default="no",
        key=_ORDER.index,
    )


def _may_be_positive(fact: Fact) -> bool:
    """Return whether a result is positive: by its word or status, or by a number that is not zero or an upper bound."""
    if fact.number is not None:
        return fact.comparator not in ("<", "<=") and fact.number != 0
    return fact.status == "present"


def _was_younger(fact: Fact, birth: DateBounds | None, age: str) -> Likelihood:
    if birth is None:
        return "maybe"
    limit = parse(age)
    if add(birth.earliest, limit) > fact.first.latest:
        return "yes"
    return "maybe" if add(birth.latest, limit) > fact.first.earliest else "no"


def _is_cause(fact: Fact, rule: Invalidation, above: Above) -> bool:
    return (
        fact.status == "present"
        and fact.relative is None
        and fact.kind != "variant"
        and not above(fact.codes).isdisjoint(rule.after)
    )


def _is_before(cause: Fact, fact: Fact, rule: Invalidation) -> Likelihood:
    """Return whether the cause is in the window before the result, over all days that both could be."""
    span = None if rule.within is None else parse(rule.within)
    earliest, latest = fact.first
    reach_of_latest = date.min if span is None else first_within(latest, span)
    reach_of_earliest = date.min if span is None else first_within(earliest, span)
    if cause.first.latest <= earliest and cause.last.earliest >= reach_of_latest:
        return "yes"
    return "maybe" if cause.first.earliest <= latest and cause.last.latest >= reach_of_earliest else "no"
