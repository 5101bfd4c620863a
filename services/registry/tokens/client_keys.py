"""The public keys of a client that publishes them at a URL: fetched through the guarded client, held for a while, renewed for a new kid."""

import json
import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any

from services.registry.clients.keys import KeySetError, read_key_set
from services.registry.clients.schemas import Client
from services.registry.tokens.problems import TokenRefusedError
from shared.outbound import OutboundClient, OutboundError

logger = logging.getLogger(__name__)

HELD_SECONDS = 300.0
RENEWED_AFTER = 30.0  # an unknown kid makes no client's server be asked more often
MOST_HELD = 1_000
LARGEST = 64 * 1024


class ClientKeySets:
    """Where a client's assertions are checked against: its registration, or the URL that it registered."""

    def __init__(self, outbound: OutboundClient) -> None:
        self._outbound = outbound
        self._held: OrderedDict[str, tuple[float, list[dict[str, str]]]] = OrderedDict()

    async def of(self, client: Client, kid: str) -> Sequence[Mapping[str, Any]]:
        """Public JWKs.

        :raises TokenRefusedError: the client's server does not tell them.
        """
        if client.jwks_url is None:
            return list((client.jwks or {}).get("keys", ()))
        fetched, keys = self._held.get(client.jwks_url, (-HELD_SECONDS, []))
        age = monotonic() - fetched
        if age > HELD_SECONDS or (age > RENEWED_AFTER and all(key["kid"] != kid for key in keys)):
            keys = await self._fetch(client.jwks_url)
            self._held[client.jwks_url] = (monotonic(), keys)
            if len(self._held) > MOST_HELD:
                self._held.popitem(last=False)
        return keys

    async def _fetch(self, url: str) -> list[dict[str, str]]:
        try:
            answer = await self._outbound.send("GET", url, headers={"Accept": "application/json"}, max_answer=LARGEST + 1)
            if answer.status != 200 or not answer.complete or len(answer.body) > LARGEST:
                raise TokenRefusedError("invalid_client", "key_set_unanswered")
            return read_key_set(json.loads(answer.body))
        except OutboundError as error:
            raise TokenRefusedError("invalid_client", f"key_set_{error.code}") from None
        except (ValueError, RecursionError, AttributeError, KeySetError):
            raise TokenRefusedError("invalid_client", "key_set_unreadable") from None
