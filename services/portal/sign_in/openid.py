"""The portal as a client of an OpenID provider: authorization code with PKCE (RFC 6749, 7636, 7009, 8707, 9207)."""

import base64
import hmac
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic, time
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from services.portal.sessions.model import Tokens
from services.portal.sign_in.flows import Flow
from services.portal.sign_in.problems import ProviderUnavailableError, SignInFailedError, SignInRefusedError
from shared.access.fetched_keys import FetchedKeys, KeysUnavailableError
from shared.access.id_tokens import check_id_token, key_id_of
from shared.access.openid_documents import PACE, OpenIdDocuments
from shared.access.tokens import InvalidTokenError
from shared.clients.outbound import OutboundClient, OutboundError

logger = logging.getLogger(__name__)

MAX_ANSWER = 64 * 1024
# How long the configuration of the provider is used before it is fetched again.
CONFIGURATION_SECONDS = 600.0
# The lifetime of an access token whose provider does not say it.
UNSTATED_LIFETIME = 300
_OK, _SERVER_ERROR = 200, 500


@dataclass(frozen=True, slots=True)
class Registration:
    """How the portal is registered at the provider. ``secret``: empty for a public client.

    ``audience``: that of the API, which access tokens must have. ``redirect``: where answers arrive; ``home``: where
    a sign-out ends.
    """

    issuer: str
    client: str
    secret: str
    audience: str
    scope: str
    redirect: str
    home: str


class OpenIdProvider:
    """One provider."""

    def __init__(self, registration: Registration, outbound: OutboundClient) -> None:
        self._registered = registration
        self._outbound = outbound
        self._documents = OpenIdDocuments(registration.issuer, outbound)
        self._keys = FetchedKeys(self._documents.keys, PACE)
        self._configuration: Mapping[str, Any] = {}
        self._configured_at = float("-inf")

    async def address(self, flow: Flow) -> str:
        """Return the address at the provider where a sign-in begins.

        :raises ProviderUnavailableError: 503.
        """
        configuration = await self._configured()
        query = {
            "response_type": "code",
            "client_id": self._registered.client,
            "redirect_uri": self._registered.redirect,
            "scope": self._registered.scope,
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": flow.challenge,
            "code_challenge_method": "S256",
            "resource": self._registered.audience,
        }
        if "offline_access" in self._registered.scope.split():
            query["prompt"] = "consent"  # without it a provider ignores the scope
        return _with_query(str(configuration.get("authorization_endpoint", "")), query)

    async def finish(self, flow: Flow | None, given: Mapping[str, str]) -> Tokens:
        """Return the tokens for the provider's answer ``given`` to a sign-in.

        :raises SignInFailedError: 400, the answer does not belong to this sign-in.
        :raises SignInRefusedError: 403, the provider refused.
        :raises ProviderUnavailableError: 503.
        """
        if flow is None or not hmac.compare_digest(given.get("state", "").encode(), flow.state.encode()):
            raise _failed("state")
        configuration = await self._configured()
        named = configuration.get("authorization_response_iss_parameter_supported") is True
        if (named or "iss" in given) and given.get("iss") != self._registered.issuer:
            raise _failed("iss")
        if "error" in given:
            raise SignInRefusedError
        form = {
            "grant_type": "authorization_code",
            "code": given.get("code", ""),
            "redirect_uri": self._registered.redirect,
            "code_verifier": flow.verifier,
            "resource": self._registered.audience,
        }
        answer = await self._post("token_endpoint", form)
        if answer is None:
            raise _failed("code")
        identity = str(answer.get("id_token", ""))
        await self._check_identity(identity, flow.nonce)
        return _tokens(answer, identity)

    async def renew(self, tokens: Tokens) -> Tokens | None:
        """Return new tokens for a refresh token; None: the provider refuses."""
        form = {
            "grant_type": "refresh_token",
            "refresh_token": tokens.refresh,
            "resource": self._registered.audience,
        }
        answer = await self._post("token_endpoint", form)
        return None if answer is None else _tokens(answer, tokens.identity, tokens.refresh)

    async def end(self, tokens: Tokens) -> str | None:
        """Revoke the tokens, and return the address that ends the session at the provider; None: it has none."""
        try:
            configuration = await self._configured()
            if configuration.get("revocation_endpoint"):
                await self._post("revocation_endpoint", {"token": tokens.refresh or tokens.access})
        except ProviderUnavailableError:
            return None  # the session of the portal is over all the same
        endpoint = configuration.get("end_session_endpoint")
        query = {
            "id_token_hint": tokens.identity,
            "client_id": self._registered.client,
            "post_logout_redirect_uri": self._registered.home,
        }
        return _with_query(str(endpoint), query) if endpoint else None

    async def _check_identity(self, token: str, nonce: str) -> None:
        try:
            keys = await self._keys.having(key_id_of(token))
            check_id_token(
                token,
                keys,
                issuer=self._registered.issuer,
                client=self._registered.client,
                nonce=nonce,
                now=int(time()),
            )
        except KeysUnavailableError:
            raise ProviderUnavailableError from None
        except InvalidTokenError as error:
            raise _failed(error.reason) from None

    async def _configured(self) -> Mapping[str, Any]:
        if monotonic() - self._configured_at > CONFIGURATION_SECONDS:
            try:
                self._configuration = await self._documents.configuration()
            except KeysUnavailableError as error:
                logger.warning("provider_unavailable", extra={"code": error.reason})
                raise ProviderUnavailableError from None
            self._configured_at = monotonic()
        return self._configuration

    async def _post(self, endpoint: str, form: Mapping[str, str]) -> dict[str, Any] | None:
        """Send a form to an endpoint as the registered client; None: it refuses."""
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        client, secret = self._registered.client, self._registered.secret
        sent = {**form, "client_id": client}
        configuration = await self._configured()
        if secret and "client_secret_basic" in configuration.get(
            "token_endpoint_auth_methods_supported", ["client_secret_basic"]
        ):
            pair = f"{quote(client, safe='')}:{quote(secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        elif secret:
            sent["client_secret"] = secret
        try:
            answer = await self._outbound.send(
                "POST",
                str(configuration.get(endpoint, "")),
                headers=headers,
                body=urlencode(sent).encode(),
                max_answer=MAX_ANSWER,
            )
        except OutboundError as error:
            logger.warning("provider_unavailable", extra={"code": error.code})
            raise ProviderUnavailableError from None
        if answer.status >= _SERVER_ERROR:
            raise ProviderUnavailableError
        return _object(answer.body) if answer.status == _OK else None


def _tokens(answer: Mapping[str, Any], identity: str, refresh: str = "") -> Tokens:
    access, lifetime = answer.get("access_token"), answer.get("expires_in")
    if not isinstance(access, str) or str(answer.get("token_type", "")).lower() != "bearer":
        raise _failed("no_access_token")
    seconds = lifetime if isinstance(lifetime, int) and lifetime > 0 else UNSTATED_LIFETIME
    renewed = answer.get("refresh_token")
    return Tokens("openid", access, int(time()) + seconds, renewed if isinstance(renewed, str) else refresh, identity)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise ProviderUnavailableError from None
    return found if isinstance(found, dict) else {}


def _failed(reason: str) -> SignInFailedError:
    """Log why a sign-in failed, in one word; the browser does not learn it."""
    logger.info("sign_in_failed", extra={"code": reason})
    return SignInFailedError()


def _with_query(address: str, query: Mapping[str, str]) -> str:
    parts = urlsplit(address)
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, urlencode(query)))), fragment=""))
