"""Answers how long the patients of a trial are followed, and keeps what its sponsor states."""

import json
from datetime import date
from importlib import resources
from typing import Final

from services.registry.capabilities.follow_up.calendar import USUAL, Schedule, kind_of, months_after, visits_of, within
from services.registry.capabilities.follow_up.schemas import FollowUp, FollowUpVisit, Required, ScheduleInput
from services.registry.capabilities.product_facts import facts_of
from services.registry.model.precondition import Precondition
from services.registry.preparation.model import Place
from services.registry.preparation.service import PreparationService
from shared.access.policy import Access
from shared.values.problems import Fault, InvalidParameterError
from shared.values.wire import Label

SCHEDULE: Final = Place("follow_up")

# The first gene therapy was given in 1990; a dosing is planned a few months ahead.
_FIRST_DOSING: Final = date(1990, 1, 1)
_PLANNED_MONTHS: Final = 24
_IMPOSSIBLE: Final = Label(
    fr="un jour depuis 1990 et au plus dans deux ans", en="a day since 1990 and at most two years ahead"
)


def _required() -> dict[str, list[Required]]:
    rows = json.loads((resources.files(__package__) / "required.json").read_text("utf-8"))
    return {name: [Required.model_validate(row) for row in some] for name, some in rows.items()}


_REQUIRED: Final = _required()


class FollowUpService:
    """Schedules of follow-up, in one transaction."""

    def __init__(self, preparation: PreparationService) -> None:
        self.preparation = preparation

    async def read(
        self, identifier: str, access: Access, dosed_on: date | None = None, adult_in: date | None = None
    ) -> FollowUp:
        """Return the calendar of a trial that the caller may see. ``dosed_on``, ``adult_in``: of a patient.

        :raises InvalidParameterError: 400, patients are not dosed on such a day.
        :raises NotFoundError: 404.
        """
        party = await self.preparation.party(identifier, access.principal)
        self._check(dosed_on)
        trial = party.stored
        kind = kind_of(facts_of(trial.trial.product))
        stated = await self.preparation.repository.get(trial.key, SCHEDULE)
        given = ScheduleInput.model_validate_json(stated.text) if stated else None
        schedule = USUAL.get(kind) if kind else None
        if given is not None:
            schedule = Schedule(given.years, tuple(given.months)) if given.months else within(given.years, kind)
        return FollowUp(
            trial=trial.trial.identifier,
            by="sponsor" if given else "usual" if schedule else "not_known",
            kind=kind,
            basis=schedule.basis if schedule else None,
            reference=given.reference if given else None,
            version=stated.version if stated else None,
            at=stated.at if stated else None,
            years=schedule.years if schedule else None,
            ends_on=months_after(dosed_on, 12 * schedule.years) if schedule and dosed_on else None,
            visits=[FollowUpVisit.of(one) for one in visits_of(schedule, dosed_on, adult_in)] if schedule else [],
            **_REQUIRED,
        )

    async def state(self, identifier: str, given: ScheduleInput, access: Access, expected: Precondition) -> FollowUp:
        """State the schedule of a trial: its sponsor or the coordination."""
        party = await self.preparation.responsible(identifier, access)
        await self.preparation.state(party, SCHEDULE, given, access, expected)
        return await self.read(identifier, access)

    def _check(self, dosed_on: date | None) -> None:
        latest = months_after(self.preparation.today, _PLANNED_MONTHS)
        if dosed_on is not None and not _FIRST_DOSING <= dosed_on <= latest:
            place = Fault(pointer="/query/dosed_on", code="impossible_day", detail=_IMPOSSIBLE)
            raise InvalidParameterError(errors=[place])
