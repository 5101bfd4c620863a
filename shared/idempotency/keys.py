"""Keys at work: claimed before a handler runs, answered in the transaction of its effect, given back where nothing came of it."""

import asyncio
import hashlib
import json
import re
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import Request, Response

from shared.audit.acts import CURRENT
from shared.idempotency.marks import Keyed
from shared.idempotency.problems import InvalidKeyError, KeyInFlightError, KeyRequiredError, KeyReusedError
from shared.idempotency.repository import Claim, Held, IdempotencyRepository, KeptAnswer
from shared.idempotency.tables import IdempotencyLog
from shared.persistence import Database, Writing
from shared.tasks import BackgroundTasks, RepeatedTask

KEPT = timedelta(hours=24)
# A claim outlives the longest that its handler may take, by more than two replicas' clocks differ.
MARGIN = timedelta(seconds=5)
SWEEP_SECONDS = 600.0
# The draft writes the key as a quoted string; the bare form is what most clients send. Both mean the same.
_KEY = re.compile(r'("?)([A-Za-z0-9_-]{16,255})\1')
_REPLAYED_HEADERS = ("content-type", "location", "etag", "cache-control")


@dataclass(slots=True)
class Attempt:
    """One call with a key. ``replay``: the answer that its key got before. ``answer``: what its handler made, once known."""

    claim: Claim
    keyed: Keyed
    replay: Response | None = None
    answer: Response | None = None
    kept: bool = False
    settled: bool = False


class IdempotencyKeys:
    """One service's keys. Made before the audit record is, so that an answer is kept before the record's head is locked."""

    def __init__(self, database: Database, log: IdempotencyLog) -> None:
        self._database = database
        self._log = log
        self._task: RepeatedTask | None = None
        database.before_commit.append(self._with_effect)

    async def start(self, tasks: BackgroundTasks) -> None:
        """Keep house. A SQLite file has one process: claims that are found at its start are of a dead one."""
        if self._database.is_sqlite:
            async with self._database.transaction(as_service=True) as connection:
                await self._on(connection).release_all()
        self._task = tasks.repeat(self._later, "idempotency_keys")

    async def stop(self) -> None:
        if self._task is not None:
            await self._task.stop()

    async def begin(self, request: Request, route: str, keyed: Keyed, seconds: float) -> Attempt:
        """Claim the key of a call whose caller is known, for at most ``seconds``.

        :raises KeyRequiredError, InvalidKeyError: 400.
        :raises KeyReusedError: 422, the key came with another request before.
        :raises KeyInFlightError: 409.
        """
        attempt = Attempt(await _claim(request, route), keyed)
        outside = CURRENT.set(None)  # this transaction is not the act's own
        try:
            for _ in range(3):
                now = datetime.now(UTC)
                async with self._database.transaction(as_service=True) as connection:
                    repository = self._on(connection)
                    if await repository.claim(attempt.claim, now, now + timedelta(seconds=seconds) + MARGIN):
                        return attempt
                    held = await repository.held(attempt.claim)
                if held is not None:  # else given back at this moment
                    attempt.replay = _replay(held, attempt.claim)
                    return attempt
        finally:
            CURRENT.reset(outside)
        raise KeyInFlightError

    async def settle(self, attempt: Attempt, status: int) -> None:
        """After the transaction has ended, before its answer leaves: a key that nothing came of is free for another try."""
        if attempt.replay is not None or attempt.settled:
            return
        attempt.settled = True
        if attempt.kept and status < 300:
            return
        outside = CURRENT.set(None)
        try:
            # What cannot be given back ends by itself.
            with suppress(Exception):
                async with self._database.transaction(as_service=True) as connection:
                    await self._on(connection).release(attempt.claim)
        finally:
            CURRENT.reset(outside)

    async def _with_effect(self, connection: Writing) -> None:
        act = CURRENT.get()
        attempt: Attempt | None = act.request.scope.get("cleio_attempt") if act is not None else None
        if attempt is None or attempt.kept:
            return
        if attempt.answer is None:
            raise RuntimeError(
                "an idempotent route commits before its answer is known: its transaction must be a `Writing`"
            )
        if attempt.answer.status_code >= 300:
            return
        if not await self._on(connection).keep(
            attempt.claim, _kept(attempt.answer, attempt.keyed), datetime.now(UTC) + KEPT
        ):
            raise KeyInFlightError  # it took so long that another call has the key: nothing of this one stands
        attempt.kept = True

    async def sweep(self) -> int:
        """Drop what is past its time; how many keys were."""
        count = 0
        while True:
            async with self._database.transaction(as_service=True) as connection:
                gone = await self._on(connection).forget(datetime.now(UTC))
            count += gone
            if not gone:
                return count

    async def _later(self) -> None:
        await self.sweep()
        await asyncio.sleep(SWEEP_SECONDS)

    def _on(self, connection: Writing) -> IdempotencyRepository:
        return IdempotencyRepository(connection, self._log)


async def _claim(request: Request, route: str) -> Claim:
    given = request.headers.getlist("idempotency-key")
    if not given:
        raise KeyRequiredError
    key = _KEY.fullmatch(given[0])
    if len(given) > 1 or key is None:
        raise InvalidKeyError
    caller = request.scope["cleio_caller"]
    scope = [
        caller.organisation or f"({caller.kind})",
        getattr(caller, "client", None),
        request.method,
        route,
        key.group(2),
    ]
    body = await request.json() if await request.body() else None
    # The path stands for what the template leaves open: the same body for another parent is another request.
    asked = [request.method, request.scope["path"], sorted(request.query_params.multi_items()), body]
    return Claim(_digest(scope), caller.organisation, f"{request.method} {route}", _digest(asked), uuid.uuid4().hex)


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _kept(answer: Response, keyed: Keyed) -> KeptAnswer:
    body = bytes(answer.body).decode()
    if keyed.shown_once:
        document = json.loads(body)
        body = json.dumps(
            {name: value for name, value in document.items() if name not in keyed.shown_once}, ensure_ascii=False
        )
    headers = {name: answer.headers[name] for name in _REPLAYED_HEADERS if name in answer.headers}
    return KeptAnswer(answer.status_code, headers, body)


def _replay(held: Held, claim: Claim) -> Response:
    if held.fingerprint != claim.fingerprint:
        raise KeyReusedError
    if held.answer is None:
        raise KeyInFlightError
    return Response(held.answer.body, held.answer.status, {**held.answer.headers, "Idempotency-Replayed": "true"})
