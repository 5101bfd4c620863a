"""The public keys of a client: those of its registration, or those that it publishes at a URL, fetched through the guarded client."""

import json
from collections import OrderedDict
from collections.abc import Sequence
from functools import partial

from services.registry.identity.clients.keys import KeySetError, read_key_set
from services.registry.identity.clients.schemas import Client
from services.registry.identity.tokens.problems import TokenRefusedError
from shared.access.fetched_keys import FetchedKeys, Jwk, KeysUnavailableError, Pace
from shared.clients.outbound import OutboundClient, OutboundError

PACE = Pace()
MOST_HELD = 1_000
LARGEST = 64 * 1024


class ClientKeySets:
    """Where a client's assertions are checked against."""

    def __init__(self, outbound: OutboundClient) -> None:
        self._outbound = outbound
        self._held: OrderedDict[str, FetchedKeys] = OrderedDict()

    async def of(self, client: Client, kid: str) -> Sequence[Jwk]:
        """Public JWKs.

        :raises TokenRefusedError: the client's server does not tell them.
        """
        if client.jwks_url is None:
            return list((client.jwks or {}).get("keys", ()))
        held = self._held.setdefault(client.jwks_url, FetchedKeys(partial(self._fetch, client.jwks_url), PACE))
        self._held.move_to_end(client.jwks_url)
        if len(self._held) > MOST_HELD:
            self._held.popitem(last=False)
        try:
            return await held.having(kid)
        except KeysUnavailableError as error:
            raise TokenRefusedError("invalid_client", error.reason) from None

    async def _fetch(self, url: str) -> list[dict[str, str]]:
        try:
            answer = await self._outbound.send(
                "GET", url, headers={"Accept": "application/json"}, max_answer=LARGEST + 1
            )
            if answer.status != 200 or not answer.complete or len(answer.body) > LARGEST:
                raise KeysUnavailableError("key_set_unanswered")
            return read_key_set(json.loads(answer.body))
        except OutboundError as error:
            raise KeysUnavailableError(f"key_set_{error.code}") from None
        except (ValueError, RecursionError, AttributeError, KeySetError):
            raise KeysUnavailableError("key_set_unreadable") from None
