"""Capabilities of centres over HTTP."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from services.registry.capabilities.codes import CODES, CodeForm
from services.registry.capabilities.model import Capability
from services.registry.capabilities.repository import CapabilityRepository
from services.registry.capabilities.schemas import (
    CapabilityCodeRow,
    CapabilityCodes,
    CapabilityHistory,
    CapabilityInput,
    CapabilityList,
    CapabilityVersionDocument,
    CentreCapability,
)
from services.registry.capabilities.service import CapabilityService
from services.registry.centres.repository import CentreRepository
from services.registry.model.precondition import Precondition
from services.registry.preparation.answers import answer, precondition_of
from services.registry.trials.service import author_of
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.route import ApiRoute, accepts
from shared.http.versions import IfMatch
from shared.persistence import Reading, Writing
from shared.vocabulary.identifiers import CentreId

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["capabilities"])


def _reading_service(connection: Reading) -> CapabilityService:
    return CapabilityService(CapabilityRepository(connection), CentreRepository(connection), datetime.now(UTC))


def _writing_service(connection: Writing) -> CapabilityService:
    return CapabilityService(CapabilityRepository(connection), CentreRepository(connection), datetime.now(UTC))


Reads = Annotated[CapabilityService, Depends(_reading_service)]
Writes = Annotated[CapabilityService, Depends(_writing_service)]
Reader = Annotated[Access, Depends(allow("capability", "read"))]
Writer = Annotated[Access, Depends(allow("capability", "write"))]
Insider = Annotated[Access, Depends(allow("activation", "read"))]
CentrePath = Annotated[CentreId, Path(description="The id of the centre, such as `fr-lille`.")]
CodePath = Annotated[CodeForm, Path(description="A code of `/capabilities/codes`.")]


@router.get("/capabilities/codes", summary="List the codes of capabilities")
async def list_capability_codes(access: Reader) -> CapabilityCodes:
    """List what a centre can state, with its legal basis, usual validity and usual lead time."""
    return CapabilityCodes(items=[CapabilityCodeRow.of(row) for row in CODES.values()])


@router.get("/centres/{centre}/capabilities", summary="List the capabilities of a centre")
async def list_capabilities(service: Reads, access: Reader, centre: CentrePath) -> CapabilityList:
    """List what a centre stated, with its state of today. Evidence is for the parties of trials."""
    found = await service.of_centre(centre, access.principal)
    return CapabilityList(items=[CentreCapability.of(one, service.today) for one in found])


@router.get(
    "/centres/{centre}/capabilities/{code}", response_model=CentreCapability, summary="Read a capability of a centre"
)
async def read_centre_capability(service: Reads, access: Reader, centre: CentrePath, code: CodePath) -> Response:
    """Return one capability of a centre, with its state of today."""
    return _answer(await service.find(centre, code, access.principal), service)


@router.get("/centres/{centre}/capabilities/{code}/history", summary="List the versions of a capability")
async def list_capability_versions(
    service: Reads, access: Insider, centre: CentrePath, code: CodePath
) -> CapabilityHistory:
    """List all that was stated of a capability, for those who may see its evidence."""
    found = await service.history(centre, code, access.principal)
    return CapabilityHistory(items=[CapabilityVersionDocument.of(one, service.today) for one in found])


@router.put(
    "/centres/{centre}/capabilities/{code}",
    response_model=CentreCapability,
    responses={201: {"model": CentreCapability}},
    summary="State a capability of a centre",
)
@accepts()
async def write_capability(
    if_match: IfMatch, given: CapabilityInput, service: Writes, access: Writer, centre: CentrePath, code: CodePath
) -> Response:
    """State a capability (`If-None-Match: *`) or replace a version (`If-Match`). A centre may write its own only."""
    expected = precondition_of(if_match)
    written = await service.put(centre, code, given, access, expected, author_of(access.principal).name)
    return _answer(written, service, created=expected.creates)


@router.delete("/centres/{centre}/capabilities/{code}", status_code=204, summary="Remove a capability of a centre")
async def remove_capability(
    if_match: IfMatch, service: Writes, access: Writer, centre: CentrePath, code: CodePath
) -> None:
    """Remove a capability (`If-Match`): nothing is known of it any more. Its versions stay."""
    expected = Precondition(version=if_match.required_version())
    await service.remove(centre, code, access, expected, author_of(access.principal).name)


def _answer(one: Capability, service: CapabilityService, *, created: bool = False) -> Response:
    return answer(CentreCapability.of(one, service.today), one.version, created=created)
