"""Whether a centre is able to give a product. Pure. What is not known is never met."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from services.registry.capabilities.codes import CODES, MET_BY
from services.registry.capabilities.fit.needs import Need, Needs, Population
from services.registry.capabilities.model import Capability

FitAnswer = Literal["able", "able_after", "unable"]
ItemState = Literal["met", "planned", "expired", "absent", "to_confirm"]
Reason = Literal["missing", "to_confirm", "product_not_known", "population", "centre_suspended"]
# The best of several rows counts.
_RANK: Final = ("met", "planned", "expired", "absent", "to_confirm")


@dataclass(frozen=True, slots=True)
class Item:
    """A need at a centre. ``weeks``: until it is met; None: not known. ``estimated``: by the usual lead time.

    ``never``: it is stated as absent, and no time is stated or usual. ``evidence``: the row that decides.
    """

    code: str
    population: Population | None
    state: ItemState
    weeks: int | None = None
    estimated: bool = False
    never: bool = False
    evidence: Capability | None = None


@dataclass(frozen=True, slots=True)
class CentreFit:
    """The answer for a centre. ``populations``: of the trial, whom it takes. ``weeks``: until all is met."""

    centre: str
    answer: FitAnswer
    populations: tuple[Population, ...]
    weeks: int | None
    estimated: bool
    reasons: tuple[Reason, ...]
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class CentreFacts:
    """What is known of a centre."""

    centre: str
    populations: Collection[Population]
    suspended: bool
    capabilities: Mapping[str, Capability]


def judge(centre: CentreFacts, needs: Needs, populations: Sequence[Population], today: date) -> CentreFit:
    """Judge a centre. ``populations``: those of the trial."""
    taken = tuple(one for one in populations if one in centre.populations)
    items = tuple(_items(centre.capabilities, needs.items, taken, today))
    missing = [one for one in items if one.state != "met"]
    reasons: list[Reason] = []
    if not taken:
        reasons.append("population")
    if centre.suspended:
        reasons.append("centre_suspended")
    unable = bool(reasons) or any(one.never for one in missing)
    if any(one.state != "to_confirm" for one in missing):
        reasons.append("missing")
    if any(one.state == "to_confirm" for one in missing):
        reasons.append("to_confirm")
    if needs.not_known:
        reasons.append("product_not_known")
    answer: FitAnswer = "unable" if unable else "able_after" if reasons else "able"
    weeks = [one.weeks for one in missing]
    known = [one for one in weeks if one is not None]
    whole = answer != "unable" and not needs.not_known and len(known) == len(weeks)
    return CentreFit(
        centre.centre, answer, taken, max(known, default=0) if whole else None, any(one.estimated for one in missing),
        tuple(reasons), items,
    )  # fmt: skip


def _items(
    held: Mapping[str, Capability], needs: Iterable[Need], populations: Sequence[Population], today: date
) -> Iterable[Item]:
    seen = set()
    for need in needs:
        for population in populations if CODES[need.code].scoped or need.population else (None,):
            if need.population in {None, population} and (need.code, population) not in seen:
                seen.add((need.code, population))
                rows = [held[code] for code in MET_BY[need.code] if code in held]
                found = [_item(need.code, population, row, today) for row in rows]
                nothing = _lacking(need.code, population, "to_confirm", None)
                yield min(found, key=lambda item: _RANK.index(item.state), default=nothing)


def _item(code: str, population: Population | None, row: Capability, today: date) -> Item:
    state = row.state(today)
    if population is not None and CODES[code].scoped and not row.covers(population):
        return _lacking(code, population, "absent", row)
    if state == "absent":
        if row.planned_from is None:
            return _lacking(code, population, "absent", row)
        if row.planned_from < today:
            return _lacking(code, population, "to_confirm", row)
        return Item(code, population, "planned", _weeks(row.planned_from, today), evidence=row)
    if state == "not_yet" and row.valid_from is not None:
        return Item(code, population, "planned", _weeks(row.valid_from, today), evidence=row)
    if state == "expired":
        return _lacking(code, population, "expired", row)
    return Item(code, population, "met", evidence=row)


def _lacking(code: str, population: Population | None, state: ItemState, row: Capability | None) -> Item:
    usual = CODES[code].lead_weeks
    never = state == "absent" and usual is None
    return Item(code, population, state, usual, estimated=usual is not None, never=never, evidence=row)


def _weeks(day: date, today: date) -> int:
    return -(-(day - today).days // 7)
