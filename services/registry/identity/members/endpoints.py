"""Members over HTTP."""

import uuid
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from services.registry.identity.clients.service import check_own, check_roles, revocations
from services.registry.identity.members.problems import MemberRevokedError
from services.registry.identity.members.repository import MemberRepository
from services.registry.identity.members.schemas import Member, MemberInput, MemberPage, MemberUpdate
from services.registry.identity.organisations.endpoints import OrganisationPath, check_active, found_organisation
from services.registry.schema import FEED
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.paging import Cursor, Limit, close_page, open_page
from shared.http.route import ApiRoute, accepts
from shared.http.versions import etag, required_version, unchanged
from shared.idempotency import idempotent
from shared.persistence import Reading, Writing
from shared.values.problems import NotFoundError, StaleVersionError

router = APIRouter(prefix="/registry/v1/organisations/{organisation}", route_class=ApiRoute, tags=["members"])

Reader = Annotated[Access, Depends(allow("member", "read"))]
Writer = Annotated[Access, Depends(allow("member", "write"))]
MemberPath = Annotated[str, Path(max_length=36)]
BODY_BYTES = 16 * 1024


async def _found(connection: Any, access: Access, organisation: str, member: str) -> Member:
    await found_organisation(connection, access, organisation)
    found = await MemberRepository(connection).get(organisation, member)
    if found is None:
        raise NotFoundError
    return found


@router.post("/members", response_model=Member, status_code=201)
@idempotent()
@accepts(body_bytes=BODY_BYTES)
async def add_member(
    given: MemberInput, connection: Writing, access: Writer, organisation: OrganisationPath
) -> Response:
    """Let a person act for the organisation, with the rights of these roles."""
    owner = await found_organisation(connection, access, organisation)
    check_roles(given.roles, owner, access)
    now = datetime.now(UTC)
    made = Member(
        id=str(uuid.uuid4()),
        version=1,
        organisation=organisation,
        status="active",
        created_at=now,
        updated_at=now,
        **dict(given),
    )
    await MemberRepository(connection).add(made)
    await check_active(connection, access, organisation)
    return _answer(made, 201, Location=f"/registry/v1/organisations/{organisation}/members/{made.id}")


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
    """The organisation's members, revoked ones too."""
    await found_organisation(connection, access, organisation)
    after = open_page(request, cursor)
    rows = await MemberRepository(connection).page(organisation, after[0] if after else None, limit + 1)
    page = rows[:limit]
    return MemberPage(items=page, next=close_page(request, response, [page[-1].id] if len(rows) > limit else None))


@router.api_route("/members/{member}", methods=["GET", "HEAD"], response_model=Member)
async def read_member(
    request: Request, connection: Reading, access: Reader, organisation: OrganisationPath, member: MemberPath
) -> Response:
    """One member."""
    found = await _found(connection, access, organisation, member)
    return unchanged(request, found.version) or _answer(found)


@router.put("/members/{member}", response_model=Member)
@accepts(body_bytes=BODY_BYTES)
async def replace_member(
    request: Request,
    given: MemberUpdate,
    connection: Writing,
    access: Writer,
    organisation: OrganisationPath,
    member: MemberPath,
) -> Response:
    """Other roles for a member (`If-Match`)."""
    held = await _found(connection, access, organisation, member)
    owner = await found_organisation(connection, access, organisation)
    check_own(owner, access)
    check_roles(given.roles, owner, access)
    return _answer(await _changed(request, connection, held, {"roles": given.roles}))


@router.delete("/members/{member}", status_code=204)
async def revoke_member(
    request: Request, connection: Writing, access: Writer, organisation: OrganisationPath, member: MemberPath
) -> None:
    """Let a person act for the organisation no more (`If-Match`); within seconds, wherever it is signed in."""
    held = await _found(connection, access, organisation, member)
    await _changed(request, connection, held, {"status": "revoked"})


async def _changed(request: Request, connection: Any, held: Member, update: dict[str, Any]) -> Member:
    if required_version(request) not in {None, held.version}:
        raise StaleVersionError
    if held.status == "revoked":
        raise MemberRevokedError
    now = datetime.now(UTC)
    following = held.model_copy(update={**update, "version": held.version + 1, "updated_at": now})
    if not await MemberRepository(connection).replace(following, held.version, now):
        raise StaleVersionError
    FEED.record(connection, *revocations(held.organisation, [(held.id, following.version)]))
    return following


def _answer(member: Member, status: int = 200, **headers: str) -> Response:
    return Response(member.model_dump_json(), status, {"ETag": etag(member.version), **headers}, "application/json")
