"""Where a service learns whom to believe: the issuer's public keys, what a key or a foreign token stands for, and who was revoked.

What is learnt is held in memory, so that to know a caller costs no input or output. A revocation names the version of a client or member from
which on its rights are others: no clock decides what it ends.
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
# A key or a foreign token is looked up again after so long, and believed without the registry for as long as an access token.
FRESH_SECONDS = 60.0
# The issuer's keys are looked at so often: one that was withdrawn is believed no longer than that.
KEYS_SECONDS = 60.0
PACE = Pace(held=2 * LIFETIME, renewed_after=5.0, retried_after=2.0)
MOST_HELD = 10_000
# Look-ups at once: a crowd with made-up keys fills neither the registry nor the connections to it.
MOST_ASKED = 8


@dataclass(frozen=True, slots=True)
class Revocation:
    """What was issued to ``client`` (a client or a member) before its ``version`` is refused."""

    client: str
    version: int


@dataclass(frozen=True, slots=True)
class State:
    """What there is to know at the start."""

    keys: Sequence[Jwk]
    revocations: Sequence[Revocation]


class Directory(ABC):
    """What `shared.access.callers` asks. A subclass says where it is learnt."""

    def __init__(self) -> None:
        self._keys = FetchedKeys(self._ask_keys, PACE)
        self._revoked: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._held: OrderedDict[bytes, tuple[float, Credential]] = OrderedDict()
        self._asking = asyncio.Semaphore(MOST_ASKED)
        self._task: RepeatedTask | None = None

    @abstractmethod
    async def step(self) -> None:
        """Follow what changes, for a while; the first time, learn the present state."""

    @abstractmethod
    async def _ask_keys(self) -> Sequence[Jwk]: ...

    @abstractmethod
    async def ask(self, credential: str) -> Credential | None:
        """What it stands for now, wherever that is known."""

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
        """The issuer's public keys, looked at again where none is called ``kid``.

        :raises OSError: nobody can tell at the moment.
        """
        return await self._keys.having(kid)

    async def look_at_keys(self) -> None:
        """They have just changed.

        :raises OSError: nobody can tell at the moment.
        """
        await self._keys.renew()

    async def introspect(self, credential: str) -> Credential | None:
        """What an API key or a token of another issuer stands for; None: nothing.

        :raises OSError: nobody can tell at the moment.
        """
        digest = hashlib.sha256(credential.encode()).digest()
        if (held := self._fresh(digest)) is not None:
            return held
        async with self._asking:
            if (held := self._fresh(digest)) is not None:
                return held
            try:
                found = await self.ask(credential)
            except OSError:
                learnt, known = self._held.get(digest, (0.0, None))
                if known is not None and monotonic() - learnt < LIFETIME:
                    return known
                raise
        self._held.pop(digest, None)
        if found is not None:
            self._held[digest] = (monotonic(), found)
            if len(self._held) > MOST_HELD:
                self._held.popitem(last=False)
        return found

    def _fresh(self, digest: bytes) -> Credential | None:
        learnt, held = self._held.get(digest, (0.0, None))
        return held if held is not None and monotonic() - learnt < FRESH_SECONDS else None

    async def is_revoked(self, credential: Credential) -> bool:
        """Whether its client has other rights by now, or none."""
        version, _ = self._revoked.get(credential.client, (0, 0.0))
        return credential.version < version

    def _learn(self, state: State) -> None:
        self._keys.put(state.keys)
        # Versions of a history that was given up for a backup mean nothing in the one that goes on.
        self._revoked.clear()
        self._held.clear()
        self._revoke(state.revocations)

    def _revoke(self, revocations: Iterable[Revocation]) -> None:
        now = monotonic()
        ended = {}
        for one in revocations:
            known, _ = self._revoked.pop(one.client, (0, 0.0))
            ended[one.client] = max(known, one.version)
            self._revoked[one.client] = (ended[one.client], now)
        for digest in [digest for digest, (_, held) in self._held.items() if held.version < ended.get(held.client, 0)]:
            del self._held[digest]
        # An older one reaches no token any more.
        while self._revoked and (oldest := next(iter(self._revoked.items())))[1][1] < now - LONGEST:
            del self._revoked[oldest[0]]


class RemoteDirectory(Directory):
    """The registry's directory, asked over HTTP. Revocations come over its feed; what was learnt serves on while the registry is down."""

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

    async def ask(self, credential: str) -> Credential | None:
        answer = await self._client.ask("POST", f"{BASE}/introspect", json={"credential": credential})
        return None if answer["credential"] is None else Credential.read(answer["credential"])
