"""The feed: batches, and a write while many readers wait for it."""

import asyncio
import json
import select
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from time import monotonic, sleep, time

from joserfc.jwk import ECKey

from services.bench.client import BenchError, Call, Connection, cost, cpu_seconds
from services.bench.figures import Figure
from services.bench.programs import Server, alone
from services.registry.app import METADATA, MIGRATIONS
from services.registry.schema import FEED
from shared.access.policy import scopes_for
from shared.access.principal import Credential
from shared.access.tokens import issue
from shared.feed.changes import NOT_VISIBLE, Change, Routing
from shared.persistence import open_database
from shared.persistence.migrations import upgrade
from shared.vocabulary.identifiers import trial_id

GROUP = "Feed (processor time)"
BATCH = 500
READERS = 1_000
# More than the registry keeps in memory.
ENTRIES = 12_000
ISSUER = "http://127.0.0.1:8080"
ROUNDS = 3
CALLS = 20
PATIENCE = 60.0
# Where the readers come from, as a gateway reports it: one address may have a few waiting readers only.
READERS_PER_ADDRESS = 25
CENTRES = tuple(f"fr-centre-{number}" for number in range(8))


def feed(folder: Path) -> Iterator[Figure]:
    """All figures of the feed, on a registry of its own in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(_append(folder / "registry.db", ENTRIES))
    token, settings = _writer(folder)
    with alone("registry", folder, **settings) as server:
        yield from feed_batches(server)
        yield from waiting_readers(server, token)


def _writer(folder: Path) -> tuple[str, dict[str, str]]:
    """An access token for writes, and the settings of a registry that accepts it."""
    key = ECKey.generate_key("P-256", {"kid": "bench", "use": "sig", "alg": "ES256"})
    file = folder / "keys.json"
    file.write_text(json.dumps({"keys": [key.as_dict(private=False)]}), encoding="utf-8")
    now = int(time())
    credential = Credential(
        "bench", "bench", "coordination", frozenset({"editor"}), scopes_for("coordination"), now, now + 3600
    )
    settings = {"CLEIO_ISSUER_KEYS": str(file), "CLEIO_PUBLIC_URL": ISSUER, "CLEIO_REGISTRY_LOAD_SAMPLE": "true"}
    return issue(key, ISSUER, ("registry",), credential), settings


async def _append(file: Path, entries: int) -> None:
    database = open_database(f"sqlite:///{file}")
    await upgrade(database, MIGRATIONS, METADATA)
    for first in range(0, entries, BATCH):
        async with database.transaction() as connection:
            await FEED.append(connection, [_change(number) for number in range(first, first + BATCH)])
    await database.close()


def _change(number: int) -> Change:
    audience = frozenset({"public", "authority", "coordination", "service"})
    facets = {
        "condition": frozenset(f"ORPHA:{1000 + (number * step) % 997}" for step in (1, 3, 7)),
        "age_band": frozenset({"adult", "child"}),
        "departement": frozenset(f"{1 + (number * step) % 95:02}" for step in (1, 5)),
        "atmp_class": frozenset({"gene_therapy"}),
        "centre": frozenset({CENTRES[number % len(CENTRES)]}),
    }
    after = Routing(audience, facets)
    before = after if number % 2 else NOT_VISIBLE
    return Change("trial.updated", f"trial/{trial_id(number)}", 1, before, after, ("status", "sites"))


def feed_batches(server: Server) -> Iterator[Figure]:
    """Batches of 500: the newest from the buffer, and older ones, each read from the database."""
    port, pid = server.port_of("registry"), server.pids["registry"]
    path = f"/registry/v1/feed?limit={BATCH}"
    with Connection(port) as connection:
        pages, newest = [], path
        while True:
            body, following = _next(connection, newest)
            if len(json.loads(body)) < BATCH:
                break
            pages.append(newest)
            newest = following
        if len(pages) < 2:
            raise BenchError(f"the feed has fewer than {2 * BATCH} entries")
        rounds = count()
        for name, page in (
            ("batch of 500, per entry", None),
            ("batch of 500, each with another filter, per entry", pages[-1]),
            ("batch of 500 from the database, per entry", pages[len(pages) // 3]),
        ):
            spent = []
            for _ in range(ROUNDS):
                calls = [Call(pages[-1])] * CALLS if page is None else _filtered(page, next(rounds))
                spent.append(cost(connection, pid, calls) / BATCH)
            yield Figure(GROUP, name, min(spent), "µs", 10.0)
        blind = [Call(f"{path}&condition=none-{number}") for number in range(CALLS // 4)]
        yield Figure(GROUP, "filter without a match, per call", cost(connection, pid, blind) / 1000, "ms")


def _filtered(page: str, number: int) -> list[Call]:
    """Different queries that all select every entry, so that none gets the answer of another."""
    return [Call(f"{page}&centre={','.join(CENTRES)},{number}-{one}") for one in range(CALLS)]


def waiting_readers(server: Server, token: str) -> Iterator[Figure]:
    """One write while 1,000 anonymous readers wait. ``token``: of a client of the coordination, for the write."""
    found = [_one_write(server, token) for _ in range(ROUNDS)]
    readers, slices, alone = (min(values) for values in zip(*found, strict=True))
    note = f"of it {alone * 1000:.1f} ms for the write itself"
    yield Figure(GROUP, "a write while 1,000 public readers wait", readers, "s", 0.25, note)
    yield Figure(GROUP, "longest slice of it", slices * 1000, "ms", 20.0)


def _one_write(server: Server, token: str) -> tuple[float, float, float]:
    """Processor time in seconds: of all, of its longest slice, and of a write without readers."""
    port, pid = server.port_of("registry"), server.pids["registry"]
    with Connection(port) as connection, ExitStack() as stack:
        trial = json.loads(connection.send(Call("/registry/v1/trials?limit=1")))["items"][0]["id"]
        before = cpu_seconds(pid)
        _write(connection, trial, token)
        alone = cpu_seconds(pid) - before
        end = f"/registry/v1/feed?limit={BATCH}"
        while True:
            _, following = _next(connection, end)
            if following == end:
                break
            end = following
        readers = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(READERS)]
        for number, reader in enumerate(readers):
            address = f"203.0.113.{1 + number // READERS_PER_ADDRESS}"
            reader.sendall(Call(f"{end}&wait=25", {"X-Forwarded-For": address}).encode(connection.host))
        _settle(pid)
        probe = stack.enter_context(
            subprocess.Popen(  # noqa: S603  our own program
                [sys.executable, "-m", "services.bench.feed", str(port), str(pid)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
        )  # fmt: skip
        assert probe.stdout is not None
        probe.stdout.readline()
        before, answered = cpu_seconds(pid), 0.0
        _write(connection, trial, token)
        _collect(readers)
        # The probe's own calls are not counted: it says how many there were, and each costs what it costs at rest.
        found = json.loads(probe.communicate("\n")[0])
        answered = cpu_seconds(pid) - before - found["calls"] * found["at_rest"]
        return answered, found["longest"], alone


def _write(connection: Connection, trial: str, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/merge-patch+json"}
    path = f"/registry/v1/trials/{trial}"
    version = json.loads(connection.send(Call(path, {"Authorization": f"Bearer {token}"})))["version"]
    body = json.dumps({"titles": {"fr": f"Essai {version}", "en": f"Trial {version}"}}).encode()
    connection.send(Call(path, {**headers, "If-Match": f'"v{version}"'}, "PATCH", body))


def _next(connection: Connection, path: str) -> tuple[bytes, str]:
    """Body of a batch, and the path of the next one."""
    status, head, body = connection.exchange(Call(path))
    if status != 200:
        raise BenchError(f"GET {path}: {status}")
    link = head.lower().index(b"\r\nlink: <") + len(b"\r\nlink: <")
    return body, head[link : head.index(b">", link)].decode()


def _settle(pid: int) -> None:
    """Wait until the server has read all requests: it is idle then."""
    until = monotonic() + PATIENCE
    before = cpu_seconds(pid)
    while monotonic() < until:
        sleep(0.5)
        now = cpu_seconds(pid)
        if now - before < 0.02:
            return
        before = now
    raise BenchError("the registry does not become idle")


def _collect(readers: Sequence[socket.socket]) -> None:
    """Wait until each reader has its answer."""
    poll = select.epoll()
    for reader in readers:
        poll.register(reader.fileno(), select.EPOLLIN)
    by_number = {reader.fileno(): reader for reader in readers}
    until = monotonic() + PATIENCE
    while by_number:
        for number, _ in poll.poll(1.0):
            if not by_number.pop(number).recv(1 << 18).startswith(b"HTTP/1.1 200"):
                raise BenchError("a waiting reader was not answered with 200")
            poll.unregister(number)
        if monotonic() > until:
            raise BenchError(f"{len(by_number)} waiting readers got no answer")
    poll.close()


def main() -> None:
    """``python -m services.bench.feed PORT PID``: call ``livez`` until a line comes; print what the calls found.

    The processor time that the server spends during one call is the rest of what it was busy with, and the call.
    """
    port, pid = int(sys.argv[1]), int(sys.argv[2])
    call = Call("/registry/livez")
    with Connection(port) as connection:
        at_rest = min(cost(connection, pid, [call] * 20) for _ in range(5)) / 1e6
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        spent = []
        while not select.select([sys.stdin], [], [], 0)[0]:
            before = cpu_seconds(pid)
            connection.send(call)
            spent.append(cpu_seconds(pid) - before)
            sleep(0.001)
    sys.stdout.write(json.dumps({"longest": max(spent), "calls": len(spent), "at_rest": at_rest}))


if __name__ == "__main__":
    main()
