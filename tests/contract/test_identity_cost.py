"""The cost of identifying a known caller: a look-up in memory, no SQL statement."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from fastapi import FastAPI, Request
from sqlalchemy import event

from tests.contract.network import ORGANISATIONS, Network

pytestmark = pytest.mark.anyio

CALLS = 500


@contextmanager
def statements(app: FastAPI) -> Iterator[list[str]]:
    """Count the SQL statements of the registry during the block."""
    seen: list[str] = []

    def note(connection: object, cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    engine = app.state.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def asking(app: FastAPI, token: str | None) -> Request:
    headers = [(b"authorization", f"Bearer {token}".encode())] if token else []
    return Request(
        {"type": "http", "headers": headers, "client": ("127.0.0.1", 1), "app": app, "method": "GET", "path": "/"}
    )


async def test_a_known_caller_costs_no_statement(network: Network, figure: Callable[[str, object], None]) -> None:
    name = await network.organisation()
    key, token = (await network.client(name))["key"], await network.token(await network.signer(name))
    callers = network.app.state.callers
    for caller, credential in (("no caller", None), ("an API key", key), ("an access token", token)):
        await callers.identify(asking(network.app, credential))
        with statements(network.app) as seen:
            started = time.process_time()
            for _ in range(CALLS):
                principal = await callers.identify(asking(network.app, credential))
            spent = time.process_time() - started
        assert principal.kind == ("public" if credential is None else "hospital")
        # A background task may run meanwhile; one statement for each call would be visible.
        assert len(seen) < CALLS / 10, caller
        figure(f"CPU to know {caller}, {network.url.partition(':')[0]}", f"{spent / CALLS * 1e6:.0f} µs")


async def test_a_change_of_rights_is_looked_up_once(network: Network) -> None:
    name = await network.organisation()
    token = await network.token(await network.signer(name))
    ended = await network.client(name)
    callers = network.app.state.callers
    await callers.identify(asking(network.app, token))
    path = f"{ORGANISATIONS}/{name}/clients/{ended['id']}"
    assert (await network.call("DELETE", path, network.admin, headers={"If-Match": "*"})).status_code == 204
    with statements(network.app) as seen:
        for _ in range(CALLS):
            await callers.identify(asking(network.app, token))
    assert 0 < len([one for one in seen if "feed_entries" in one]) < CALLS / 10
