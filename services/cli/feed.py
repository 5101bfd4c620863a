"""Read the change feed of the registry, and follow it."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from services.cli.gateway import CallError, Gateway, read_json

FEED = "/registry/v1/feed"
WAIT_SECONDS = 25  # of one long poll
BATCH = 500
RETRY_DELAYS = (1.0, 2.0, 5.0, 10.0, 30.0)  # seconds; then the last one again
UNAVAILABLE = frozenset({0, 502, 503, 504})


@dataclass(frozen=True)
class Batch:
    """Events of the feed, and the ``cursor`` behind the last of them: where to continue."""

    events: Sequence[Any]
    cursor: str


def read_batches(
    gateway: Gateway,
    filters: Mapping[str, str],
    cursor: str,
    *,
    follow: bool,
    limit: int | None,
    report: Callable[[str], None],
) -> Iterator[Batch]:
    """Yield the events after ``cursor`` (empty: from the beginning), at most ``limit``.

    With ``follow`` wait for new events without end; while the system is unavailable retry, and ``report`` it.

    :raises CallError: when a call fails; with ``follow`` only for errors that a retry cannot solve.
    """
    failures, left = 0, limit
    while left is None or left > 0:
        size = BATCH if left is None else min(BATCH, left)
        try:
            batch = _read_batch(gateway, filters, cursor, WAIT_SECONDS if follow else 0, size)
        except CallError as error:
            if not follow or error.status not in UNAVAILABLE:
                raise
            delay = RETRY_DELAYS[min(failures, len(RETRY_DELAYS) - 1)]
            report(f"{error}; retrying in {delay:g} s")
            failures += 1
            time.sleep(delay)
            continue
        failures, at_end = 0, not batch.events and batch.cursor == cursor
        cursor = batch.cursor
        yield batch
        if left is not None:
            left -= len(batch.events)
        # An empty batch that moved on is not the end: the filter selected none of the entries inspected.
        if at_end and not follow:
            return


def _read_batch(gateway: Gateway, filters: Mapping[str, str], cursor: str, wait: int, limit: int) -> Batch:
    query = {**filters, "limit": str(limit), "wait": str(wait)}
    if cursor:
        query["cursor"] = cursor
    answer = gateway.send("GET", f"{FEED}?{urlencode(query)}")
    link = parse_qs(urlsplit(answer.links.get("next", {}).get("url", "")).query)
    return Batch(read_json(answer), link.get("cursor", [cursor])[0])


def read_cursor(file: Path) -> str:
    """Return the cursor in ``file``, or an empty one if there is no file."""
    return file.read_text(encoding="ascii").strip() if file.exists() else ""


def write_cursor(file: Path, cursor: str) -> None:
    draft = file.with_name(f".{file.name}.new")
    draft.write_text(cursor + "\n", encoding="ascii")
    draft.replace(file)
