"""Access tokens, the issuer's public keys and metadata, and the caller's own rights."""

import logging
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from services.registry.identity.tokens.assertions import ALGORITHMS, ASSERTION_TYPE, read_request
from services.registry.identity.tokens.issuer import Issuer, TokenIssuer
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
from services.registry.identity.tokens.service import AuthenticatedClient
from shared.access.address import on_loopback
from shared.access.policy import SCOPED, TABLE, Access, authorize, scope_of
from shared.access.principal import Principal
from shared.http.context import context_of
from shared.http.guards import Guard, allow
from shared.http.route import ApiRoute, accepts
from shared.idempotency import repeatable
from shared.values.problems import NotFoundError

logger = logging.getLogger(__name__)
router = APIRouter(route_class=ApiRoute, tags=["identity"])


class TokenGuard(Guard):
    """Lets anyone call: the endpoint authenticates its clients itself.

    An `Authorization` header is not verified here, so that one that is wrong gets an OAuth error.
    """

    async def authorize(self, request: Request) -> Access:
        context = context_of(request)
        context.principal = principal = Principal("public", on_loopback(request))
        access = authorize(principal, self.action, self.resource)
        context.decision = (self, access)
        return access


Requester = Annotated[Access, Depends(TokenGuard("token", "write"))]
Discoverer = Annotated[Access, Depends(allow("discovery", "read"))]
Rotator = Annotated[Access, Depends(allow("signing_key", "write"))]
Caller = Annotated[Access, Depends(allow("self", "read"))]
Compromised = Annotated[
    bool,
    Query(
        description="The keys may be compromised: replace both, and refuse every token signed with the present ones."
    ),
]
FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": ["grant_type", "client_assertion_type", "client_assertion"],
                    "properties": {
                        "grant_type": {"type": "string", "const": "client_credentials"},
                        "client_assertion_type": {"type": "string", "const": ASSERTION_TYPE},
                        "client_assertion": {"type": "string", "description": "A JWT signed by the client (RFC 7523)."},
                        "scope": {
                            "type": "string",
                            "description": "Scopes separated by single spaces; all of the client's by default.",
                        },
                        "resource": {
                            "type": "string",
                            "description": "A service that the token is for (RFC 8707), as `urn:cleio:matching`."
                            " May be repeated; by default all services that the scopes are for.",
                        },
                        "client_id": {"type": "string", "description": "Optional: the `sub` of the assertion."},
                    },
                    "additionalProperties": {"type": "string"},
                }
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
@repeatable("each request needs a new assertion, because an assertion is accepted once")
@accepts("application/x-www-form-urlencoded", body_bytes=64 * 1024)
async def take_token(request: Request, access: Requester, issuer: TokenIssuer) -> Response:
    """Issue an access token to a client that signs an assertion (`private_key_jwt`). An assertion is accepted once."""
    if not issuer.enabled:
        raise NotFoundError
    try:
        asked = read_request(await request.body(), "authorization" in request.headers)
        client = await issuer.tokens.authenticate(asked)
        _set_caller(request, client)
        answer = await issuer.tokens.issue(asked, client)
    except TokenRefusedError as error:
        return _refuse(request, error)
    return Response(answer.model_dump_json(), 200, NO_STORE, "application/json")


def _set_caller(request: Request, client: AuthenticatedClient) -> None:
    """Make the audit log name the client, which no `Authorization` header identifies here."""
    context_of(request).principal = client.principal


def _refuse(request: Request, error: TokenRefusedError) -> Response:
    logger.info("token_refused", extra={"code": error.reason})
    # RFC 6749 §5.2: the challenge matches the scheme that the client used.
    scheme = request.headers.get("authorization", "").partition(" ")[0].lower()
    challenge = 'Basic realm="cleio"' if scheme == "basic" else "Bearer"
    headers = {**NO_STORE, **({"WWW-Authenticate": challenge} if error.status == 401 else {})}
    body = TokenError(error=error.code, error_description=error.description)
    return Response(body.model_dump_json(), error.status, headers, "application/json")


@router.api_route("/.well-known/jwks.json", methods=["GET", "HEAD"])
async def read_keys(response: Response, access: Discoverer, issuer: TokenIssuer) -> KeySet:
    """Read the issuer's public keys: the active one, the next one, and retired ones whose tokens are still valid."""
    response.headers["Cache-Control"] = "public, max-age=60"
    return KeySet(keys=await issuer.keys.public())


@router.api_route("/.well-known/oauth-authorization-server", methods=["GET", "HEAD"])
async def discover(access: Discoverer, issuer: TokenIssuer) -> Discovery:
    """Read the metadata of the authorization server (RFC 8414)."""
    return _discovery(issuer)


@router.api_route("/.well-known/smart-configuration", methods=["GET", "HEAD"])
async def discover_smart(access: Discoverer, issuer: TokenIssuer) -> SmartConfiguration:
    """Read the same metadata in the form of SMART Backend Services."""
    return SmartConfiguration(
        **dict(_discovery(issuer)),
        capabilities=["client-confidential-asymmetric"],
        code_challenge_methods_supported=["S256"],
    )


def _discovery(issuer: Issuer) -> Discovery:
    if not issuer.enabled:
        raise NotFoundError
    return Discovery(
        issuer=issuer.url,
        token_endpoint=issuer.token_url,
        jwks_uri=f"{issuer.url}/.well-known/jwks.json",
        grant_types_supported=["client_credentials"],
        response_types_supported=[],
        token_endpoint_auth_methods_supported=["private_key_jwt"],
        token_endpoint_auth_signing_alg_values_supported=list(ALGORITHMS),
        scopes_supported=sorted(scope_of(resource, action) for resource, action in TABLE if resource in SCOPED),
    )


@router.post("/registry/v1/signing-keys/rotate")
@repeatable("a second rotation is refused until the next key has been published for ten seconds")
async def rotate_keys(access: Rotator, issuer: TokenIssuer, compromised: Compromised = False) -> KeyIds:
    """Activate the next signing key and publish another one. Existing tokens stay valid, unless `compromised` is set.

    409 `signing_key_too_new`: the next key was published less than ten seconds ago, so caches may not have it yet.
    """
    kids = await (issuer.keys.replace() if compromised else issuer.keys.rotate())
    await issuer.directory.look_at_keys()
    return KeyIds(kids=kids)


@router.api_route("/registry/v1/me", methods=["GET", "HEAD"])
async def read_self(access: Caller) -> Self:
    """Read who the caller is to the system, and what it may do."""
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
