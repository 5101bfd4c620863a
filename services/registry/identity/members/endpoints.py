"""Members: the people who act for an organisation."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from services.registry.identity.members.schemas import Member, MemberInput, MemberPage, MemberUpdate
from services.registry.identity.members.service import MemberService
from services.registry.identity.organisations.schemas import OrganisationPath
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.paging import Cursor, Limit, close_page, open_page
from shared.http.route import ApiRoute, accepts
from shared.http.versions import IfMatch, IfNoneMatch, etag
from shared.idempotency import idempotent
from shared.persistence import Reading, Writing

router = APIRouter(prefix="/registry/v1/organisations/{organisation}", route_class=ApiRoute, tags=["members"])

Reader = Annotated[Access, Depends(allow("member", "read"))]
Writer = Annotated[Access, Depends(allow("member", "write"))]
MemberPath = Annotated[str, Path(max_length=36)]
BODY_BYTES = 16 * 1024


@router.post("/members", response_model=Member, status_code=201)
@idempotent()
@accepts(body_bytes=BODY_BYTES)
async def add_member(
    given: MemberInput, connection: Writing, access: Writer, organisation: OrganisationPath
) -> Response:
    """Let a person act for the organisation, with the rights of the given roles."""
    created = await MemberService(connection, access).create(organisation, given)
    return _answer(created, 201, Location=f"/registry/v1/organisations/{organisation}/members/{created.id}")


@router.api_route("/members", methods=["GET", "HEAD"])
async def list_members(
    request: Request,
    response: Response,
    connection: Reading,
    access: Reader,
    organisation: OrganisationPath,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> MemberPage:
    """List the organisation's members, including revoked ones."""
    after = open_page(request, cursor)
    rows = await MemberService(connection, access).page(organisation, after[0] if after else None, limit + 1)
    page = rows[:limit]
    return MemberPage(items=page, next=close_page(request, response, [page[-1].id] if len(rows) > limit else None))


@router.api_route("/members/{member}", methods=["GET", "HEAD"], response_model=Member)
async def read_member(
    cached: IfNoneMatch, connection: Reading, access: Reader, organisation: OrganisationPath, member: MemberPath
) -> Response:
    """Read one member."""
    found = await MemberService(connection, access).get(organisation, member)
    return cached.unchanged(found.version) or _answer(found)


@router.put("/members/{member}", response_model=Member)
@accepts(body_bytes=BODY_BYTES)
async def replace_member(
    if_match: IfMatch,
    given: MemberUpdate,
    connection: Writing,
    access: Writer,
    organisation: OrganisationPath,
    member: MemberPath,
) -> Response:
    """Replace the roles of a member (`If-Match`)."""
    service = MemberService(connection, access)
    return _answer(await service.replace(organisation, member, given, if_match.required_version()))


@router.delete("/members/{member}", status_code=204)
async def revoke_member(
    if_match: IfMatch, connection: Writing, access: Writer, organisation: OrganisationPath, member: MemberPath
) -> None:
    """Revoke a member (`If-Match`): the person can no longer act for the organisation, within seconds."""
    await MemberService(connection, access).revoke(organisation, member, if_match.required_version())


def _answer(member: Member, status: int = 200, **headers: str) -> Response:
    return Response(member.model_dump_json(), status, {"ETag": etag(member.version), **headers}, "application/json")
