"""The public keys of clients: registered ones, or those that a client publishes at a URL."""

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
MAX_CACHED = 1_000
MAX_BYTES = 64 * 1024


class ClientKeySets:
    """Finds public keys, and caches those fetched from URLs (the least recently used are dropped)."""

    def __init__(self, outbound: OutboundClient) -> None:
        self._outbound = outbound
        self._cached: OrderedDict[str, FetchedKeys] = OrderedDict()

    async def get(self, client: Client, kid: str) -> Sequence[Jwk]:
        """Return the client's public JWKs, fetched again if none of the cached ones is called ``kid``.

        :raises TokenRefusedError: the client's server does not return them.
        """
        if client.jwks_url is None:
            return list((client.jwks or {}).get("keys", ()))
        keys = self._cached.setdefault(client.jwks_url, FetchedKeys(partial(self._fetch, client.jwks_url), PACE))
        self._cached.move_to_end(client.jwks_url)
        if len(self._cached) > MAX_CACHED:
            self._cached.popitem(last=False)
        try:
            return await keys.having(kid)
        except KeysUnavailableError as error:
            raise TokenRefusedError("invalid_client", error.reason) from None

    async def _fetch(self, url: str) -> list[dict[str, str]]:
        try:
            answer = await self._outbound.send(
                "GET", url, headers={"Accept": "application/json"}, max_answer=MAX_BYTES + 1
            )
            if answer.status != 200 or not answer.complete or len(answer.body) > MAX_BYTES:
                raise KeysUnavailableError("key_set_unanswered")
            return read_key_set(json.loads(answer.body))
        except OutboundError as error:
            raise KeysUnavailableError(f"key_set_{error.code}") from None
        except (ValueError, RecursionError, AttributeError, KeySetError):
            raise KeysUnavailableError("key_set_unreadable") from None
