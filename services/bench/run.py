"""Runs the measurements one after the other and prints what they found."""

import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from services.bench.corpus import fill, identifiers
from services.bench.feed import ENTRIES, feed
from services.bench.figures import Figure, lines
from services.bench.imports import imports
from services.bench.load import LOAD_SECONDS, load
from services.bench.matching import matching
from services.bench.pages import pages
from services.bench.programs import alone, installation, postgresql
from services.bench.pushes import pushes
from services.bench.reads import cache_hits, cache_misses, gateway
from services.bench.search import search, until_filled
from services.bench.sites import declarations
from services.bench.terminology import terminology
from services.registry.app import METADATA, MIGRATIONS
from shared.persistence import open_database
from shared.persistence.migrations import upgrade

GROUPS = ("hits", "misses", "search", "sites", "pages", "feed", "load", "imports", "push", "matching", "terminology")


def run_bench(trials: int, calls: int, groups: Sequence[str], *, as_json: bool) -> int:
    """Measure these groups of figures (none: all) and print them. Returns how many targets are missed.

    :raises BenchError: a program does not start or does not answer.
    """
    wanted = tuple(groups) or GROUPS
    with tempfile.TemporaryDirectory(prefix="cleio-bench-") as name:
        found: list[Figure] = []
        for line in lines(_kept(_measure(Path(name), trials, calls, wanted), found)):
            if not as_json:
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()
    if as_json:
        sys.stdout.write(json.dumps([asdict(one) | {"met": one.met} for one in found], indent=2) + "\n")
    return sum(one.met is False for one in found)


def _kept(figures: Iterator[Figure], found: list[Figure]) -> Iterator[Figure]:
    for one in figures:
        found.append(one)
        yield one


def _measure(folder: Path, trials: int, calls: int, groups: Sequence[str]) -> Iterator[Figure]:
    if "hits" in groups:
        with installation(folder / "sample") as server:
            yield from cache_hits(server, folder, calls)
            yield from gateway(server, calls)
    if "terminology" in groups:
        yield from terminology(folder)
    if "feed" in groups:
        _step(f"writing {ENTRIES} entries of the feed")
        yield from feed(folder / "feed")
    if "load" in groups:
        _step("importing, exporting and checking; this takes some minutes")
        yield from load(folder / "load")
    if "imports" in groups:
        _step("importing once and again")
        yield from imports(folder / "imports")
    if "push" in groups:
        with ExitStack() as stack:
            for kind, address in _databases(stack, folder / "push"):
                _step(f"sending the file of a partner network to {kind}")
                yield from pushes(folder / "push", address, kind)
    if "matching" in groups:
        _step("preparing trials for matching")
        yield from matching(folder / "matching", (trials // 30, trials // 3), min(LOAD_SECONDS, calls / 100))
    if {"misses", "search", "sites"} & set(groups):
        yield from _of_many(folder / "large", trials, calls, groups)
    if "pages" in groups:
        _step(f"writing {trials} synthetic trials for the pages")
        asyncio.run(_fill(_sqlite(folder / "pages"), trials))
        with installation(folder / "pages") as server:
            yield from pages(server, calls, until_filled(server.port_of("registry")))


def _of_many(folder: Path, trials: int, calls: int, groups: Sequence[str]) -> Iterator[Figure]:
    """What is measured on ``trials`` synthetic trials."""
    with ExitStack() as stack:
        for kind, address in _databases(stack, folder):
            _step(f"writing {trials} synthetic trials to {kind}")
            asyncio.run(_fill(address, trials))
            with alone("registry", folder, CLEIO_REGISTRY_DATABASE_URL=address, CLEIO_ANSWER_CACHE_MIB="0") as server:
                if "misses" in groups:
                    yield from cache_misses(server, folder, calls, kind, identifiers(trials))
                if "search" in groups:
                    yield from search(server, folder, calls, kind)
                if "sites" in groups:
                    yield declarations(server, kind, identifiers(trials))


def _databases(stack: ExitStack, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield kinds of databases with their URLs. ``folder``: of the SQLite file."""
    yield "sqlite", _sqlite(folder)
    if url := stack.enter_context(postgresql()):
        yield "postgresql", url
    else:
        _step("no PostgreSQL at hand: `make test` installs one, or set CLEIO_BENCH_POSTGRES")


def _sqlite(folder: Path) -> str:
    """The URL of the registry's database in the folder of an installation."""
    folder.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{folder / 'registry.db'}"


async def _fill(url: str, trials: int) -> None:
    database = open_database(url)
    try:
        await upgrade(database, MIGRATIONS, METADATA)
        await fill(database, trials)
    finally:
        await database.close()


def _step(text: str) -> None:
    sys.stderr.write(f"bench: {text}\n")
    sys.stderr.flush()


__all__ = ["GROUPS", "run_bench"]
