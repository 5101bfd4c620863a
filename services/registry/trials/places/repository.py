"""SQL for facilities of trials and for assignments of facility texts."""

from collections.abc import Collection, Iterable
from dataclasses import astuple
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, insert, or_, select, true, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.trials.places.model import Assignment, Facility
from services.registry.trials.places.tables import place_assignments, place_merges, trial_facilities
from services.registry.trials.tables import trials as present
from shared.values.problems import StaleVersionError

_IN_FORCE = place_assignments.c.withdrawn_at.is_(None)


class PlaceRepository:
    """Facilities and assignments in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def assigned(self, keys: Collection[str]) -> dict[str, Assignment]:
        """Return the assignments in force of these facility texts, by key."""
        if not keys:
            return {}
        statement = select(place_assignments).where(_IN_FORCE, place_assignments.c.facility_key.in_(keys))
        return {row.facility_key: _assignment(row) for row in await self.connection.execute(statement)}

    async def of_trial(self, key: str) -> dict[str, tuple[Facility, int]]:
        """Return all facilities of a trial with their versions, also those that no record names any more, by key."""
        statement = select(trial_facilities).where(trial_facilities.c.trial_key == key)
        return {row.facility_key: (_facility(row), row.version) for row in await self.connection.execute(statement)}

    async def save(self, trial: str, changed: Iterable[tuple[Facility, int]], at: datetime) -> None:
        """Write facilities of a trial, each with its new version."""
        rows = [
            {
                "trial_key": trial, "facility_key": one.key, "version": version, "facility": one.facility,
                "city": one.city, "country": one.country, "named": one.named, "source_status": one.source_status,
                "centre": one.centre, "finess": one.finess, "changed_at": at,
            }
            for one, version in changed
        ]  # fmt: skip
        new = [row for row in rows if row["version"] == 1]
        if new:
            await self.connection.execute(insert(trial_facilities), new)
        for row in rows:
            if row["version"] != 1:
                columns = trial_facilities.c
                of_row = (columns.trial_key == trial, columns.facility_key == row["facility_key"])
                await self.connection.execute(update(trial_facilities).where(*of_row).values(**row))

    async def unmatched(self, country: str | None, words: Collection[str], offset: int, limit: int) -> list[Any]:
        """Return (facility_key, facility, city, country, trials) of texts that are no place yet.

        The French ones first, then those that most trials have.
        """
        columns = trial_facilities.c
        known = select(place_assignments.c.facility_key).where(_IN_FORCE)
        merged = select(present.c.key).where(present.c.merged_into.is_not(None))
        trials = func.count().label("trials")
        facility = func.min(columns.facility).label("facility")
        city = func.min(columns.city).label("city")
        statement = (
            select(columns.facility_key, facility, city, columns.country, trials)
            .where(columns.named.is_(True), columns.centre.is_(None), columns.facility.is_not(None))
            .where(columns.facility_key.not_in(known), columns.trial_key.not_in(merged))
            .group_by(columns.facility_key, columns.country)
            .order_by((func.coalesce(columns.country, "") == "FR").desc(), trials.desc(), columns.facility_key)
            .offset(offset)
            .limit(limit)
        )
        if country is not None:
            statement = statement.where(columns.country == country)
        for word in words:
            pattern = f"%{word}%"
            statement = statement.where(
                or_(func.lower(columns.facility).like(pattern), func.lower(columns.city).like(pattern))
            )
        return list((await self.connection.execute(statement)).all())

    async def texts(self, key: str) -> Any | None:
        """Return (facility, city, country) of a facility text that some trial has."""
        columns = trial_facilities.c
        statement = select(columns.facility, columns.city, columns.country).where(columns.facility_key == key).limit(1)
        return (await self.connection.execute(statement)).first()

    async def assignments(self, after: tuple[str, int], limit: int, *, withdrawn: bool) -> list[Assignment]:
        """Return assignments by key and number; ``withdrawn``: also those."""
        columns = place_assignments.c
        key, number = after
        following = or_(columns.facility_key > key, (columns.facility_key == key) & (columns.number > number))
        statement = select(place_assignments).where(following).order_by(columns.facility_key, columns.number)
        statement = statement if withdrawn else statement.where(_IN_FORCE)
        return [_assignment(row) for row in await self.connection.execute(statement.limit(limit))]

    async def last(self, key: str) -> Assignment | None:
        """Return the newest assignment of a facility text, also a withdrawn one."""
        statement = self._last(key)
        row = (await self.connection.execute(statement)).first()
        return None if row is None else _assignment(row)

    async def add(self, one: Assignment) -> None:
        """Write an assignment; an earlier one of the text is withdrawn by it.

        :raises StaleVersionError: 412, another transaction assigned the text meanwhile.
        """
        await self.withdraw(one.key, one.at, one.author)
        names = (
            "facility_key", "number", "facility", "city", "country", "kind", "place", "reason", "author", "at",
            "withdrawn_at", "withdrawn_by",
        )  # fmt: skip
        try:
            await self.connection.execute(insert(place_assignments).values(dict(zip(names, astuple(one), strict=True))))
        except IntegrityError:
            raise StaleVersionError from None

    async def withdraw(self, key: str, at: datetime, author: str) -> bool:
        """Withdraw the assignment of a facility text. Return whether there was one in force."""
        statement = update(place_assignments).where(place_assignments.c.facility_key == key, _IN_FORCE)
        written = await self.connection.execute(statement.values(withdrawn_at=at, withdrawn_by=author))
        return bool(written.rowcount)

    async def merge_again(self, key: str) -> int:
        """Ask for another merge of the trials with a facility text. Return their number."""
        concerned = select(trial_facilities.c.trial_key).where(trial_facilities.c.facility_key == key)
        waiting = select(place_merges.c.trial_key)
        merges = update(place_merges).where(place_merges.c.trial_key.in_(concerned)).values(merges=True)
        await self.connection.execute(merges)
        new = select(trial_facilities.c.trial_key, true()).where(
            trial_facilities.c.facility_key == key, trial_facilities.c.trial_key.not_in(waiting)
        )
        await self.connection.execute(insert(place_merges).from_select(["trial_key", "merges"], new))
        return int((await self.connection.execute(select(func.count()).select_from(concerned.subquery()))).scalar_one())

    async def has_merges(self) -> bool:
        return (await self.connection.execute(select(place_merges.c.trial_key).limit(1))).first() is not None

    async def take_merges(self, limit: int) -> dict[str, bool]:
        """Take trials to be looked at, with whether they are merged: no other transaction takes them too."""
        waiting = select(place_merges).order_by(place_merges.c.merges.desc(), place_merges.c.trial_key).limit(limit)
        rows = await self.connection.execute(waiting.with_for_update(skip_locked=True))
        found = {row.trial_key: bool(row.merges) for row in rows}
        await self.connection.execute(delete(place_merges).where(place_merges.c.trial_key.in_(found)))
        return found

    def _last(self, key: str) -> Select[Any]:
        columns = place_assignments.c
        return select(place_assignments).where(columns.facility_key == key).order_by(columns.number.desc()).limit(1)


def _assignment(row: Any) -> Assignment:
    return Assignment(
        row.facility_key, row.number, row.facility, row.city, row.country, row.kind, row.place, row.reason,
        row.author, row.at, row.withdrawn_at, row.withdrawn_by,
    )  # fmt: skip


def _facility(row: Any) -> Facility:
    return Facility(
        row.facility_key,
        row.facility,
        row.city,
        row.country,
        row.source_status,
        row.centre,
        row.finess,
        bool(row.named),
    )
