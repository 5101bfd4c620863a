"""What the recorded facts of a patient say on the day of the match (`docs/eligibility.md` §3 and §4).

Results in words become present or absent, tests show their concepts, invalidated results lose their weight, and a state
lasts as its concept says. Facts keep their ids.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date

from services.matching.engine.facts import FOR_EVER, DateBounds, Fact
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

    known = (_with_unknown_end(_known_on(fact, as_of), state_of) for fact in facts)
    read = [one for fact in known for one in _results(fact, above, state_of)]
    read = without_invalidated(read, birth, above)
    return tuple(_lasting(read, above, state_of))


def _known_on(fact: Fact, as_of: date) -> Fact:
    """Limit open and partial dates to ``as_of``; the planned end of an exposure counts."""
    if fact.first.latest <= as_of and (fact.exposure or fact.last.latest <= as_of) and fact.status != "absent":
        return fact
    first = DateBounds(fact.first.earliest, min(fact.first.latest, as_of))
    if not fact.exposure:
        return replace(fact, first=first, last=first)
    if fact.status == "absent":
        return replace(fact, first=first, last=DateBounds(min(fact.last.earliest, as_of), min(fact.last.latest, as_of)))
    return replace(fact, first=first)


def _with_unknown_end(fact: Fact, state_of: Callable[[Fact], State | None]) -> Fact:
    """Return a medication that has a date alone as an exposure since that day; an event of one day stays one."""
    if fact.kind != "medication" or fact.exposure or fact.status == "absent":
        return fact
    state = state_of(fact)
    return fact if state is not None and state.kind == "event" else _may_go_on(replace(fact, exposure=True))


def _state_of(codes: Sequence[str], terminology: Terminology) -> State | None:
    """Return the kind of state of a fact: of its codes, the one that lasts longest; of passing ones the shortest."""
    stated = [state for code in codes if (state := terminology.state_of(code)) is not None and state.kind in _KINDS]
    return min(stated, key=lambda state: (_KINDS.index(state.kind), _longest(date.min, state)), default=None)


def _results(fact: Fact, above: Above, state_of: Callable[[Fact], State | None]) -> Iterator[Fact]:
    """Read the result of an observation: a word says present or absent, a number says neither.

    Of a test whose result is not given, what it shows is unconfirmed.
    """
    if fact.kind != "observation" or fact.status != "present" or SCALES.keys() & fact.codes:
        yield fact
        return
    shown = [concept for code in TESTS.keys() & above(fact.codes) for concept in TESTS[code]]
    if fact.number is None and fact.text is None:
        concepts = {one.concept for one in shown}
        is_told = concepts <= set(fact.codes)
        yield fact if is_told else replace(fact, codes=_with(fact, concepts), status="unconfirmed")
        return
    names_finding = bool(shown) or state_of(fact) is not None
    sign = None if fact.text is None else read_result(fact.text)
    if sign is None and names_finding:
        yield replace(fact, shows_presence=False) if fact.number is not None else replace(fact, status="unconfirmed")
        yield from _unconfirmed(fact, shown)
        return
    if sign is None:
        yield fact
        return
    certain = {one.concept for one in shown if (one.present if sign == "positive" else one.absent)}
    yield replace(fact, codes=_with(fact, certain), status="absent" if sign == "negative" else "present")
    if sign == "positive":
        yield from _unconfirmed(fact, [one for one in shown if not one.present])


def _with(fact: Fact, concepts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({*fact.codes, *concepts}))


def _unconfirmed(fact: Fact, shown: Sequence[ShownConcept]) -> Iterator[Fact]:
    """Yield the concepts that the test hints at and cannot show."""
    if codes := tuple(sorted({one.concept for one in shown} - set(fact.codes))):
        yield replace(fact, codes=codes, status="unconfirmed", number=None, text=None)


def _lasting(facts: Sequence[Fact], above: Above, state_of: Callable[[Fact], State | None]) -> Iterator[Fact]:
    """Let each fact last as its kind of state says."""
    denied: dict[str | None, dict[str, list[Fact]]] = {}
    for fact in facts:
        if fact.status == "absent":
            for code in fact.codes:
                denied.setdefault(fact.relative, {}).setdefault(code, []).append(fact)
    for fact in facts:
        if fact.status == "absent" or fact.kind not in ("condition", "observation"):
            yield fact
            continue
        state = state_of(fact)
        lasting = _with_state(fact, state)
        if state is not None and state.kind in _ENDED_BY_DENIAL:
            lasting = replace(lasting, ends_by_denial=True)
            if index := denied.get(fact.relative):
                lasting = _ended(lasting, [one for code in index.keys() & above(fact.codes) for one in index[code]])
        yield lasting


def _with_state(fact: Fact, state: State | None) -> Fact:
    if state is None:
        return _may_go_on(fact) if fact.kind == "condition" and not fact.exposure else fact
    if state.kind == "permanent":
        return fact if fact.last == FOR_EVER else replace(fact, last=FOR_EVER)
    has_end = fact.exposure and fact.last != FOR_EVER
    if state.kind == "event":
        return fact if has_end or not fact.exposure else replace(fact, last=fact.first)
    if has_end:
        return fact
    if state.kind == "persists":
        return replace(fact, last=FOR_EVER)
    certainly_until = max(fact.first.earliest, day_before(_longest(fact.first.earliest, state)))
    return replace(fact, last=DateBounds(certainly_until, date.max), fades_on=_longest(fact.first.latest, state))


def _longest(since: date, state: State) -> date:
    """Return the day from which a passing state that began on ``since`` is longer ago than it is known to last."""
    return add(since, parse(state.longest or "P1D"))


def _may_go_on(fact: Fact) -> Fact:
    return replace(fact, last=DateBounds(fact.first.earliest, date.max))


def _ended(fact: Fact, denials: Iterable[Fact]) -> Fact:
    """End a fact on the day before the denials that are certainly later."""
    last = fact.last
    for denial in denials:
        if denial.first.earliest > fact.first.latest:
            last = DateBounds(
                min(last.earliest, day_before(denial.first.earliest)), min(last.latest, day_before(denial.first.latest))
            )
    return fact if last == fact.last else replace(fact, last=last)
