"""Needs of trials, and the centres that are able, over HTTP."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from services.registry.capabilities.fit.schemas import CentreFitDocument, NeedRow, NeedsInput, StatedNeeds, TrialFit
from services.registry.capabilities.fit.service import FitService
from services.registry.capabilities.repository import CapabilityRepository
from services.registry.centres.repository import CentreRepository
from services.registry.preparation.answers import answer, precondition_of
from services.registry.preparation.model import Party, Stated
from services.registry.preparation.repository import PreparationRepository
from services.registry.preparation.service import PreparationService
from services.registry.trials.repository import TrialRepository
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.route import ApiRoute, accepts
from shared.http.versions import IfMatch
from shared.persistence import Reading, Writing
from shared.vocabulary.identifiers import CentreId

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["capabilities"])


def _reading_service(connection: Reading) -> FitService:
    preparation = PreparationService(PreparationRepository(connection), TrialRepository(connection), datetime.now(UTC))
    return FitService(preparation, CapabilityRepository(connection), CentreRepository(connection))


def _writing_service(connection: Writing) -> FitService:
    preparation = PreparationService(PreparationRepository(connection), TrialRepository(connection), datetime.now(UTC))
    return FitService(preparation, CapabilityRepository(connection), CentreRepository(connection))


Reads = Annotated[FitService, Depends(_reading_service)]
Writes = Annotated[FitService, Depends(_writing_service)]
Reader = Annotated[Access, Depends(allow("activation", "read"))]
Writer = Annotated[Access, Depends(allow("activation", "write"))]
Identifier = Annotated[str, Path(max_length=100, description="The `id` of the trial, or any of its numbers.")]


@router.get("/trials/{identifier}/fit", summary="Read which centres are able to give the product of a trial")
async def read_fit(
    service: Reads,
    access: Reader,
    identifier: Identifier,
    centre: Annotated[CentreId | None, Query(description="Only this centre.")] = None,
) -> TrialFit:
    """Return what the product needs of a site, and for each centre whether it is able, after what, or unable.

    A centre gets the answer for itself; the sponsor of the trial, the coordination and authorities get all.
    """
    party, populations, needs, centres = await service.fit(identifier, centre, access)
    today = service.preparation.today
    return TrialFit(
        trial=party.stored.trial.identifier,
        trial_id=party.stored.key,
        populations=[*populations],
        not_known=[*needs.not_known],
        needs=[NeedRow.of(one) for one in needs.items],
        centres=[CentreFitDocument.of(one, today) for one in centres],
    )


@router.get(
    "/trials/{identifier}/needs", response_model=StatedNeeds, summary="Read what the sponsor states that sites need"
)
async def read_needs(service: Reads, access: Reader, identifier: Identifier) -> Response:
    """Return what was stated. What the rules ask for by the product is in `/fit`."""
    return _answer(*await service.needs(identifier, access))


@router.put(
    "/trials/{identifier}/needs",
    response_model=StatedNeeds,
    responses={201: {"model": StatedNeeds}},
    summary="State what sites of a trial need",
)
@accepts()
async def write_needs(
    if_match: IfMatch, given: NeedsInput, service: Writes, access: Writer, identifier: Identifier
) -> Response:
    """State the needs of a trial (`If-None-Match: *`) or replace a version (`If-Match`): sponsor or coordination."""
    expected = precondition_of(if_match)
    return _answer(*await service.state_needs(identifier, given, access, expected), created=expected.creates)


def _answer(party: Party, stated: Stated, *, created: bool = False) -> Response:
    given = NeedsInput.model_validate_json(stated.text)
    document = StatedNeeds(**dict(given), trial=party.stored.trial.identifier, version=stated.version, at=stated.at)
    return answer(document, stated.version, created=created)
