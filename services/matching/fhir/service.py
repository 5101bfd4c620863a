"""Matches a patient and returns one page of the trials as FHIR resources."""

from collections.abc import Sequence
from typing import Any

from services.matching.clients.studies import ResearchStudies
from services.matching.evaluations.paging import cursor_of, start_of
from services.matching.evaluations.service import ListedTrial
from services.matching.fhir.answer import bundle, outcome, wanted
from services.matching.fhir.problems import RegistryUnavailableError
from services.matching.fhir.request import Wishes
from services.matching.patients.index import IndexedPatient
from services.matching.snapshots.model import Snapshot

OPERATION = "ResearchStudy/$match"


class StudyMatches:
    """Answers of the operation; the registry maps the trials."""

    def __init__(self, studies: ResearchStudies) -> None:
        self._studies = studies

    async def page(
        self,
        listed: Sequence[ListedTrial],
        snapshot: Snapshot,
        patient: IndexedPatient,
        wishes: Wishes,
        count: int,
        cursor: str | None,
    ) -> dict[str, Any]:
        """Return one page of the searchset: at most ``count`` of the listed trials.

        :raises RegistryUnavailableError: 503, the registry did not answer.
        :raises InvalidCursorError: 400, the text is not a cursor.
        :raises OutdatedCursorError: 410, the cursor was given for another snapshot.
        """
        start = start_of(cursor, snapshot.id)
        found = wanted(listed, snapshot, patient, wishes)
        page = found[start : start + count]
        links = [{"relation": "self", "url": OPERATION}]
        if start + count < len(found):
            following = f"{OPERATION}?_count={count}&cursor={cursor_of(snapshot.id, start + count)}"
            links.append({"relation": "next", "url": following})
        trials = [one.trial.record.trial for one in page]
        try:
            resources = await self._studies.get([(trial.id, trial.version) for trial in trials])
        except OSError:
            raise RegistryUnavailableError from None
        return bundle(page, resources, len(found), links, outcome(patient.warnings))
