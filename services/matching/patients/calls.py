"""A call with a patient: from the body that was sent to the patient that is ready to be matched."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request

from services.matching.patients.index import IndexedPatient, index_patient
from services.matching.patients.parameters import PatientParameters
from services.matching.patients.reading import read_patient
from services.matching.snapshots.model import Snapshot
from shared.http.heavy_work import HeavyWork

# A record of this size is opened in some 25 ms at most.
SHORT_BYTES = 64 * 1024


async def receive_patient(
    request: Request,
    sent: Mapping[str, Any] | bytes,
    parameters: PatientParameters,
    snapshot: Snapshot,
    pointer: str = "",
    size: int | None = None,
) -> IndexedPatient:
    """Read and index a patient; a large record in a thread.

    ``pointer``: where it is in the body; ``size``: of the record in bytes, if it is not the whole body.

    :raises Problem: 400 or 422, with the place of each fault; no value is repeated.
    """
    length = len(await request.body()) if size is None else size
    if length <= SHORT_BYTES and not isinstance(sent, bytes):
        return _indexed(sent, parameters, snapshot, pointer)
    heavy: HeavyWork = request.app.state.heavy_work
    return await heavy.run(_indexed, sent, parameters, snapshot, pointer)


def _indexed(
    sent: Mapping[str, Any] | bytes, parameters: PatientParameters, snapshot: Snapshot, pointer: str
) -> IndexedPatient:
    read = read_patient(sent, parameters.as_of, pointer)
    parameters.check_days(read.patient.as_of)
    return index_patient(read, snapshot.vocabulary, parameters.today, parameters.dosing_date, pointer)
