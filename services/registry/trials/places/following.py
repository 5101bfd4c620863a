"""Keeps the facilities of a trial, and lets its records follow what people say of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from services.registry.merge.reading import Record
from services.registry.trials.model import StoredTrial
from services.registry.trials.places.model import CentreOf, Facility, facilities_of, placed
from services.registry.trials.places.repository import PlaceRepository
from services.registry.trials.writing import TrialWriter

# Facilities with their versions, by key.
Versions = Mapping[str, tuple[Facility, int]]


@dataclass(frozen=True, slots=True)
class Placed:
    """The records of a trial as people place their facilities, and these facilities."""

    records: list[Record]
    facilities: Mapping[str, Facility]


class PlaceFollower:
    """Facilities of trials in one transaction."""

    def __init__(self, writer: TrialWriter) -> None:
        self.writer = writer
        self.repository = PlaceRepository(writer.repository.connection)
        self._centre_of: CentreOf | None = None

    async def placed(self, records: Iterable[Record]) -> Placed:
        """Return the records of a trial with the sites that people say their facility texts are."""
        records = list(records)
        if not any(record.said.get("locations") for record in records):
            return Placed(records, {})
        centre_of = await self._by_name()
        named = facilities_of(records, {}, centre_of)
        assigned = await self.repository.assigned(named.keys())
        if not assigned:
            return Placed(records, named)
        followed = [placed(record, assigned, centre_of) for record in records]
        return Placed(followed, facilities_of(records, assigned, centre_of))

    async def follow(self, stored: StoredTrial, named: Mapping[str, Facility], before: Versions | None = None) -> None:
        """Write which facilities the records of a trial name now. Those that none names any more stay.

        ``before``: what is stored; None: to be read.
        """
        before = await self.repository.of_trial(stored.key) if before is None else before
        changed = [
            (one, before[key][1] + 1 if key in before else 1)
            for key, one in named.items()
            if key not in before or before[key][0] != one
        ]
        gone = [
            (replace(one, named=False, source_status=None), version + 1)
            for key, (one, version) in before.items()
            if key not in named and one.named
        ]
        if changed or gone:
            await self.repository.save(stored.key, [*changed, *gone], self.writer.now)

    async def _by_name(self) -> CentreOf:
        if self._centre_of is None:
            self._centre_of = self.writer.rules.centre_of(await self.writer.centres.members())
        return self._centre_of
