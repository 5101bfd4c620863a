"""Idempotency keys: claimed before a handler runs, stored with the answer in the transaction of its effect."""

import asyncio
import hashlib
import json
import re
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from fastapi import Request, Response

from shared.idempotency.marks import Keyed
from shared.idempotency.problems import InvalidKeyError, KeyInFlightError, KeyRequiredError, KeyReusedError
from shared.idempotency.repository import Claim, Held, IdempotencyRepository, KeptAnswer
from shared.idempotency.tables import IdempotencyLog
from shared.persistence import Database, Writing
from shared.persistence.request_scope import outside_request
from shared.tasks import BackgroundTasks, RepeatedTask

KEPT = timedelta(hours=24)
# A claim outlives the time limit of its handler by more than the clocks of two replicas differ.
MARGIN = timedelta(seconds=5)
SWEEP_SECONDS = 600.0
# The IETF draft writes the key as a quoted string; most clients send it without quotes. Both mean the same.
_KEY = re.compile(r'("?)([A-Za-z0-9_-]{16,255})\1')
_REPLAYED_HEADERS = ("content-type", "location", "etag", "cache-control")


class KeyOwner(Protocol):
    """Owner of a key: one client of one organisation; callers without one share the keys of their kind."""

    @property
    def kind(self) -> str: ...

    @property
    def organisation(self) -> str | None: ...

    @property
    def client(self) -> str | None: ...


@dataclass(slots=True)
class Attempt:
    """One call with a key.

    ``replay``: the stored answer of an earlier call with this key. ``answer``: the answer of the handler, once known.
    """

    keys: "IdempotencyKeys"
    claim: Claim
    keyed: Keyed
    replay: Response | None = None
    answer: Response | None = None
    stored: bool = False
    settled: bool = False

    @property
    def is_replay(self) -> bool:
        return self.replay is not None

    async def before_commit(self, connection: Writing) -> None:
        """Store the answer in the transaction of its effect.

        :raises KeyInFlightError: 409, the claim expired and another call has the key; the effect is rolled back.
        """
        await self.keys.store(connection, self)

    async def settle(self, status: int) -> None:
        """Release the key if the call had no effect. Call it after the transaction and before the answer is sent."""
        await self.keys.settle(self, status)


class IdempotencyKeys:
    """The keys of one service."""

    def __init__(self, database: Database, log: IdempotencyLog) -> None:
        self._database = database
        self._log = log
        self._task: RepeatedTask | None = None

    async def start(self, tasks: BackgroundTasks) -> None:
        """Start to delete expired keys. On SQLite, which has one process, claims found now are of a dead one."""
        if self._database.is_sqlite:
            async with self._database.transaction(as_service=True) as connection:
                await self._on(connection).release_all()
        self._task = tasks.repeat(self._later, "idempotency_keys")

    async def stop(self) -> None:
        if self._task is not None:
            await self._task.stop()

    async def begin(self, request: Request, owner: KeyOwner, route: str, keyed: Keyed, seconds: float) -> Attempt:
        """Claim the key of a request for at most ``seconds``.

        :raises KeyRequiredError, InvalidKeyError: 400.
        :raises KeyReusedError: 422, the key was used for another request.
        :raises KeyInFlightError: 409, another call with this key is in progress.
        """
        attempt = Attempt(self, await _claim(request, owner, route), keyed)
        with outside_request():  # the claim must be visible before the request's own transaction ends
            for _ in range(3):
                now = datetime.now(UTC)
                async with self._database.transaction(as_service=True) as connection:
                    repository = self._on(connection)
                    if await repository.claim(attempt.claim, now, now + timedelta(seconds=seconds) + MARGIN):
                        return attempt
                    found = await repository.held(attempt.claim)
                if found is not None:  # else it was released at this moment
                    attempt.replay = _replay(found, attempt.claim)
                    return attempt
        raise KeyInFlightError

    async def settle(self, attempt: Attempt, status: int) -> None:
        """As `Attempt.settle`."""
        if attempt.is_replay or attempt.settled:
            return
        attempt.settled = True
        if attempt.stored and status < 300:
            return
        # A claim that cannot be released now expires.
        with outside_request(), suppress(Exception):
            async with self._database.transaction(as_service=True) as connection:
                await self._on(connection).release(attempt.claim)

    async def store(self, connection: Writing, attempt: Attempt) -> None:
        """As `Attempt.before_commit`."""
        if attempt.stored:
            return
        if attempt.answer is None:
            raise RuntimeError(
                "an idempotent route commits before its answer is known: its transaction must be a `Writing`"
            )
        if attempt.answer.status_code >= 300:
            return
        if not await self._on(connection).keep(
            attempt.claim, _stored_form(attempt.answer, attempt.keyed), datetime.now(UTC) + KEPT
        ):
            raise KeyInFlightError  # it took so long that another call has claimed the key
        attempt.stored = True

    async def sweep(self) -> int:
        """Delete expired keys; returns their number."""
        count = 0
        while True:
            async with self._database.transaction(as_service=True) as connection:
                deleted = await self._on(connection).forget(datetime.now(UTC))
            count += deleted
            if not deleted:
                return count

    async def _later(self) -> None:
        await self.sweep()
        await asyncio.sleep(SWEEP_SECONDS)

    def _on(self, connection: Writing) -> IdempotencyRepository:
        return IdempotencyRepository(connection, self._log)


async def _claim(request: Request, owner: KeyOwner, route: str) -> Claim:
    given = request.headers.getlist("idempotency-key")
    if not given:
        raise KeyRequiredError
    key = _KEY.fullmatch(given[0])
    if len(given) > 1 or key is None:
        raise InvalidKeyError
    scope = [owner.organisation or f"({owner.kind})", owner.client, request.method, route, key.group(2)]
    body = await request.json() if await request.body() else None
    # With the path, not the template: the same body for another parent is another request.
    content = [request.method, request.scope["path"], sorted(request.query_params.multi_items()), body]
    return Claim(_digest(scope), owner.organisation, f"{request.method} {route}", _digest(content), uuid.uuid4().hex)


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _stored_form(answer: Response, keyed: Keyed) -> KeptAnswer:
    body = bytes(answer.body).decode()
    if keyed.shown_once:
        document = json.loads(body)
        body = json.dumps(
            {name: value for name, value in document.items() if name not in keyed.shown_once}, ensure_ascii=False
        )
    headers = {name: answer.headers[name] for name in _REPLAYED_HEADERS if name in answer.headers}
    return KeptAnswer(answer.status_code, headers, body)


def _replay(found: Held, claim: Claim) -> Response:
    if found.fingerprint != claim.fingerprint:
        raise KeyReusedError
    if found.answer is None:
        raise KeyInFlightError
    return Response(found.answer.body, found.answer.status, {**found.answer.headers, "Idempotency-Replayed": "true"})
