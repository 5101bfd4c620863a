"""SQL for reports."""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, case, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.feasibility.clocks import clocks as clocks_of_request
from services.registry.feasibility.tables import feasibility_requests, feasibility_steps
from services.registry.model.working_days import working_days
from services.registry.referrals.tables import referrals, referrals_steps
from services.registry.reports.access import ENDS, NO_PATHS, STAGES, Paths
from services.registry.reports.incidence import Case
from services.registry.reports.model import Selection
from services.registry.reports.report import DONE, STOPPED, Figures, Section
from services.registry.reports.tables import report_questions
from services.registry.safety_holds.tables import safety_holds
from services.registry.steps.repository import StepRepository
from services.registry.trials.tables import trial_aliases, trials
from shared.vocabulary.identifiers import alias_of

_SENT: Final = ("sent",)
# The clocks of a feasibility request that a report shows, and the names of their steps here.
_CLOCKS: Final[Mapping[str, str]] = {
    "cda": "confidentiality",
    "answer": "first_answer",
    "contract": "contract",
    "selection_to_activation": "activation",
    "first_patient": "first_patient",
}
# Requests whose steps are read together.
_TOGETHER: Final = 500


class ReportRepository:
    """What reports are made of, in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def figures(self, selection: Selection) -> Figures:
        """Return the cases of a selection."""
        clocks = {**await self._requests(selection), **await self._holds(selection)}
        return Figures(await self._paths(selection), clocks)

    async def trial_of(self, name: str, owner: str | None) -> str | None:
        """Return the id of a trial by any of its names. ``owner``: only of this organisation; None: of any."""
        statement = (
            select(trials.c.key)
            .join(trial_aliases, trial_aliases.c.present_key == trials.c.key)
            .where(trial_aliases.c.alias == alias_of(name))
            .order_by(trial_aliases.c.is_public.desc(), trials.c.key)
            .limit(1)
        )
        if owner is not None:
            statement = statement.where(trials.c.owner == owner)
        key: str | None = (await self.connection.execute(statement)).scalar()
        return key

    async def ask(self, organisation: str, day: date, query: Mapping[str, object], most: int) -> int | None:
        """Note a question of a day. Return how many are left; None: it is one too many.

        Questions at the same moment may exceed ``most`` by a few.
        """
        written = hashlib.sha256(json.dumps(query, sort_keys=True).encode()).hexdigest()
        questions = report_questions.c
        of_day = (questions.organisation == organisation, questions.day == day)
        asked = set((await self.connection.execute(select(questions.question).where(*of_day))).scalars())
        if written in asked:
            return most - len(asked)
        if len(asked) >= most:
            return None
        await self.connection.execute(
            insert(report_questions).values(organisation=organisation, day=day, question=written)
        )
        return most - len(asked) - 1

    async def referrals_at(self, trial: str, stage: str, selection: Selection) -> int:
        """Return how many referrals of a trial reached a stage, or were sent."""
        states = STAGES.get(stage, _SENT)
        of_stage = select(referrals_steps.c.subject).where(
            referrals_steps.c.state.in_(states), referrals_steps.c.on <= selection.today
        )
        statement = (
            select(func.count())
            .select_from(referrals)
            .where(referrals.c.trial_key == trial, referrals.c.reference.in_(of_stage), *_sent_in(selection))
        )
        found: int = (await self.connection.execute(statement)).scalar_one()
        return found

    async def _paths(self, selection: Selection) -> Paths:
        delivery = await self._deliveries()
        rows = (await self.connection.execute(_days_of_referrals(selection))).all()
        # In a thread: there may be 100,000 of them.
        return await asyncio.to_thread(_paths, rows, delivery, selection.today)

    async def _deliveries(self) -> dict[str, str | None]:
        """Return how the product of each referred trial is given, by trial."""
        referred = select(referrals.c.trial_key).distinct()
        statement = select(trials.c.key, trials.c.document).where(trials.c.key.in_(referred))
        rows = await self.connection.execute(statement)
        return {row.key: json.loads(row.document)["product"]["delivery"] for row in rows}

    async def _requests(self, selection: Selection) -> dict[tuple[Section, str], Counter[Case]]:
        first, after = selection.days
        statement = select(feasibility_requests.c.reference).where(
            feasibility_requests.c.requested_at >= _instant(first),
            feasibility_requests.c.requested_at < _instant(after),
        )
        if selection.centre is not None:
            statement = statement.where(feasibility_requests.c.centre == selection.centre)
        references = list((await self.connection.execute(statement)).scalars())
        steps = StepRepository(self.connection, feasibility_steps)
        found: dict[tuple[Section, str], Counter[Case]] = {
            ("feasibility", step): Counter() for step in _CLOCKS.values()
        }
        for start in range(0, len(references), _TOGETHER):
            for of_one in (await steps.of_many(references[start : start + _TOGETHER])).values():
                known = [step for step in of_one if step.on is None or step.on <= selection.today]
                for clock in clocks_of_request(known, selection.today):
                    if (step := _CLOCKS.get(clock.name)) is not None:
                        event = {"completed": DONE, "stopped": STOPPED}.get(clock.outcome)
                        found["feasibility", step][Case(clock.working_days, event)] += 1
        return found

    async def _holds(self, selection: Selection) -> dict[tuple[Section, str], Counter[Case]]:
        """Return the safety holds of all centres: one of a centre says little about it."""
        if selection.centre is not None:
            return {}
        first, after = selection.days
        statement = select(safety_holds.c.imposed_at, safety_holds.c.lifted_at).where(
            safety_holds.c.imposed_at >= _instant(first), safety_holds.c.imposed_at < _instant(after)
        )
        cases = Counter(
            Case(
                working_days(row.imposed_at.date(), min(selection.today, lifted or selection.today)),
                DONE if lifted and lifted <= selection.today else None,
            )
            for row in await self.connection.execute(statement)
            for lifted in [row.lifted_at and row.lifted_at.date()]
        )
        return {("safety", "hold_lifted"): cases}


def _days_of_referrals(selection: Selection) -> Select[Any]:
    """Select of each referral: trial, day of sending, first day of each stage and of an end, failure of screening."""
    steps = referrals_steps.c
    stages = [_first_day(states).label(stage) for stage, states in STAGES.items()]
    return (
        select(
            referrals.c.trial_key,
            _first_day(_SENT).label("sent"),
            *stages,
            _first_day(ENDS).label("ended"),
            func.max(case((steps.state == "screen_failure", 1), else_=0)).label("screen_failed"),
            referrals.c.minor,
            referrals.c.refer_before,
        )
        .join(referrals_steps, steps.subject == referrals.c.reference)
        .where(*_sent_in(selection), steps.on <= selection.today)
        .group_by(referrals.c.reference)
    )


def _first_day(states: tuple[str, ...]) -> ColumnElement[date | None]:
    return func.min(referrals_steps.c.on).filter(referrals_steps.c.state.in_(states))


def _sent_in(selection: Selection) -> list[ColumnElement[bool]]:
    first, after = selection.days
    after = min(after, selection.today + timedelta(days=1))
    found = [referrals.c.sent_at >= _instant(first), referrals.c.sent_at < _instant(after)]
    return found if selection.centre is None else [*found, referrals.c.centre == selection.centre]


def _paths(rows: Sequence[Row[Any]], delivery: Mapping[str, str | None], today: date) -> Paths:
    if not rows:
        return NO_PATHS
    # Column by column: one `zip` of all rows would make as many iterators.
    columns = [list(map(itemgetter(number), rows)) for number in range(len(rows[0]))]
    of_trials, sent, *stages, ended, failed, minor, months = columns
    pairs = list(zip(of_trials, minor, strict=True))
    kinds = {(trial, young): (delivery.get(trial), bool(young)) for trial, young in set(pairs)}
    return Paths(
        [kinds[pair] for pair in pairs],
        [max(0, (today - day).days) for day in sent],
        [_days(days, sent) for days in stages],
        _days(ended, sent),
        [bool(one) for one in failed],
        [None if month is None else day.isoformat()[:7] > month for month, day in zip(months, sent, strict=True)],
    )


def _days(days: Sequence[date | None], sent: Sequence[date]) -> list[int | None]:
    return [None if day is None else (day - first).days for day, first in zip(days, sent, strict=True)]


def _instant(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
