"""What an OpenID provider publishes about itself: its configuration and its keys (OpenID Connect Discovery 1.0)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.access.fetched_keys import KeysUnavailableError, Pace
from shared.clients.outbound import OutboundClient, OutboundError

ALGORITHMS = ("RS256", "ES256", "PS256", "RS384", "ES384")
# Keys are fetched again after 600 s, for an unknown kid after 10 s; while the provider is down they serve for an hour.
PACE = Pace(held=600.0, renewed_after=10.0, retried_after=5.0, stale=3600.0)
MAX_BYTES = 128 * 1024
_OK = 200


@dataclass(frozen=True, slots=True)
class OpenIdDocuments:
    """Fetches the documents of one provider."""

    issuer: str
    outbound: OutboundClient

    async def configuration(self) -> dict[str, Any]:
        """Fetch the configuration.

        :raises KeysUnavailableError: it cannot be fetched, or is that of another issuer.
        """
        document = await self._fetch(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if document.get("issuer") != self.issuer or not isinstance(document.get("jwks_uri"), str):
            raise KeysUnavailableError("another_issuer")
        return document

    async def keys(self) -> list[Mapping[str, Any]]:
        """Fetch the public keys.

        :raises KeysUnavailableError: they cannot be fetched.
        """
        keys = (await self._fetch((await self.configuration())["jwks_uri"])).get("keys")
        if not isinstance(keys, list):
            raise KeysUnavailableError("no_keys")
        return [key for key in keys if isinstance(key, Mapping)]

    async def _fetch(self, url: str) -> dict[str, Any]:
        try:
            answer = await self.outbound.send("GET", url, headers={"Accept": "application/json"}, max_answer=MAX_BYTES)
            document = json.loads(answer.body)
        except (OutboundError, ValueError, RecursionError) as error:
            raise KeysUnavailableError(type(error).__name__) from None
        if answer.status != _OK or not isinstance(document, dict):
            raise KeysUnavailableError("unanswered")
        return document
