"""A key and its request take effect once, on both databases: replays, other bodies, concurrent and dead calls."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, select, text, update

from services.notifications.schema import KEYS
from shared.access.policy import Access
from shared.http.guards import allow
from shared.http.route import ApiRoute
from shared.idempotency import IdempotencyKeys, IdempotencyLog, idempotent
from shared.operations.service import create_service
from shared.persistence import NAMING, Database, Writing, open_database
from shared.settings import ServiceSettings
from shared.values.problems import ConflictError
from shared.values.wire import ApiModel
from tests.conftest import ADMIN, client_of
from tests.contract.notifications import Notifications, Receiver, Source, running_notifications

pytestmark = pytest.mark.anyio

SUBSCRIPTIONS = "/notifications/v1/subscriptions"
KEY = "a-key-of-this-test"
LATER = timedelta(hours=25)


def asked_of(receiver: Receiver, *types: str) -> dict[str, Any]:
    return {"channel": {"type": "webhook", "url": receiver.url}, "types": list(types), "filter": {}}


async def subscriptions_of(service: Notifications) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await service.admin.get(SUBSCRIPTIONS)).json()["items"]
    return items


async def grow_older(database: Database, log: IdempotencyLog, by: timedelta) -> None:
    """Change the stored times as if so much time had passed."""
    async with database.transaction() as connection:
        for row in (await connection.execute(select(log.keys.c.id, log.keys.c.until))).all():
            await connection.execute(update(log.keys).where(log.keys.c.id == row.id).values(until=row.until - by))


async def test_a_retry_gets_the_same_answer_and_creates_nothing(service: Notifications, receiver: Receiver) -> None:
    first = await service.admin.post(SUBSCRIPTIONS, json=asked_of(receiver), headers={"Idempotency-Key": KEY})
    assert first.status_code == 201
    assert "idempotency-replayed" not in first.headers
    respelled = json.dumps(asked_of(receiver), indent=3, sort_keys=True)
    for key, body in ((KEY, json.dumps(asked_of(receiver))), (f'"{KEY}"', respelled)):
        again = await service.admin.post(
            SUBSCRIPTIONS, content=body, headers={"Idempotency-Key": key, "Content-Type": "application/json"}
        )
        assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
        assert {name: again.headers[name] for name in ("location", "etag", "content-type", "cache-control")} == {
            name: first.headers[name] for name in ("location", "etag", "content-type", "cache-control")
        }
        # The secret is shown once. A retry still names the resource, so that a client that lost the first answer can
        # delete it.
        assert "secret" not in again.json()
        assert {**again.json(), "secret": first.json()["secret"]} == first.json()
    assert [one["id"] for one in await subscriptions_of(service)] == [first.json()["id"]]


async def test_a_secret_shown_once_is_in_no_stored_answer(service: Notifications, receiver: Receiver) -> None:
    made = await service.admin.post(SUBSCRIPTIONS, json=asked_of(receiver), headers={"Idempotency-Key": KEY})
    async with service.app.state.database.read() as connection:
        [row] = (await connection.execute(select(KEYS.keys))).all()
    kept = repr(row)
    assert made.json()["id"] in kept
    assert made.json()["secret"] not in kept
    assert "secret" not in kept
    assert KEY not in kept, "what a client writes into its key is not kept"


BAD_KEYS = [
    ([], "idempotency_key_required"),
    (["x" * 15], "idempotency_key_invalid"),
    (["x" * 256], "idempotency_key_invalid"),
    (["sixteen-or-more!!"], "idempotency_key_invalid"),
    (['"' + "x" * 16], "idempotency_key_invalid"),
    (["x" * 16, "y" * 16], "idempotency_key_invalid"),
]


async def test_a_request_without_a_valid_key_is_refused(service: Notifications, receiver: Receiver) -> None:
    for keys, code in BAD_KEYS:
        refused = await service.admin.post(
            SUBSCRIPTIONS, json=asked_of(receiver), headers=[("Idempotency-Key", key) for key in keys]
        )
        assert (refused.status_code, refused.json()["code"]) == (400, code)
        assert refused.json()["errors"][0]["pointer"] == "/header/idempotency-key"
    assert await subscriptions_of(service) == []
    for length in (16, 255):
        made = await service.admin.post(
            SUBSCRIPTIONS, json=asked_of(receiver), headers={"Idempotency-Key": "x" * length}
        )
        assert made.status_code == 201


async def test_a_key_belongs_to_one_request(service: Notifications, receiver: Receiver) -> None:
    assert (
        await service.admin.post(SUBSCRIPTIONS, json=asked_of(receiver), headers={"Idempotency-Key": KEY})
    ).status_code == 201
    other = await service.admin.post(
        SUBSCRIPTIONS, json=asked_of(receiver, "trial.published"), headers={"Idempotency-Key": KEY}
    )
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len(await subscriptions_of(service)) == 1


async def test_a_refused_request_leaves_its_key_free(service: Notifications, receiver: Receiver) -> None:
    for wrong in ({"types": ["nothing.happened"]}, {"channel": {"type": "webhook", "url": "https://10.0.0.1/"}}):
        refused = await service.admin.post(
            SUBSCRIPTIONS, json={**asked_of(receiver), **wrong}, headers={"Idempotency-Key": KEY}
        )
        assert refused.status_code == 422
    mended = await service.admin.post(SUBSCRIPTIONS, json=asked_of(receiver), headers={"Idempotency-Key": KEY})
    assert (mended.status_code, mended.headers.get("idempotency-replayed")) == (201, None)


async def test_a_replay_is_recorded_as_a_read(service: Notifications, receiver: Receiver) -> None:
    for _ in range(3):
        assert (
            await service.admin.post(SUBSCRIPTIONS, json=asked_of(receiver), headers={"Idempotency-Key": KEY})
        ).status_code == 201
    async with service.app.state.database.read() as connection:
        outcomes = [
            row.outcome for row in await connection.execute(text("SELECT outcome FROM audit_entries ORDER BY number"))
        ]
    assert outcomes == ["done", "read", "read"]


async def test_an_answer_is_stored_for_a_day(service: Notifications, receiver: Receiver) -> None:
    database, keys = service.app.state.database, service.app.state.idempotency
    first = await service.admin.post(SUBSCRIPTIONS, json=asked_of(receiver), headers={"Idempotency-Key": KEY})
    await grow_older(database, KEYS, timedelta(hours=23, minutes=59))
    again = await service.admin.post(SUBSCRIPTIONS, json=asked_of(receiver), headers={"Idempotency-Key": KEY})
    assert again.json()["id"] == first.json()["id"]
    await grow_older(database, KEYS, timedelta(minutes=2))
    # Expired keys do not count, deleted or not.
    anew = await service.admin.post(
        SUBSCRIPTIONS, json=asked_of(receiver, "trial.published"), headers={"Idempotency-Key": KEY}
    )
    assert (anew.status_code, anew.headers.get("idempotency-replayed")) == (201, None)
    assert await keys.sweep() == 0
    await grow_older(database, KEYS, LATER)
    assert await keys.sweep() == 1


@pytest.mark.parametrize("migrated", ["postgresql"], indirect=True)  # a SQLite file belongs to one process
async def test_concurrent_calls_of_replicas_take_effect_once(migrated: str, source: Source, receiver: Receiver) -> None:
    async with running_notifications(migrated, source) as here, running_notifications(migrated, source) as there:
        for number in range(10):
            calls = [
                replica.admin.post(
                    SUBSCRIPTIONS, json=asked_of(receiver), headers={"Idempotency-Key": f"{KEY}-{number}"}
                )
                for replica in (here, there, here)
            ]
            answers = await asyncio.gather(*calls)
            assert {answer.status_code for answer in answers} <= {201, 409}
            assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
            assert all(answer.headers["retry-after"] for answer in answers if answer.status_code == 409)
        assert len(await subscriptions_of(here)) == 10


class Wanted(ApiModel):
    name: str


class Made(ApiModel):
    number: int
    name: str


@dataclass
class Workshop:
    """A service on a real database; its one route waits or fails as the test sets it."""

    database: Database
    log: IdempotencyLog
    things: Table
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    fail: bool = False

    def app(self) -> FastAPI:
        router = APIRouter(route_class=ApiRoute)

        async def _arrive(request: Request) -> None:
            self.arrived.set()
            await self.go_on.wait()

        @router.post("/boxes/{box}/things", status_code=201)
        @idempotent()
        async def make(
            box: str,
            wanted: Wanted,
            access: Annotated[Access, Depends(allow("centre", "write"))],
            waited: Annotated[None, Depends(_arrive)],
            connection: Writing,
        ) -> Made:
            await connection.execute(insert(self.things).values(name=wanted.name))
            if self.fail:
                raise ConflictError
            count = (await connection.execute(select(func.count()).select_from(self.things))).scalar_one()
            return Made(number=count, name=wanted.name)

        @router.post("/hasty", status_code=201)
        @idempotent()
        async def hasty(request: Request, access: Annotated[Access, Depends(allow("centre", "write"))]) -> Response:
            async with self.database.transaction() as connection:
                await connection.execute(insert(self.things).values(name="hasty"))
            return Response(status_code=201)

        @asynccontextmanager
        async def lifespan(app: FastAPI) -> AsyncIterator[None]:
            app.state.database = self.database
            app.state.idempotency = keys = IdempotencyKeys(self.database, self.log)
            await keys.start(app.state.tasks)
            yield
            await keys.stop()

        return create_service("registry", ServiceSettings(), [router], lifespan, "A workshop.")

    async def names(self) -> list[str]:
        async with self.database.read() as connection:
            return [row.name for row in await connection.execute(select(self.things.c.name).order_by(self.things.c.id))]


@pytest.fixture
async def workshop(database_url: str) -> AsyncIterator[Workshop]:
    metadata = MetaData(naming_convention=NAMING)
    log = IdempotencyLog(metadata)
    things = Table(
        "things", metadata, Column("id", Integer, primary_key=True), Column("name", String(80), nullable=False)
    )
    database = open_database(database_url)
    async with database.transaction() as connection:
        await connection.run_sync(metadata.create_all)
    yield Workshop(database, log, things)
    await database.close()


@asynccontextmanager
async def working(workshop: Workshop) -> AsyncIterator[httpx.AsyncClient]:
    app = workshop.app()
    async with app.router.lifespan_context(app), client_of(app, token=ADMIN) as caller:
        yield caller


def make(caller: httpx.AsyncClient, name: str = "one", *, box: str = "a", key: str = KEY) -> Any:
    return caller.post(f"/boxes/{box}/things", json={"name": name}, headers={"Idempotency-Key": key})


async def test_a_retry_during_the_first_call_is_refused(workshop: Workshop) -> None:
    async with working(workshop) as caller:
        first = asyncio.create_task(make(caller))
        await workshop.arrived.wait()
        second = await make(caller)
        assert (second.status_code, second.json()["code"], second.headers["retry-after"]) == (
            409,
            "idempotency_key_in_flight",
            "1",
        )
        assert (await make(caller, "two")).status_code == 422, "another body is refused at once"
        workshop.go_on.set()
        assert (await first).json() == {"number": 1, "name": "one"}
        third = await make(caller)
        assert (third.status_code, third.json(), third.headers["idempotency-replayed"]) == (
            201,
            {"number": 1, "name": "one"},
            "true",
        )
    assert await workshop.names() == ["one"]


async def test_the_claim_of_a_dead_call_expires_and_its_late_effect_is_rolled_back(workshop: Workshop) -> None:
    async with working(workshop) as caller:
        slow = asyncio.create_task(make(caller))
        await workshop.arrived.wait()
        assert (await make(caller)).status_code == 409
        # A live call never takes this long: treat it as one whose machine is gone.
        await grow_older(workshop.database, workshop.log, timedelta(minutes=1))
        second = asyncio.create_task(make(caller))
        await asyncio.sleep(0.05)
        workshop.go_on.set()
        answers = [await slow, await second]
        assert sorted(answer.status_code for answer in answers) == [201, 409]
        assert answers[1].status_code == 201
        assert (await make(caller)).headers["idempotency-replayed"] == "true"
    assert await workshop.names() == ["one"]


async def test_a_failed_call_leaves_its_key_free(workshop: Workshop) -> None:
    workshop.go_on.set()
    async with working(workshop) as caller:
        workshop.fail = True
        assert (await make(caller)).status_code == 409
        workshop.fail = False
        made = await make(caller, "mended")
        assert (made.status_code, made.headers.get("idempotency-replayed")) == (201, None)
    assert await workshop.names() == ["mended"]


async def test_the_same_body_for_another_parent_is_another_request(workshop: Workshop) -> None:
    workshop.go_on.set()
    async with working(workshop) as caller:
        assert (await make(caller)).status_code == 201
        assert (await make(caller, box="b")).status_code == 422
        assert (await make(caller, box="b", key=f"{KEY}-b")).json()["number"] == 2


async def test_a_forbidden_call_leaves_no_claim(workshop: Workshop) -> None:
    workshop.go_on.set()
    async with working(workshop) as caller:
        assert (await caller.post("/boxes/a/things", content=b"{", headers={"Authorization": ""})).status_code == 401
        async with workshop.database.read() as connection:
            assert (await connection.execute(select(func.count()).select_from(workshop.log.keys))).scalar_one() == 0


async def test_a_commit_before_the_answer_is_known_is_refused(workshop: Workshop) -> None:
    async with working(workshop) as caller:
        assert (await caller.post("/hasty", headers={"Idempotency-Key": KEY})).status_code == 500
    assert await workshop.names() == []


async def test_a_new_process_takes_over_the_claims_of_a_dead_one(workshop: Workshop) -> None:
    now = datetime.now(UTC)
    async with working(workshop) as caller:
        slow = asyncio.create_task(make(caller))
        await workshop.arrived.wait()
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)
        async with workshop.database.transaction() as connection:
            await connection.execute(
                insert(workshop.log.keys).values(
                    id="0" * 64, route="POST /x", fingerprint="", claim="dead", until=now + timedelta(minutes=1)
                )
            )
    async with working(workshop), workshop.database.read() as connection:
        left = (await connection.execute(select(workshop.log.keys.c.id))).scalars().all()
    # A SQLite file has one process, so the claims are of a dead one; on PostgreSQL another replica may be working.
    assert left == ([] if workshop.database.is_sqlite else ["0" * 64])
