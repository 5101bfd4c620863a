"""Reads and corrects the table of places."""

from collections.abc import Collection
from datetime import UTC, datetime

from services.registry.centres.repository import CentreRepository
from services.registry.places.problems import UnknownFacilityError
from services.registry.places.schemas import Place, PlaceInput, TrialFacility, UnmatchedFacility
from services.registry.trials.places.model import Assignment, PlaceKind, facility_key
from services.registry.trials.places.repository import PlaceRepository
from services.registry.trials.problems import UnknownCentreError
from shared.values.problems import Fault, NotFoundError, StaleVersionError


class PlaceService:
    """The table of places in one transaction. Trials are merged again in the background (`merging`)."""

    def __init__(self, places: PlaceRepository, centres: CentreRepository) -> None:
        self.places = places
        self.centres = centres
        self.now = datetime.now(UTC)

    async def unmatched(
        self, country: str | None, words: Collection[str], offset: int, limit: int
    ) -> list[UnmatchedFacility]:
        """Return facility texts that are no place yet."""
        return [
            UnmatchedFacility(
                key=row.facility_key, facility=row.facility, city=row.city, country=row.country, trials=row.trials
            )
            for row in await self.places.unmatched(country, words, offset, limit)
        ]

    async def page(self, after: tuple[str, int], limit: int, *, withdrawn: bool) -> list[Place]:
        """Return assignments after a key and number; ``withdrawn``: also those that are not in force."""
        return [Place.of(one) for one in await self.places.assignments(after, limit, withdrawn=withdrawn)]

    async def assign(self, given: PlaceInput, author: str) -> Place:
        """Say which place a facility text is. What was said before is replaced.

        :raises UnknownFacilityError: 422, the key is of no trial.
        :raises UnknownCentreError: 422.
        """
        facility, city, country = await self._text(given)
        key = given.key or facility_key(facility, city, country)
        kind, place = await self._place(given)
        last = await self.places.last(key)
        number = last.number + 1 if last else 1
        one = Assignment(key, number, facility, city, country, kind, place, given.reason, author, self.now)
        await self.places.add(one)
        await self.places.merge_again(key)
        return Place.of(one)

    async def withdraw(self, key: str, expected: int | None, author: str) -> Place:
        """Withdraw the assignment of a text: the rules by name hold again.

        :raises NotFoundError: 404, nothing is in force.
        :raises StaleVersionError: 412, another one than version ``expected`` is in force (None: any).
        """
        last = await self.places.last(key)
        if last is None or last.withdrawn_at is not None:
            raise NotFoundError
        if expected is not None and expected != last.number:
            raise StaleVersionError
        await self.places.withdraw(key, self.now, author)
        await self.places.merge_again(key)
        withdrawn = await self.places.last(key)
        assert withdrawn is not None
        return Place.of(withdrawn)

    async def of_trial(self, key: str) -> list[TrialFacility]:
        """Return the facilities of a trial."""
        found = [TrialFacility.of(one, version) for one, version in (await self.places.of_trial(key)).values()]
        return sorted(found, key=lambda one: (one.country != "FR", one.country or "", one.facility or "", one.key))

    async def _text(self, given: PlaceInput) -> tuple[str, str | None, str | None]:
        if given.facility is not None:
            return given.facility, given.city, given.country
        found = await self.places.texts(given.key or "")
        if found is None or found.facility is None:
            fault = Fault(pointer="/key", code=UnknownFacilityError.code, detail=UnknownFacilityError.title)
            raise UnknownFacilityError(errors=[fault])
        return found.facility, found.city, found.country

    async def _place(self, given: PlaceInput) -> tuple[PlaceKind, str | None]:
        """Return the place. A hospital that is a member centre is this centre: two facilities of it are one site."""
        if given.none:
            return "none", None
        if given.finess is not None:
            centres = await self.centres.page(None, 100_000)
            member = next((one.id for one in centres if one.finess_et == given.finess), None)
            return ("hospital", given.finess) if member is None else ("centre", member)
        assert given.centre is not None
        if await self.centres.get(given.centre) is None:
            fault = Fault(pointer="/centre", code=UnknownCentreError.code, detail=UnknownCentreError.title)
            raise UnknownCentreError(errors=[fault])
        return "centre", given.centre
