"""Reads audit logs in files from their end, the files of several processes merged."""

import heapq
import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from shared.audit.chain import entry_of
from shared.audit.entries import Entry

_BLOCK = 64 * 1024


def newest_of(
    files: Sequence[Path], organisation: str | None, after: list[Any] | None, limit: int
) -> list[tuple[list[Any], Entry]]:
    """At most ``limit`` entries after position ``after``, newest first, with positions ``[instant, file, number]``."""
    beyond = tuple(after) if after else None
    found = (
        (list(position), entry)
        for position, entry in heapq.merge(*(_entries(file) for file in files), key=lambda one: one[0], reverse=True)
        if (beyond is None or position < beyond) and organisation in {None, entry.organisation}
    )
    return list(islice(found, limit))


def _entries(file: Path) -> Iterator[tuple[tuple[str, str, int], Entry]]:
    for line in _lines_from_the_end(file):
        number, entry = entry_of(line)
        yield (entry.at.isoformat(timespec="microseconds"), file.name, number), entry


def _lines_from_the_end(file: Path) -> Iterator[str]:
    with file.open("rb") as content:
        at, rest = content.seek(0, os.SEEK_END), b""
        first = True
        while at > 0:
            size = min(_BLOCK, at)
            at -= size
            content.seek(at)
            head, *lines = (content.read(size) + rest).split(b"\n")
            rest = head
            for line in reversed(lines):
                # The text after the last line feed is still being written.
                if line and not first:
                    yield line.decode()
                first = False
        if rest and not first:
            yield rest.decode()
