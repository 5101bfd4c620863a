"""Fill a demonstration with illustrative work, as its demonstration users would: over the public API."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote

from services.cli.databases import settings_of
from services.cli.demonstration.stories import Call, Chapter, Story, chapters, filled, value_at, with_value
from services.cli.gateway import CallError, Gateway, open_gateway
from services.cli.installation import existing_installation

_USERS = "/registry/v1/internal/demonstration-users"
_NOT_FOUND = 404
# A token lives five minutes.
_TOKEN_SECONDS = 200
_WAIT_SECONDS, _PAUSE_SECONDS = 30, 0.2
Report = Callable[[str], None]


class NoDemonstrationError(CallError):
    """The installation is no demonstration."""

    def __init__(self) -> None:
        super().__init__(
            "this installation is no demonstration: it needs the sample (CLEIO_REGISTRY_LOAD_SAMPLE=true in a new "
            "installation), and a gateway that only this machine can reach"
        )


class Cast:
    """The demonstration users, each with a client that has a token of the user."""

    def __init__(self, registry: Gateway, url: str, stack: ExitStack) -> None:
        self._registry = registry
        self._url = url
        self._stack = stack
        self._clients: dict[str, tuple[float, Gateway]] = {}

    def check(self) -> None:
        """:raises NoDemonstrationError: there are no demonstration users here."""
        try:
            self._registry.read(_USERS)
        except CallError as error:
            raise NoDemonstrationError from error if error.status != _NOT_FOUND else None

    def client(self, user: str) -> Gateway:
        """Return a client for the calls of a user.

        :raises CallError: there is no such user.
        """
        at, client = self._clients.get(user, (float("-inf"), None))
        if client is None or time.monotonic() - at > _TOKEN_SECONDS:
            token = self._registry.send("POST", f"{_USERS}/{quote(user)}/tokens").json()["access_token"]
            client = self._stack.enter_context(open_gateway(self._url, token=token))
            self._clients[user] = time.monotonic(), client
        return client


@contextmanager
def open_cast(url: str) -> Iterator[Cast]:
    """Open clients for the demonstration users of this installation. ``url``: of its gateway; empty: the local one.

    :raises CallError: it does not run. :raises NoDemonstrationError: it is no demonstration.
    """
    token = settings_of("registry").internal_token.get_secret_value()
    # Over loopback: the registry gives tokens of demonstration users only there.
    port = existing_installation().service_ports["registry"][0]
    with ExitStack() as stack:
        registry = stack.enter_context(open_gateway(f"http://127.0.0.1:{port}", token=token))
        cast = Cast(registry, url, stack)
        cast.check()
        yield cast


def fill(cast: Cast, report: Report, *, dry_run: bool) -> int:
    """Make what is not there yet. ``report`` receives a line for each chapter. Return how many stories failed."""
    today, failed = datetime.now(UTC).date(), 0
    for chapter in chapters():
        failed += _fill_chapter(cast, chapter, today, report, dry_run=dry_run)
    return failed


def _fill_chapter(cast: Cast, chapter: Chapter, today: date, report: Report, *, dry_run: bool) -> int:
    made = there = 0
    left, faults = [], []
    for story in chapter.stories:
        try:
            if _is_there(cast, story, today):
                there += 1
                continue
            if not dry_run:
                _make(cast, story, today)
            made += 1
        except CallError as error:
            line = str(error).replace("\n", "")
            if story.needs:
                left.append(f"left out: {story.name} (needs {story.needs})")
            else:
                faults.append(f"failed: {story.name}: {line}")
    verb = "to make" if dry_run else "made"
    report(f"{chapter.title}: {made} {verb}, {there} there already")
    for line in (*left, *faults):
        report(f"  {line}")
    return len(faults)


def _is_there(cast: Cast, story: Story, today: date) -> bool:
    client, path = cast.client(story.seen_by), filled(story.seen_at, {}, today)
    if story.known_by is None:
        return client.probe(path).is_success
    body = filled(story.calls[0].body, {}, today) if story.known_by else None
    wanted = {name: value_at(body, pointer) for name, pointer in story.known_by.items()}
    return any(all(item.get(name) == value for name, value in wanted.items()) for item in client.walk(path))


def _make(cast: Cast, story: Story, today: date) -> None:
    kept: dict[str, Any] = {}
    for call in story.calls:
        answer = _do(cast.client(call.user), call, kept, today)
        for pointer, value in call.replace.items():
            with_value(answer, pointer, filled(value, kept, today))
        kept.update({name: value_at(answer, pointer) for name, pointer in call.keep.items()})


def _do(client: Gateway, call: Call, kept: Mapping[str, Any], today: date) -> Any:
    method, _, path = filled(call.send, kept, today).partition(" ")
    headers, body = filled(call.headers, kept, today), filled(call.body, kept, today)
    end = time.monotonic() + _WAIT_SECONDS
    while True:
        content = "\n".join(json.dumps(line) for line in body).encode() if "ndjson" in call.media_type else None
        sent = client.send(
            method,
            path,
            content=content,
            body=None if content else body,
            media_type=call.media_type,
            headers=headers,
        )
        answer = sent.json() if sent.content else None
        if all(value_at(answer, pointer) in values for pointer, values in call.until.items()):
            return answer
        if time.monotonic() > end:
            raise CallError(f"{path} did not become what was expected within {_WAIT_SECONDS} s")
        time.sleep(_PAUSE_SECONDS)
