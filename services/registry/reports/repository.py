"""SQL for reports."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Date, Select, Table, case, cast, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.feasibility.tables import feasibility_requests, feasibility_steps
from services.registry.referrals.tables import referral_steps, referrals
from services.registry.reports.access import ENDS, STAGES, Path
from services.registry.reports.model import Selection
from services.registry.reports.report import Figures, Section, Span
from services.registry.reports.tables import report_questions
from services.registry.safety_holds.tables import safety_holds
from services.registry.trials.tables import trial_names, trials
from shared.vocabulary.identifiers import alias_of

_SENT: Final = "sent"


class ReportRepository:
    """What reports are made of, in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def figures(self, selection: Selection) -> Figures:
        """Return the cases that began in the time of a selection."""
        return Figures(await self._paths(selection), {})

    async def _paths(self, selection: Selection) -> list[Path]:
        delivery = await self._deliveries()
        rows = await self.connection.execute(self._days_of_referrals(selection))
        return [_path(delivery.get(row.trial), row, selection.today) for row in rows]

    def _days_of_referrals(self, selection: Selection) -> Select[Any]:
        """Select trial, day of sending, first day of each stage and of an end, and whether screening failed."""
        steps = referral_steps.c
        day = func.coalesce(steps.on, func.date(steps.at))
        stages = [self._first(day, states).label(stage) for stage, states in STAGES.items()]
        from_day, until = selection.days
        statement = (
            select(
                referrals.c.trial,
                self._first(day, (_SENT,)).label("sent"),
                *stages,
                self._first(day, ENDS).label("ended"),
                func.max(case((steps.state == "screen_failure", 1), else_=0)).label("screen_failed"),
            )
            .join(referral_steps, steps.subject == referrals.c.reference)
            .group_by(referrals.c.reference)
            .having(self._first(day, (_SENT,)) >= from_day.isoformat(), self._first(day, (_SENT,)) < until.isoformat())
        )
        return statement if selection.centre is None else statement.where(referrals.c.centre == selection.centre)
