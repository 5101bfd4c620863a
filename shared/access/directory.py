"""The directory of a service: the issuer's public keys, the credentials of API keys and foreign tokens, revocations.

It is kept in memory, so that identifying a caller needs no input or output. A revocation names the first version of a
client or member that has other rights: no clock decides which tokens it ends.
"""

import asyncio
import hashlib
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import monotonic

from shared.access.fetched_keys import FetchedKeys, Jwk, Pace
from shared.access.principal import Credential
from shared.access.tokens import LIFETIME, LONGEST
from shared.clients.feed import FeedTail, HistoryRestartedError
from shared.clients.internal import InternalClient
from shared.tasks import BackgroundTasks, RepeatedTask

BASE = "/registry/v1/internal/identity"
REVOKED = "client.revoked"
# An API key or a foreign token is looked up again after this time. While the registry is away, it is accepted for as
# long as an access token.
FRESH_SECONDS = 60.0
# The issuer's keys are fetched this often: a withdrawn key is accepted no longer.
KEYS_SECONDS = 60.0
PACE = Pace(held=2 * LIFETIME, renewed_after=5.0, retried_after=2.0)
CACHED = 10_000
# Concurrent look-ups: many callers with invented keys must overload neither the registry nor the connections to it.
CONCURRENT_LOOKUPS = 8


@dataclass(frozen=True, slots=True)
class Revocation:
    """Refuses what was issued to ``client`` (a client or a member) before its ``version``."""

    client: str
    version: int


@dataclass(frozen=True, slots=True)
class State:
    """The complete content of the directory at one moment."""

    keys: Sequence[Jwk]
    revocations: Sequence[Revocation]


class Directory(ABC):
    """What `shared.access.callers` asks. A subclass fetches the content."""

    def __init__(self) -> None:
        self._keys = FetchedKeys(self._ask_keys, PACE)
        self._revoked: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._cached: OrderedDict[bytes, tuple[float, Credential]] = OrderedDict()
        self._asking = asyncio.Semaphore(CONCURRENT_LOOKUPS)
        self._task: RepeatedTask | None = None

    @abstractmethod
    async def step(self) -> None:
        """Fetch the complete content the first time; then follow changes for a while."""

    @abstractmethod
    async def _ask_keys(self) -> Sequence[Jwk]: ...

    @abstractmethod
    async def ask(self, credential: str, address: str | None = None) -> Credential | None:
        """Look up an API key or a token of another issuer; None: it is not valid.

        ``address``: look up a token that a client signed for this address. It is valid once.
        """

    def start(self, tasks: BackgroundTasks) -> None:
        self._task = tasks.repeat(self._follow, "revocations")

    async def stop(self) -> None:
        if self._task is not None:
            await self._task.stop()

    async def _follow(self) -> None:
        await self.step()
        if self._keys.age > KEYS_SECONDS:
            await self.look_at_keys()

    async def keys(self, kid: str) -> Sequence[Jwk]:
        """Return the issuer's public keys, fetched again if none has this ``kid``.

        :raises OSError: they cannot be fetched at the moment.
        """
        return await self._keys.having(kid)

    async def look_at_keys(self) -> None:
        """Fetch the issuer's keys now, because they have changed.

        :raises OSError: they cannot be fetched at the moment.
        """
        await self._keys.renew()

    async def verify_once(self, token: str, address: str) -> Credential | None:
        """Verify a token that a client signed for this address; it is not cached, for it is valid once.

        :raises OSError: it cannot be verified at the moment.
        """
        async with self._asking:
            return await self.ask(token, address)

    async def introspect(self, credential: str) -> Credential | None:
        """Look up an API key or a token of another issuer, in the cache first; None: it is not valid.

        :raises OSError: it cannot be looked up at the moment.
        """
        digest = hashlib.sha256(credential.encode()).digest()
        if (cached := self._fresh(digest)) is not None:
            return cached
        async with self._asking:
            if (cached := self._fresh(digest)) is not None:
                return cached
            try:
                found = await self.ask(credential)
            except OSError:
                learnt, known = self._cached.get(digest, (0.0, None))
                if known is not None and monotonic() - learnt < LIFETIME:
                    return known
                raise
        self._cached.pop(digest, None)
        if found is not None:
            self._cached[digest] = (monotonic(), found)
            if len(self._cached) > CACHED:
                self._cached.popitem(last=False)
        return found

    def _fresh(self, digest: bytes) -> Credential | None:
        learnt, credential = self._cached.get(digest, (0.0, None))
        return credential if credential is not None and monotonic() - learnt < FRESH_SECONDS else None

    async def is_revoked(self, credential: Credential) -> bool:
        """Return whether its client has other rights by now, or none."""
        version, _ = self._revoked.get(credential.client, (0, 0.0))
        return credential.version < version

    def _learn(self, state: State) -> None:
        self._keys.put(state.keys)
        # After a restore from a backup, versions of the former history mean nothing.
        self._revoked.clear()
        self._cached.clear()
        self._revoke(state.revocations)

    def _revoke(self, revocations: Iterable[Revocation]) -> None:
        now = monotonic()
        ended = {}
        for one in revocations:
            known, _ = self._revoked.pop(one.client, (0, 0.0))
            ended[one.client] = max(known, one.version)
            self._revoked[one.client] = (ended[one.client], now)
        for digest in [digest for digest, (_, one) in self._cached.items() if one.version < ended.get(one.client, 0)]:
            del self._cached[digest]
        # An older revocation concerns no token that is still valid.
        while self._revoked and (oldest := next(iter(self._revoked.items())))[1][1] < now - LONGEST:
            del self._revoked[oldest[0]]


class RemoteDirectory(Directory):
    """The registry's directory over HTTP, revocations over its feed. It stays in use while the registry is down."""

    def __init__(self, client: InternalClient, feed_wait: int = 20) -> None:
        super().__init__()
        self._client = client
        self._wait = feed_wait
        self._following: str | None = None

    async def step(self) -> None:
        if self._following is None:
            state = await self._client.ask("GET", BASE)
            self._learn(State(state["keys"], [Revocation(**one) for one in state["revocations"]]))
            self._following = state["following"]
        try:
            batch = await FeedTail(self._client, self._following, self._wait).next(None)
        except HistoryRestartedError:
            self._following = None
            return
        self._revoke(
            Revocation(event["data"]["id"], event["data"]["version"])
            for event in batch.events
            if event["type"] == REVOKED
        )
        self._following = batch.next_path

    async def _ask_keys(self) -> Sequence[Jwk]:
        keys: list[Jwk] = (await self._client.ask("GET", "/.well-known/jwks.json"))["keys"]
        return keys

    async def ask(self, credential: str, address: str | None = None) -> Credential | None:
        given = {"credential": credential} if address is None else {"credential": credential, "address": address}
        answer = await self._client.ask("POST", f"{BASE}/introspect", json=given)
        return None if answer["credential"] is None else Credential.read(answer["credential"])
