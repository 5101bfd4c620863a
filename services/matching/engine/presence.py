"""What the recorded facts of a patient say on the day of the match (`docs/eligibility.md` §3 and §4).

Results in words become present or absent, tests show their concepts, invalidated results lose their weight, and a state
lasts as its concept says. Facts keep their ids.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from services.matching.engine.facts import FOR_EVER, DateBounds, Fact, Status
from services.matching.engine.invalidation import without_invalidated
from services.matching.engine.terminology import State, Terminology
from shared.criteria.durations import add, day_before, parse
from shared.criteria.result_words import read_result
from shared.criteria.scales import SCALES
from shared.terminology.clinical_data import TESTS, ShownConcept

Above = Callable[[tuple[str, ...]], frozenset[str]]
_KINDS = ("permanent", "persists", "passing", "event")
_ENDED_BY_DENIAL = ("persists", "passing")


def read_facts(
    facts: Iterable[Fact], birth: DateBounds | None, terminology: Terminology, above: Above, as_of: date
) -> tuple[Fact, ...]:
    """Return what the facts say. ``above``: returns all codes that a fact with these codes carries."""
    states: dict[tuple[str, ...], State | None] = {}

    def state_of(fact: Fact) -> State | None:
        if fact.codes not in states:
            states[fact.codes] = _state_of(fact.codes, terminology)
        return states[fact.codes]

    known = (_known_on(fact, as_of) for fact in facts)
    read = without_invalidated([_with_result(fact, above, state_of) for fact in known], birth, above)
    told = [one for fact in read for one in (fact, *_shown_by(fact, above))]
    return tuple(_lasting(told, above, state_of))


def _known_on(fact: Fact, as_of: date) -> Fact:
    """Limit open and partial dates to ``as_of``; the planned end of an exposure, or an open one, counts."""
    if fact.first.latest <= as_of and fact.status != "absent":
        return fact
    first = DateBounds(fact.first.earliest, min(fact.first.latest, as_of))
    if fact.status == "absent":
        return fact._replace(first=first, last=DateBounds(min(fact.last.earliest, as_of), min(fact.last.latest, as_of)))
    return fact._replace(first=first, last=fact.last if fact.exposure or _may_go_on(fact) else first)


def _may_go_on(fact: Fact) -> bool:
    """Return whether a condition or medication is recorded with one date, or none, and has an unknown end."""
    return fact.kind in ("condition", "medication") and fact.last == (fact.first.earliest, date.max)


def _state_of(codes: Sequence[str], terminology: Terminology) -> State | None:
    """Return the kind of state of a fact: of its codes, the one that lasts longest; of passing ones the shortest."""
    stated = [state for code in codes if (state := terminology.state_of(code)) is not None and state.kind in _KINDS]
    return min(stated, key=lambda state: (_KINDS.index(state.kind), _longest(date.min, state)), default=None)


def _with_result(fact: Fact, above: Above, state_of: Callable[[Fact], State | None]) -> Fact:
    """Read the result of an observation: a word says present or absent, a number says neither."""
    if fact.kind != "observation" or fact.status != "present" or SCALES.keys() & fact.codes:
        return fact
    is_test = not TESTS.keys().isdisjoint(above(fact.codes))
    sign = None if fact.text is None else read_result(fact.text)
    if sign is not None:
        return fact._replace(status="absent") if sign == "negative" else fact
    if (fact.number is None and fact.text is None) or (not is_test and state_of(fact) is None):
        return fact
    return fact._replace(shows_presence=False) if fact.number is not None else fact._replace(status="unconfirmed")


def _shown_by(fact: Fact, above: Above) -> Iterator[Fact]:
    """Yield what a test shows, as facts about the concepts alone: a test that cannot deny one denies only itself."""
    if fact.kind != "observation":
        return
    is_positive = fact.status == "present" and fact.text is not None
    for code in TESTS.keys() & above(fact.codes):
        for shown in TESTS[code]:
            if shown.concept in fact.codes:
                continue
            if is_positive and shown.present:
                yield _about(fact, shown, "present")
            elif fact.status != "absent":
                yield _about(fact, shown, "unconfirmed")
            elif shown.absent:
                yield _about(fact, shown, "absent")


def _about(fact: Fact, shown: ShownConcept, status: Status) -> Fact:
    return fact._replace(codes=(shown.concept,), status=status, number=None, text=None, shows_presence=True)


def _lasting(facts: Sequence[Fact], above: Above, state_of: Callable[[Fact], State | None]) -> Iterator[Fact]:
    """Let each fact last as its kind of state says."""
    denied: dict[str | None, dict[str, list[Fact]]] = {}
    for fact in facts:
        if fact.status == "absent":
            for code in fact.codes:
                denied.setdefault(fact.relative, {}).setdefault(code, []).append(fact)
    for fact in facts:
        if fact.status == "absent" or fact.kind not in ("condition", "observation", "medication"):
            yield fact
            continue
        state = state_of(fact)
        if fact.kind == "medication":
            is_event = state is not None and state.kind == "event" and _may_go_on(fact)
            yield fact._replace(last=fact.first, exposure=False) if is_event else fact
            continue
        changes = _changes(fact, state)
        if state is not None and state.kind in _ENDED_BY_DENIAL:
            index = denied.get(fact.relative, {})
            denials = [one for code in index.keys() & above(fact.codes) for one in index[code]] if index else []
            changes |= {"ends_by_denial": True, "last": _ended(fact.first, changes.get("last", fact.last), denials)}
        yield fact._replace(**changes) if changes else fact


def _changes(fact: Fact, state: State | None) -> dict[str, Any]:
    """Return what a kind of state changes of a fact: its last day, and from when on it is not known to last."""
    if state is None:
        return {}
    if state.kind == "permanent":
        return {} if fact.last == FOR_EVER else {"last": FOR_EVER}
    has_end = fact.exposure and fact.last != FOR_EVER
    if state.kind == "event":
        return {} if has_end or fact.last == fact.first else {"last": fact.first}
    if has_end:
        return {}
    if state.kind == "persists":
        return {"last": FOR_EVER}
    certainly_until = max(fact.first.earliest, day_before(_longest(fact.first.earliest, state)))
    return {"last": DateBounds(certainly_until, date.max), "fades_on": _longest(fact.first.latest, state)}


def _longest(since: date, state: State) -> date:
    """Return the day from which a passing state that began on ``since`` is longer ago than it is known to last."""
    return add(since, parse(state.longest or "P1D"))


def _ended(first: DateBounds, last: DateBounds, denials: Iterable[Fact]) -> DateBounds:
    """Return the last day of a fact that ends on the day before the denials that are certainly later."""
    for denial in denials:
        if denial.first.earliest > first.latest:
            last = DateBounds(
                min(last.earliest, day_before(denial.first.earliest)), min(last.latest, day_before(denial.first.latest))
            )
    return last
