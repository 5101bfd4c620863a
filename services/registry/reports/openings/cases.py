"""How long a site takes from the authorisation to its green light, and from there to its first patient. Pure.

Days are French working days. Patients are those that this registry knows: of its referrals, and as feasibility states.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from services.registry.model.working_days import working_days
from services.registry.reports.incidence import Case
from services.registry.reports.model import Selection
from services.registry.reports.report import DONE, STOPPED, Section

# The items of the checklist: the sub-clocks of the green light.
ITEMS: Final = ("contract", "gmo_list", "lriph", "pharmacy", "biosafety", "training", "initiation_visit")
GREEN_LIGHT: Final = "green_light"
CONSENT, INCLUSION = "first_consent", "first_inclusion"
STEPS: Final = (*ITEMS, GREEN_LIGHT, CONSENT, INCLUSION)
_SECTION: Final[Section] = "opening"


@dataclass(slots=True)
class Opening:
    """The opening of a site; None: it has not happened. ``items``: those that were stated, with the day they were done.

    ``stopped``: when the centre declined or was withdrawn before it opened.
    """

    authorised: date | None = None
    items: dict[str, date | None] = field(default_factory=dict)
    green_light: date | None = None
    stopped: date | None = None
    first: dict[str, date] = field(default_factory=dict)

    def happened(self, step: str, on: date | None) -> None:
        """Note a day; of several the first one counts."""
        if on is None:
            return
        if step == GREEN_LIGHT:
            self.green_light = min(on, self.green_light or on)
        else:
            self.first[step] = min(on, self.first.get(step, on))


Cases = Mapping[tuple[Section, str], Counter[Case]]


def cases_of(openings: Iterable[Opening], selection: Selection) -> Cases:
    """Return the cases of each step that began within a selection."""
    found: dict[tuple[Section, str], Counter[Case]] = {(_SECTION, step): Counter() for step in STEPS}
    first, after = selection.days
    for one in openings:
        for step, start, end in _clocks(one):
            if start is not None and first <= start < after and start <= selection.today:
                found[_SECTION, step][_case(start, end, one.stopped, selection.today)] += 1
    return found


def _clocks(one: Opening) -> Iterator[tuple[str, date | None, date | None]]:
    for item in ITEMS:
        if item in one.items:
            yield item, one.authorised, one.items[item]
    yield GREEN_LIGHT, one.authorised, one.green_light
    for step in (CONSENT, INCLUSION):
        yield step, one.green_light, one.first.get(step)


def _case(start: date, end: date | None, stopped: date | None, today: date) -> Case:
    """Return a case; what happened before its start took no day."""
    if end is not None and end <= today:
        return Case(working_days(start, end), DONE)
    if stopped is not None and stopped <= today:
        return Case(working_days(start, stopped), STOPPED)
    return Case(working_days(start, today), None)
