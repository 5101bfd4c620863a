"""Decides on what is stated of the authorisation of a trial and the opening of its sites."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, cast

from services.registry.activation.checklist import ITEMS, required_items
from services.registry.activation.model import (
    Entry,
    Found,
    ItemEntry,
    ItemName,
    Path,
    PathFacts,
    PathStep,
    missing_items,
)
from services.registry.activation.path import CLOCKS, authorised_on, of_site, path_of
from services.registry.activation.problems import (
    BEFORE_ITEMS,
    IN_THE_FUTURE,
    OUT_OF_ORDER,
    OUT_OF_RANGE,
    UNKNOWN_CENTRE,
    ActivationRefusedError,
    ChecklistIncompleteError,
    GreenLightGivenError,
    OpeningBlockedError,
)
from services.registry.activation.schemas import DeclarationInput, EntryInput, ItemInput
from services.registry.capabilities.follow_up.calendar import months_after
from services.registry.capabilities.product_facts import facts_of, is_gmo
from services.registry.centres.repository import CentreRepository
from services.registry.model.precondition import Precondition
from services.registry.model.trial import Trial
from services.registry.preparation.model import Party, Place, Stated
from services.registry.preparation.service import PreparationService
from shared.access.policy import Access
from shared.values.problems import Fault, ForbiddenError, NotFoundError
from shared.values.wire import Label

GMO: Final = Place("gmo")
_EARLY: Final = frozenset({"early-phase-1", "phase-1", "phase-1-phase-2"})
_FIRST_DAY: Final = date(2000, 1, 1)
_MONTHS_AHEAD: Final = 120
_DAY_LENGTH: Final = 10


@dataclass(frozen=True, slots=True)
class TrialPath:
    """The path of a trial, with what was stated of it. ``entries``: by step."""

    party: Party
    facts: PathFacts
    path: Path
    entries: Mapping[str, tuple[EntryInput, int]]


@dataclass(frozen=True, slots=True)
class SiteChecklist:
    """The checklist of a site. ``entries``: by item."""

    party: Party
    centre: str
    required: list[ItemName]
    entries: Mapping[ItemName, tuple[ItemInput, int]]
    blockers: list[Found]

    @property
    def stated(self) -> dict[ItemName, ItemEntry]:
        """Return what was stated, as the rules take it."""
        return {
            item: ItemEntry(one.owner or ITEMS[item].owner, one.due, one.done_on)
            for item, (one, _) in self.entries.items()
        }

    @property
    def missing(self) -> list[ItemName]:
        """Return the required items that are not done."""
        return missing_items(self.required, self.stated)

    @property
    def green_light(self) -> date | None:
        """Return when the green light was given."""
        entry = self.stated.get("green_light")
        return entry.done_on if entry else None


class ActivationService:
    """Authorisation and opening, in one transaction."""

    def __init__(self, preparation: PreparationService, centres: CentreRepository) -> None:
        self.preparation = preparation
        self.stated = preparation.repository
        self.centres = centres
        self.today = preparation.today

    async def declaration(self, identifier: str, access: Access) -> tuple[Party, Stated]:
        """Return the GMO declaration of a trial.

        :raises NotFoundError: 404, none was stated.
        """
        party = await self.preparation.insider(identifier, access)
        stated = await self.stated.get(party.stored.key, GMO)
        if stated is None:
            raise NotFoundError
        return party, stated

    async def declare(
        self, identifier: str, given: DeclarationInput, access: Access, expected: Precondition
    ) -> tuple[Party, Stated]:
        """State the GMO declaration of a trial.

        :raises ActivationRefusedError: 422, an unknown centre or an impossible day.
        """
        party = await self.preparation.responsible(identifier, access)
        await self.stated.lock(party.stored.key)
        known = await self.centres.departements()
        faults = [
            Fault(pointer=f"/sites/{number}", code="unknown_centre", detail=UNKNOWN_CENTRE)
            for number, centre in enumerate(given.sites)
            if centre not in known
        ]
        past = {"declared_on": given.declared_on, "decided_on": given.decided_on}
        _refuse([*faults, *self._impossible(past, {"expires_on": given.expires_on})])
        return party, await self.preparation.state(party, GMO, given, access, expected)

    async def path(self, identifier: str, access: Access) -> TrialPath:
        """Return the regulatory path of a trial."""
        return await self.path_for(await self.preparation.insider(identifier, access))

    async def enter(
        self, identifier: str, step: PathStep, given: EntryInput, access: Access, expected: Precondition
    ) -> TrialPath:
        """Enter a step of the path.

        :raises ActivationRefusedError: 422, an impossible day, or one that contradicts another step.
        """
        party = await self.preparation.responsible(identifier, access)
        await self.stated.lock(party.stored.key)
        planned = given.state == "planned"
        faults = self._impossible({} if planned else {"on": given.on}, {"on": given.on} if planned else {})
        if not faults and given.on is not None and _is_out_of_order(await self.path_for(party), step, given.on):
            faults = [Fault(pointer="/on", code="out_of_order", detail=OUT_OF_ORDER)]
        _refuse(faults)
        await self.preparation.state(party, Place("path", step), given, access, expected)
        return await self.path_for(party)

    async def checklist(self, identifier: str, centre: str, access: Access) -> SiteChecklist:
        """Return the opening checklist of a site.

        :raises NotFoundError: 404, no such centre, or the caller is no party.
        """
        party = await self.preparation.insider(identifier, access, centre=centre)
        if await self.centres.get(centre) is None:
            raise NotFoundError
        return await self._checklist(party, centre)

    async def check(
        self, identifier: str, centre: str, item: ItemName, given: ItemInput, access: Access, expected: Precondition
    ) -> SiteChecklist:
        """State an item of the checklist of a site: its owner or the coordination.

        :raises ForbiddenError: 403, the item is another party's.
        :raises ChecklistIncompleteError: 409, the green light before the required items.
        :raises OpeningBlockedError: 409, the green light while something blocks the site.
        :raises GreenLightGivenError: 409, an item is no longer done after the green light.
        """
        before = await self.checklist(identifier, centre, access)
        # Whether everything is done must stay true until the green light is written.
        await self.stated.lock(before.party.stored.key)
        before = await self._checklist(before.party, centre)
        owner = before.stated[item].owner if item in before.entries else ITEMS[item].owner
        given = given.model_copy(update={"owner": given.owner or owner})
        role = before.party.role
        if role != "coordination" and (role != owner or (role == "centre" and given.owner != owner)):
            raise ForbiddenError
        _refuse(self._impossible({"done_on": given.done_on}, {"due": given.due}))
        self._check_opening(before, item, given)
        place = Place("checklist", item, centre)
        await self.preparation.state(before.party, place, given, access, expected)
        return await self._checklist(before.party, centre)

    def _check_opening(self, before: SiteChecklist, item: ItemName, given: ItemInput) -> None:
        if item != "green_light":
            if before.green_light is not None and given.done_on is None and item in before.required:
                raise GreenLightGivenError
            return
        if given.done_on is None:
            return
        if before.missing:
            raise ChecklistIncompleteError(before.missing)
        if before.blockers:
            raise OpeningBlockedError(before.blockers)
        done = [one.done_on for name, one in before.stated.items() if name != "green_light" and one.done_on]
        if given.done_on < max(done):
            _refuse([Fault(pointer="/done_on", code="out_of_order", detail=BEFORE_ITEMS)])

    async def path_for(self, party: Party) -> TrialPath:
        """Return the regulatory path of the trial of a party."""
        key = party.stored.key
        found = await self.stated.of_part(key, "path")
        entries = {step: (EntryInput.model_validate_json(one.text), one.version) for step, one in found.items()}
        declared = await self.stated.get(key, GMO)
        stated = DeclarationInput.model_validate_json(declared.text).declaration if declared else None
        trial = party.stored.trial
        facts = PathFacts(
            None if trial.study_type is None else trial.study_type == "interventional",
            is_gmo(facts_of(trial.product)),
            any(one.type == "euct" for one in trial.identifiers),
            trial.phase in _EARLY,
            _included_on(trial),
            stated,
            {step: Entry(one.state, one.on) for step, (one, _) in entries.items()},
        )
        return TrialPath(party, facts, path_of(facts, self.today), entries)

    async def _checklist(self, party: Party, centre: str) -> SiteChecklist:
        of_trial = await self.path_for(party)
        found = await self.stated.of_part(party.stored.key, "checklist", centre)
        entries = {
            cast("ItemName", item): (ItemInput.model_validate_json(one.text), one.version)
            for item, one in found.items()
        }
        blockers = [*of_trial.path.blockers, *of_site(of_trial.facts, centre)]
        return SiteChecklist(party, centre, required_items(of_trial.path), entries, blockers)

    def _impossible(self, past: Mapping[str, date | None], any_day: Mapping[str, date | None]) -> list[Fault]:
        """Return the faults of days. ``past``: those that cannot be in the future."""
        latest = months_after(self.today, _MONTHS_AHEAD)
        given = {**any_day, **past}
        out = [name for name, day in given.items() if day is not None and not _FIRST_DAY <= day <= latest]
        future = [name for name, day in past.items() if day is not None and day > self.today and name not in out]
        return [*_faults(out, "impossible_day", OUT_OF_RANGE), *_faults(future, "in_the_future", IN_THE_FUTURE)]


def _faults(names: Iterable[str], code: str, detail: Label) -> list[Fault]:
    return [Fault(pointer=f"/{name}", code=code, detail=detail) for name in names]


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise ActivationRefusedError(errors=faults)


def _is_out_of_order(path: TrialPath, step: PathStep, on: date) -> bool:
    """Return whether a day is before a step that was done before, or after a step that was done later."""
    done = {name: one.on for name, one in path.facts.entries.items() if one.state == "done" and one.on}
    before = CLOCKS[step].after if step in CLOCKS else ()
    after = [name for name, clock in CLOCKS.items() if step in clock.after]
    decided = authorised_on(path.facts)
    if step == "first_inclusion" and decided is not None and on < decided:
        return True
    return any(name in done and on < done[name] for name in before) or any(
        name in done and on > done[name] for name in after
    )


def _included_on(trial: Trial) -> date | None:
    """Return the start of a trial that takes place in France only, where it has happened on a known day."""
    start = trial.dates.start
    if start is None or start.type != "actual" or trial.countries != ["FR"] or len(start.date) < _DAY_LENGTH:
        return None
    try:
        return date.fromisoformat(start.date)
    except ValueError:  # the source wrote a day that does not exist
        return None
