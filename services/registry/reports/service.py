"""Makes reports. Rows of all organisations are read as the service: what a caller may see is decided here."""

import asyncio
from dataclasses import replace
from datetime import date, datetime, timedelta

from services.registry.capabilities.fit.service import FitService
from services.registry.capabilities.repository import CapabilityRepository
from services.registry.centres.repository import CentreRepository
from services.registry.preparation.repository import PreparationRepository
from services.registry.preparation.service import PreparationService
from services.registry.reports.disclosure import noisy_bucket
from services.registry.reports.model import Selection, View
from services.registry.reports.openings.cases import cases_of
from services.registry.reports.openings.repository import OpeningRepository
from services.registry.reports.places.repository import PlaceReportRepository
from services.registry.reports.problems import NoMoreQuestionsError, WrongViewError, YearNeededError
from services.registry.reports.report import Figures, Measure, counts_of, measures_of
from services.registry.reports.repository import ReportRepository
from services.registry.reports.schemas import CountDocument, MeasureDocument, ReferralCount, Report
from services.registry.trials.repository import TrialRepository
from shared.access.policy import Access
from shared.persistence import Database
from shared.values.problems import Fault, InvalidParameterError, NotFoundError

SECONDS_A_DAY = 24 * 3600


class ReportService:
    """Reports at the time ``now``. ``secret``: of the noise of counts."""

    def __init__(self, database: Database, now: datetime, secret: bytes) -> None:
        self.database = database
        self.now = now
        self.secret = secret

    async def report(self, access: Access, view: View | None, centre: str | None, year: int | None) -> Report:
        """Return a report.

        :raises NotFoundError: 404, the report of another centre.
        :raises WrongViewError: 400, a view with or without a centre that it does not have.
        :raises YearNeededError: 400, a report without small counts is of one year.
        """
        chosen = view or ("centre" if access.rows == "own" else "network")
        selection, suppress = self._select(access, chosen, centre, year)
        figures = await self._figures(selection)
        figures = replace(figures, counts={**figures.counts, **await self._public_counts(selection.centre)})
        return Report(
            view=chosen,
            centre=selection.centre,
            year=year,
            today=selection.today,
            suppressed=suppress,
            measures=[MeasureDocument.of(one) for one in await _measures(figures, suppress=suppress)],
            counts=[CountDocument.of(one) for one in counts_of(figures, suppress=suppress)],
        )

    async def measures(self, access: Access, view: View | None, centre: str | None, year: int | None) -> list[Measure]:
        """Return the measures of a report with their curves. It raises what `report` does."""
        chosen = view or ("centre" if access.rows == "own" else "network")
        selection, suppress = self._select(access, chosen, centre, year)
        return await _measures(await self._figures(selection), suppress=suppress)

    async def referral_count(
        self, access: Access, trial: str, stage: str, year: int | None, questions: int
    ) -> ReferralCount:
        """Return how many referrals of a trial reached a stage. ``questions``: how many a caller has each day.

        :raises NotFoundError: 404, no such trial, or of another sponsor.
        :raises NoMoreQuestionsError: 429.
        """
        owner = access.principal.organisation or access.principal.kind
        async with self.database.transaction(as_service=True) as connection:
            repository = ReportRepository(connection)
            key = await repository.trial_of(trial, None if access.rows == "all" else owner)
            if key is None:
                raise NotFoundError
            query = {"trial": key, "stage": stage, "year": year}
            left = await repository.ask(owner, self.now.date(), query, questions)
            if left is None:
                raise NoMoreQuestionsError(SECONDS_A_DAY - int(self.now.timestamp()) % SECONDS_A_DAY)
            count = await repository.referrals_at(key, stage, Selection(self._month, None, year))
        return ReferralCount(
            trial_id=key, stage=stage, year=year, count=noisy_bucket(count, query, self.secret), questions_left=left
        )

    async def _figures(self, selection: Selection) -> Figures:
        async with self.database.read(as_service=True) as connection:
            found = await ReportRepository(connection).figures(selection)
            openings = await OpeningRepository(connection).openings(selection)
            places = PlaceReportRepository(connection)
            counts = {"places": await places.places(selection), "waiting": await places.waits(selection)}
        return replace(found, clocks={**found.clocks, **cases_of(openings, selection)}, counts=counts)

    async def _public_counts(self, centre: str | None) -> dict[str, dict[str, int]]:
        """Return what everyone may read of trials and places, as it is now."""
        async with self.database.read(as_service=True) as connection:
            places = PlaceReportRepository(connection)
            recruiting = await places.recruiting(centre)
            preparation = PreparationService(PreparationRepository(connection), TrialRepository(connection), self.now)
            fit = FitService(preparation, CapabilityRepository(connection), CentreRepository(connection))
            able = await fit.able(recruiting, centre)
            offered = await places.offered(centre)
        coverage = {
            "trials_with_place": sum(recruiting.values()),
            "trials_recruiting": len(recruiting),
            "centres_able": len(able),
        }
        return {"offered": {"places": offered}, "coverage": coverage}

    def _select(self, access: Access, view: View, centre: str | None, year: int | None) -> tuple[Selection, bool]:
        """Return the cases of a report, and whether its small counts are hidden.

        Then it is of one year and stands still for a month: two reports that differ by one event reveal one patient.
        """
        own = access.principal.centre if access.rows == "own" else None
        if view != "centre" and access.rows == "own":
            raise NotFoundError
        of_centre = (centre or own) if view == "centre" else None
        if (view == "centre") != (of_centre is not None) or (view != "centre" and centre is not None):
            raise _wrong("centre", WrongViewError)
        if of_centre is not None and (access.rows == "published" or (own is not None and of_centre != own)):
            raise NotFoundError
        if view != "fcrin" and access.rows != "published":
            return Selection(self.now.date(), of_centre, year), False
        if year is None:
            raise _wrong("year", YearNeededError)
        return Selection(self._month, of_centre, year), True

    @property
    def _month(self) -> date:
        """The last day of the month before."""
        return self.now.date().replace(day=1) - timedelta(days=1)


def _wrong(parameter: str, problem: type[InvalidParameterError]) -> InvalidParameterError:
    return problem(errors=[Fault(pointer=f"/query/{parameter}", code=problem.code, detail=problem.title)])


async def _measures(figures: Figures, *, suppress: bool) -> list[Measure]:
    # In a thread: there may be 100,000 cases.
    return await asyncio.to_thread(measures_of, figures, suppress=suppress)
