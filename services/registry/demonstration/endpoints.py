"""Internal routes of demonstration users, for the portal's sign-in on a developer's machine."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from services.registry.demonstration.schemas import DemonstrationUsers
from services.registry.demonstration.service import DemonstrationService
from services.registry.identity.tokens.issuer import TokenIssuer
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.route import ApiRoute
from shared.idempotency import repeatable

router = APIRouter(prefix="/registry/v1/internal/demonstration-users", route_class=ApiRoute, tags=["internal"])
Reader = Annotated[Access, Depends(allow("demonstration", "read"))]
Issuing = Annotated[Access, Depends(allow("demonstration", "write"))]
User = Annotated[str, Path(max_length=64, description="The id of the user.")]


def _service(request: Request, issuer: TokenIssuer) -> DemonstrationService:
    state = request.app.state
    return DemonstrationService(state.database, issuer, with_sample=state.settings.load_sample)


Demonstration = Annotated[DemonstrationService, Depends(_service)]


@router.get("", summary="List the demonstration users")
async def list_users(access: Reader, service: Demonstration) -> DemonstrationUsers:
    """List the demonstration users. 404 where the sample is not loaded or other machines can call."""
    return DemonstrationUsers(items=await service.users())


@router.post("/{user}/tokens", status_code=201, summary="Issue a token of a demonstration user")
@repeatable("a second token has the same rights, and both expire within five minutes")
async def issue_token(access: Issuing, service: Demonstration, user: User) -> Response:
    """Issue an access token of a demonstration user."""
    token = await service.token(user)
    return Response(token.model_dump_json(), 201, {"Cache-Control": "no-store"}, "application/json")
