"""The built-in issuer over HTTP: tokens, keys, discovery; and who the caller is."""

import logging
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from services.registry.identity.tokens.assertions import ALGORITHMS, read_request
from services.registry.identity.tokens.keys import SigningKeys
from services.registry.identity.tokens.problems import TokenRefusedError
from services.registry.identity.tokens.schemas import (
    Discovery,
    KeyIds,
    KeySet,
    Self,
    SmartConfiguration,
    TokenAnswer,
    TokenError,
)
from services.registry.identity.tokens.service import TokenService
from services.registry.settings import RegistrySettings
from shared.access.policy import SCOPED, TABLE, Access, scope_of
from shared.access.principal import Principal
from shared.http.context import context_of
from shared.http.guards import allow
from shared.http.route import ApiRoute, accepts
from shared.idempotency import repeatable
from shared.persistence import Database
from shared.values.problems import NotFoundError

logger = logging.getLogger(__name__)
router = APIRouter(route_class=ApiRoute, tags=["identity"])

Asker = Annotated[Access, Depends(allow("token", "write"))]
Discoverer = Annotated[Access, Depends(allow("discovery", "read"))]
Rotator = Annotated[Access, Depends(allow("signing_key", "write"))]
Caller = Annotated[Access, Depends(allow("self", "read"))]
Compromised = Annotated[
    bool,
    Query(
        description="Somebody else may hold the keys: make new ones, and believe nothing that the present ones signed."
    ),
]
FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {"type": "object", "additionalProperties": {"type": "string"}}
            }
        },
    }
}
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


@router.post(
    "/oauth/token",
    response_model=TokenAnswer,
    responses={400: {"model": TokenError}, 401: {"model": TokenError}},
    openapi_extra=FORM,
)
@repeatable("each call needs an assertion of its own, which serves once")
@accepts("application/x-www-form-urlencoded", body_bytes=64 * 1024)
async def take_token(request: Request, access: Asker) -> Response:
    """An access token for a client that signs an assertion (`private_key_jwt`); each assertion serves once."""
    settings: RegistrySettings = request.app.state.settings
    if not settings.builtin_issuer:
        raise NotFoundError
    desk: TokenService = request.app.state.token_service
    database: Database = request.app.state.database
    try:
        asked = read_request(await request.body(), "authorization" in request.headers)
        held, jti, exp = await desk.identify(asked)
        # From here on it is this client that calls: the record says so.
        context_of(request).principal = Principal(
            held.kind, organisation=held.client.organisation, client=held.client.id
        )
        async with database.transaction(as_service=True) as connection:
            answer = await desk.answer(connection, asked, held, jti, exp)
    except TokenRefusedError as error:
        logger.info("token_refused", extra={"code": error.reason})
        challenge = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
        return Response(
            TokenError(error=error.code).model_dump_json(), error.status, {**NO_STORE, **challenge}, "application/json"
        )
    return Response(answer.model_dump_json(), 200, NO_STORE, "application/json")


@router.api_route("/.well-known/jwks.json", methods=["GET", "HEAD"])
async def read_keys(request: Request, response: Response, access: Discoverer) -> KeySet:
    """The public keys of the issuer: the one that signs, the one that will, and those whose tokens still live."""
    keys: SigningKeys = request.app.state.signing_keys
    response.headers["Cache-Control"] = "public, max-age=60"
    return KeySet(keys=await keys.public())


@router.api_route("/.well-known/oauth-authorization-server", methods=["GET", "HEAD"])
async def discover(request: Request, access: Discoverer) -> Discovery:
    """Where tokens are had and how (RFC 8414)."""
    return _discovery(request)


@router.api_route("/.well-known/smart-configuration", methods=["GET", "HEAD"])
async def discover_smart(request: Request, access: Discoverer) -> SmartConfiguration:
    """The same, as SMART Backend Services look for it."""
    return SmartConfiguration(
        **dict(_discovery(request)),
        capabilities=["client-confidential-asymmetric"],
        code_challenge_methods_supported=["S256"],
    )


def _discovery(request: Request) -> Discovery:
    settings: RegistrySettings = request.app.state.settings
    if not settings.builtin_issuer:
        raise NotFoundError
    return Discovery(
        issuer=settings.issuer,
        token_endpoint=settings.token_url,
        jwks_uri=f"{settings.issuer}/.well-known/jwks.json",
        grant_types_supported=["client_credentials"],
        response_types_supported=[],
        token_endpoint_auth_methods_supported=["private_key_jwt"],
        token_endpoint_auth_signing_alg_values_supported=list(ALGORITHMS),
        scopes_supported=sorted(scope_of(resource, action) for resource, action in TABLE if resource in SCOPED),
    )


@router.post("/registry/v1/signing-keys/rotate")
@repeatable("a second rotation is refused as long as the key that the first one announced is not known everywhere")
async def rotate_keys(request: Request, access: Rotator, compromised: Compromised = False) -> KeyIds:
    """Let the announced key sign, and announce another. No token is refused for it, unless a key is told to be compromised.

    409 `signing_key_too_new` within ten seconds after the last rotation: not everybody can know the announced key yet.
    """
    state = request.app.state
    keys: SigningKeys = state.signing_keys
    database: Database = state.database
    async with database.transaction(as_service=True) as connection:
        kids = await (keys.replace(connection) if compromised else keys.rotate(connection))
    await state.callers.directory.look_at_keys()
    return KeyIds(kids=kids)


@router.api_route("/registry/v1/me", methods=["GET", "HEAD"])
async def read_self(access: Caller) -> Self:
    """Who the caller is, to the system, and what it may do."""
    caller = access.principal
    return Self(
        kind=caller.kind,
        organisation=caller.organisation or "",
        client=caller.client,
        human=caller.human,
        centre=caller.centre,
        roles=sorted(caller.roles),
        scopes=None if caller.scopes is None else sorted(caller.scopes),
    )
