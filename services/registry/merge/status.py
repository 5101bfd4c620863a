"""The recruitment status of a trial, from what several sources and people say (`docs/registry.md`). Pure.

A stop holds until the same source says otherwise, or a person who knew of it states another status.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.registry.merge.model import Conflict, Statement
from services.registry.merge.sources import authority
from shared.vocabulary.recruitment import STOPPED_STATUSES, is_open

STOPS: Final = STOPPED_STATUSES | {"refused", "expired"}


@dataclass(frozen=True, slots=True)
class Claim:
    """The status that a source gives, and its words for it: status and reason of a stop. In the order of precedence."""

    source: str
    status: str
    words: tuple[Any, ...] = (None, None)


@dataclass(frozen=True, slots=True)
class EffectiveStatus:
    """``source``: who said it; None where no source did, or a person (``by_person``)."""

    status: str
    words: tuple[Any, ...]
    source: str | None
    by_person: bool
    conflicts: tuple[Conflict, ...]


def effective_status(claims: Sequence[Claim], statement: Statement | None) -> EffectiveStatus:
    """Return the status of a trial. ``claims``: one for each source record, in the order of precedence."""
    stops = [one for one in claims if one.status in STOPS and authority(one.source).may_stop]
    known = next((one for one in claims if one.status != "unknown"), claims[0] if claims else None)
    by_sources = stops[0] if stops else known
    said = "unknown" if by_sources is None else by_sources.status
    if statement is not None and (not stops or statement.value in STOPS or statement.against == said):
        conflicts: tuple[Conflict, ...] = ()
        if said not in (statement.against, statement.value):
            source = "" if by_sources is None else by_sources.source
            conflicts = (Conflict("outdated_statement", "status", statement.value, said, source),)
        return EffectiveStatus(statement.value, (None, None), None, True, conflicts)
    if not stops:
        return EffectiveStatus(
            said, (None, None) if known is None else known.words, None if known is None else known.source, False, ()
        )
    stop = stops[0]
    opened = next((one for one in claims if is_open(one.status) and authority(one.source).rank < _rank(stop)), None)
    conflicts = ()
    if statement is not None and is_open(statement.value):
        conflicts = (Conflict("stop", "status", stop.status, statement.value, "curated"),)
    elif opened is not None:
        conflicts = (Conflict("stop", "status", stop.status, opened.status, opened.source),)
    return EffectiveStatus(stop.status, stop.words, stop.source, False, conflicts)


def leading_statement(statements: Sequence[Statement]) -> tuple[Statement | None, tuple[Conflict, ...]]:
    """Return the statement that counts of those on trials that are merged, and the conflict between them, if any.

    ``statements``: that on the trial itself comes first and counts, unless another person stopped the trial without
    its author knowing.
    """
    if not statements:
        return None, ()
    first = statements[0]
    others = [one for one in statements[1:] if one.value not in {first.value, first.against}]
    stop = next((one for one in others if one.value in STOPS and first.value not in STOPS), None)
    if stop is not None:
        return stop, (Conflict("merged_statement", "status", stop.value, first.value, "curated"),)
    return first, tuple(Conflict("merged_statement", "status", first.value, one.value, "curated") for one in others[:1])


def _rank(claim: Claim) -> int:
    return authority(claim.source).rank
