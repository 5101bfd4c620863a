"""SQL for the openings of sites."""

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.feasibility.tables import feasibility_requests, feasibility_steps
from services.registry.preparation.tables import preparation_versions
from services.registry.referrals.tables import referrals, referrals_steps
from services.registry.reports.model import Selection
from services.registry.reports.openings.cases import CONSENT, GREEN_LIGHT, INCLUSION, Opening
from services.registry.submissions.tables import submissions
from services.registry.trials.tables import trials

_VERSIONS, _REQUESTS, _STEPS = preparation_versions.c, feasibility_requests.c, feasibility_steps.c
_PATH, _CHECKLIST = "path", "checklist"
# Of several the first one is the authorisation in France (`services.registry.activation.path`).
_DECISIONS: Final = ("decision", "added_member_state")
# Actions of feasibility from the selection of a centre on, and what happens by them.
_OF_FEASIBILITY: Final[Mapping[str, str]] = {
    "select": "selected",
    "green_light": GREEN_LIGHT,
    "first_patient": INCLUSION,
}
_ENDS: Final = ("decline", "withdraw")
_OF_REFERRALS: Final[Mapping[str, str]] = {"consented": CONSENT, "included": INCLUSION}
Site = tuple[str, str]


class OpeningRepository:
    """Openings in one transaction, by trial and centre. A trial that was merged is the one that answers for it."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def openings(self, selection: Selection) -> list[Opening]:
        """Return the openings of a selection, whatever the day on which they began."""
        found: dict[Site, Opening] = defaultdict(Opening)
        present = await self._present()
        authorised = await self._stated(found, present, selection.centre)
        await self._selected(found, present, selection.centre)
        for (trial, _), one in found.items():
            one.authorised = authorised.get(trial)
        rows = await self.connection.execute(_first_patients(selection.centre))
        for row in rows:
            site = (present.get(row.trial_key, row.trial_key), row.centre)
            if site in found:
                found[site].happened(_OF_REFERRALS[row.state], row.on)
        return list(found.values())

    async def _present(self) -> dict[str, str]:
        """Return the trial that answers for each merged one."""
        rows = await self.connection.execute(select(trials.c.key, trials.c.merged_into))
        merged = {row.key: row.merged_into for row in rows if row.merged_into not in {None, row.key}}
        for key, into in list(merged.items()):
            while into in merged:
                into = merged[into]  # noqa: PLW2901  the last one of the chain
            merged[key] = into
        return merged

    async def _stated(
        self, found: dict[Site, Opening], present: Mapping[str, str], centre: str | None
    ) -> dict[str, date]:
        """Add what checklists say. Return the day of the authorisation in France, by trial."""
        decisions: dict[str, dict[str, date]] = defaultdict(dict)
        for row in await self.connection.execute(_in_force(centre)):
            trial, stated = present.get(row.trial_key, row.trial_key), json.loads(row.document)
            if row.part == _PATH:
                if stated.get("state") == "done" and (on := _day(stated.get("on"))) is not None:
                    decisions[trial][row.item] = on
                continue
            opening, done = found[trial, row.centre], _day(stated.get("done_on"))
            if row.item == GREEN_LIGHT:
                opening.happened(GREEN_LIGHT, done)
            else:
                opening.items[row.item] = done
        return {trial: next(days[one] for one in _DECISIONS if one in days) for trial, days in decisions.items()}

    async def _selected(self, found: dict[Site, Opening], present: Mapping[str, str], centre: str | None) -> None:
        """Add the centres that were selected, and what was done about them since."""
        statement = (
            select(submissions.c.trial_key, _REQUESTS.centre, _STEPS.action, _STEPS.on)
            .join(feasibility_requests, _REQUESTS.reference == _STEPS.subject)
            .join(submissions, submissions.c.reference == _REQUESTS.submission)
            .where(_STEPS.action.in_([*_OF_FEASIBILITY, *_ENDS]), submissions.c.trial_key.is_not(None))
            .order_by(_STEPS.subject, _STEPS.number)
        )
        if centre is not None:
            statement = statement.where(_REQUESTS.centre == centre)
        for row in await self.connection.execute(statement):
            site = (present.get(row.trial_key, row.trial_key), row.centre)
            if row.action in _ENDS:
                if site in found:
                    found[site].stopped = row.on
            else:
                found[site].happened(_OF_FEASIBILITY[row.action], row.on)


def _in_force(centre: str | None) -> Select[Any]:
    """Select what is in force of the decisions of trials and of the checklists of sites."""
    of_trial = and_(_VERSIONS.part == _PATH, _VERSIONS.item.in_(_DECISIONS))
    of_site = _VERSIONS.part == _CHECKLIST
    if centre is not None:
        of_site = and_(of_site, _VERSIONS.centre == centre)
    key = (_VERSIONS.trial_key, _VERSIONS.part, _VERSIONS.centre, _VERSIONS.item)
    last = select(*key, func.max(_VERSIONS.version).label("version")).where(or_(of_trial, of_site)).group_by(*key)
    newest = last.subquery()
    same = [newest.c[name] == _VERSIONS[name] for name in ("trial_key", "part", "centre", "item", "version")]
    return select(_VERSIONS.trial_key, _VERSIONS.part, _VERSIONS.centre, _VERSIONS.item, _VERSIONS.document).join(
        newest, and_(*same)
    )


def _first_patients(centre: str | None) -> Select[Any]:
    """Select the first consent and the first inclusion at each site."""
    steps = referrals_steps.c
    key = (referrals.c.trial_key, referrals.c.centre, steps.state)
    statement = (
        select(*key, func.min(steps.on).label("on"))
        .join(referrals_steps, steps.subject == referrals.c.reference)
        .where(steps.state.in_(_OF_REFERRALS))
        .group_by(*key)
    )
    return statement if centre is None else statement.where(referrals.c.centre == centre)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
