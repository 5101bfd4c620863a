"""Match many patients, one a line: results stream out in the order of the lines, and nothing is stored.

A line that cannot be read gets its problem, and the others go on. Each line is charged to the quota of the caller; when
the quota is used up, the remaining lines get 429 and can be sent again.
"""

from collections.abc import AsyncIterator
from typing import Any

from fastapi import Request
from fastapi.responses import StreamingResponse

from services.matching.answers.rendering import to_json
from services.matching.evaluations.costs import match_units
from services.matching.evaluations.service import match_patient
from services.matching.patients.body import NDJSON, check_form
from services.matching.patients.calls import receive_patient
from services.matching.patients.parameters import RECORD_LIMITS, PatientParameters
from services.matching.snapshots.model import Snapshot
from services.matching.snapshots.responses import snapshot_headers
from shared.http.charges import charge, refuse_beyond
from shared.http.heavy_work import HeavyWork
from shared.http.problem_responses import document_of
from shared.values.problems import Fault, InvalidParameterError, Problem, TooLargeError
from shared.values.strict_json import loads
from shared.values.wire import Label

MAX_LINES = 1_000
LINE_BYTES = 1024 * 1024
LINE_UNITS = 2
LINE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["line", "status"],
    "properties": {
        "line": {"type": "integer", "format": "int32", "minimum": 1, "description": "The line of the patient."},
        "status": {"type": "integer", "format": "int32", "description": "200, or the status of the problem."},
        "answer": {"$ref": "#/components/schemas/MatchAnswer"},
        "problem": {"$ref": "#/components/schemas/Problem"},
    },
}
_NO_CURSOR = Label(
    fr="pas de cursor pour plusieurs patients ; relisez un patient seul pour ses pages suivantes",
    en="no cursor for several patients; match one patient alone for its further pages",
)


def batch_response(
    request: Request, body: bytes, snapshot: Snapshot, parameters: PatientParameters, limit: int, cursor: str | None
) -> StreamingResponse:
    """Return one line ``{"line", "status", "answer" or "problem"}`` for each line that is not empty.

    :raises TooLargeError: 413, more than `MAX_LINES` lines.
    :raises InvalidParameterError: 400, a cursor.
    """
    if cursor is not None:
        raise InvalidParameterError(errors=[Fault(pointer="/query/cursor", code="not_for_batch", detail=_NO_CURSOR)])
    lines = [(number, line) for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]
    if len(lines) > MAX_LINES:
        raise TooLargeError
    return StreamingResponse(
        _results(request, lines, snapshot, parameters, limit),
        media_type=NDJSON,
        headers=snapshot_headers(snapshot),
    )


async def _results(
    request: Request, lines: list[tuple[int, bytes]], snapshot: Snapshot, parameters: PatientParameters, limit: int
) -> AsyncIterator[bytes]:
    for number, line in lines:
        try:
            answer = await _result(request, line, snapshot, parameters, limit)
        except Problem as problem:
            yield _line(number, problem.status, "problem", to_json(document_of(request, problem)))
        else:
            yield _line(number, 200, "answer", answer)


async def _result(
    request: Request, line: bytes, snapshot: Snapshot, parameters: PatientParameters, limit: int
) -> bytes:
    """Return the answer for one line.

    :raises Problem: the line is not a patient, or the quota is used up.
    """
    refuse_beyond(request, LINE_UNITS)
    if len(line) > LINE_BYTES:
        raise TooLargeError
    heavy: HeavyWork = request.app.state.heavy_work
    sent: dict[str, Any] = loads(line, RECORD_LIMITS)
    check_form(sent, NDJSON, len(line))
    patient = await receive_patient(request, sent, parameters, snapshot, size=len(line))
    charge(request, match_units(len(patient.index.facts), len(snapshot.trials)))
    return await heavy.run(match_patient, snapshot, patient, parameters.horizon, limit)


def _line(number: int, status: int, name: str, content: bytes) -> bytes:
    return b'{"line":%d,"status":%d,"%s":%s}\n' % (number, status, name.encode(), content)
