"""Where a service learns whom to believe: the issuer's public keys, what a key or a foreign token stands for, and who was revoked."""

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from time import monotonic, time
from typing import Any, Protocol

from shared.feed.consumer import FeedTail, HistoryRestartedError, run_for_ever
from shared.http import InternalClient
from shared.identity.principal import Credential
from shared.identity.tokens import LIFETIME

logger = logging.getLogger(__name__)

Jwk = Mapping[str, Any]

BASE = "/registry/v1/internal/identity"
REVOKED = "client.revoked"
# A key or a foreign token is looked up again after so long, and believed without the registry for as long as an access token.
FRESH_SECONDS = 60.0
MOST_HELD = 10_000
REFRESH_SECONDS = 5.0  # between two looks for keys that are not known
KEYS_SECONDS = 60.0  # after which the keys are learnt again: a retired one must not be believed for ever


class Directory(Protocol):
    """What `shared.identity.callers` asks."""

    async def keys(self, *, renewed: bool) -> Sequence[Jwk]:
        """The issuer's public keys; ``renewed`` where the held ones did not do.

        :raises OSError: nobody can tell at the moment.
        """

    async def introspect(self, credential: str) -> Credential | None:
        """What an API key or a token of another issuer stands for; None: nothing.

        :raises OSError: nobody can tell at the moment.
        """

    async def is_revoked(self, credential: Credential) -> bool:
        """Whether its client was revoked after it was made."""


class RemoteDirectory:
    """The registry's directory, asked over HTTP. Revocations come over its feed; what was learnt serves on while the registry is down."""

    def __init__(self, client: InternalClient, feed_wait: int = 20) -> None:
        self._client = client
        self._wait = feed_wait
        self._keys: list[Jwk] = []
        self._looked_at = -REFRESH_SECONDS
        self._following: str | None = None
        self._revoked: dict[str, float] = {}
        self._held: OrderedDict[bytes, tuple[float, Credential]] = OrderedDict()
        self._revocations = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(run_for_ever(self.step, "revocations"))

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def step(self) -> None:
        """Learn the present state, then wait for one batch of revocations."""
        if self._following is None:
            state = await self._client.ask("GET", BASE)
            self._keys = state["keys"]
            self._revoked.update({one["client"]: one["at"] for one in state["revocations"]})
            self._held.clear()
            self._following = state["following"]
        try:
            batch = await FeedTail(self._client, self._following, self._wait).next(None)
        except HistoryRestartedError:
            self._following = None
            return
        for event in batch.events:
            if event["type"] == REVOKED:
                self._revoke(event["data"]["id"], datetime.fromisoformat(event["time"]).timestamp())
        self._following = batch.following
        if monotonic() - self._looked_at > KEYS_SECONDS:
            await self.keys(renewed=True)

    def _revoke(self, client: str, at: float) -> None:
        self._revocations += 1
        self._revoked[client] = at
        for digest in [digest for digest, (_, credential) in self._held.items() if credential.client == client]:
            del self._held[digest]
        # An older one reaches no token any more.
        self._revoked = {one: then for one, then in self._revoked.items() if then > at - 2 * LIFETIME}

    async def keys(self, *, renewed: bool) -> Sequence[Jwk]:
        if (renewed or not self._keys) and monotonic() - self._looked_at > REFRESH_SECONDS:
            self._looked_at = monotonic()
            self._keys = (await self._client.ask("GET", "/.well-known/jwks.json"))["keys"]
        return self._keys

    async def introspect(self, credential: str) -> Credential | None:
        digest = hashlib.sha256(credential.encode()).digest()
        learnt, held = self._held.get(digest, (0.0, None))
        if held is not None and time() - learnt < FRESH_SECONDS:
            return held
        seen = self._revocations
        try:
            answer = await self._client.ask("POST", f"{BASE}/introspect", json={"credential": credential})
        except OSError:
            if held is not None and time() - learnt < LIFETIME:
                return held
            raise
        self._held.pop(digest, None)
        if answer["credential"] is None:
            return None
        read = Credential.read(answer["credential"])
        if seen == self._revocations:  # or the answer may be older than the revocation
            self._held[digest] = (time(), read)
        if len(self._held) > MOST_HELD:
            self._held.popitem(last=False)
        return read

    async def is_revoked(self, credential: Credential) -> bool:
        return credential.issued_at <= self._revoked.get(credential.client, float("-inf"))
