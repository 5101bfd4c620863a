"""States and owners of trials over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from services.registry.centres.repository import CentreRepository
from services.registry.states.schemas import ActionInput, OwnerInput, StateDocument
from services.registry.states.service import StateService
from services.registry.trials.repository import TrialRepository
from services.registry.trials.service import TrialService, author_of
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.route import ApiRoute, accepts
from shared.idempotency.marks import idempotent
from shared.persistence import Reading, Writing

router = APIRouter(prefix="/registry/v1", route_class=ApiRoute, tags=["trials"])


def _reading_service(request: Request, connection: Reading) -> StateService:
    return StateService(
        TrialService(TrialRepository(connection), CentreRepository(connection), request.app.state.trial_rules)
    )


def _writing_service(request: Request, connection: Writing) -> StateService:
    return StateService(
        TrialService(TrialRepository(connection), CentreRepository(connection), request.app.state.trial_rules)
    )


Reads = Annotated[StateService, Depends(_reading_service)]
Writes = Annotated[StateService, Depends(_writing_service)]
Reader = Annotated[Access, Depends(allow("statement", "read"))]
Writer = Annotated[Access, Depends(allow("trial", "write"))]
Identifier = Annotated[str, Path(max_length=100, description="The `id` of the trial, or any of its numbers.")]


@router.get("/trials/{identifier}/state", summary="Read where a trial stands")
async def read_state(service: Reads, access: Reader, identifier: Identifier) -> StateDocument:
    """Return state and owner of a trial, what can be done, and what was decided by whom."""
    return await service.read(identifier, access.rows)


@router.post("/trials/{identifier}/state", summary="Publish, withdraw, archive or restore a trial")
@accepts()
@idempotent()
async def change_state(service: Writes, access: Writer, identifier: Identifier, given: ActionInput) -> StateDocument:
    """Change the state of a trial. What takes one person has effect at once.

    To publish takes two people who ask for it while conditions, product and status stay the same; what the scope gate
    accepts by itself needs no one. Someone who publishes a trial also decides that it is in scope.
    """
    return await service.act(identifier, given, access)


@router.post("/trials/{identifier}/owner", summary="Transfer a trial to another owner")
@accepts()
@idempotent()
async def transfer_owner(service: Writes, access: Writer, identifier: Identifier, given: OwnerInput) -> StateDocument:
    """Make another organisation responsible for a trial. Only the coordination sees owners."""
    return await service.transfer(identifier, given, author_of(access.principal).name, access.rows)
