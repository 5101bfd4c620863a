"""`cleio revision`, `openapi` and `bench`: commands for developers of CLEIO."""

import asyncio
from typing import Annotated

import typer

from services.cli.errors import fail
from services.cli.options import AsJson, Service


def revision(service: Service, message: Annotated[str, typer.Argument(help="What changes, in a few words.")]) -> None:
    """Write the next database migration of a service.

    It leads from the newest migration to the tables as the code defines them now.
    """
    from services.cli.databases import write_revision

    if not message.strip():
        fail('a migration needs a message: make revision service=registry m="add the sites table"')
    if service is Service.MATCHING:
        fail("the matching service has no database")
    asyncio.run(write_revision(service, message.strip()))


def openapi(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit code 1 when a file is outdated.")] = False,
) -> None:
    """Write docs/openapi/<service>.json for every service."""
    from services.cli.openapi import write_all

    outdated = write_all(check=check)
    if check and outdated:
        fail(f"outdated: {', '.join(outdated)} (`make openapi` writes them)")


def bench(
    trials: Annotated[
        int, typer.Option(help="Synthetic trials for searches and uncached reads; a third for matching.", min=100)
    ] = 30_000,
    calls: Annotated[int, typer.Option(help="Calls in each of three rounds.", min=50, max=100_000)] = 3_000,
    only: Annotated[
        list[str] | None,
        typer.Option(
            help=(
                "Only this group of figures (may be repeated): hits, misses, search, sites, feed, load, imports, push, "
                "matching, terminology."
            )
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure what calls cost beside an empty FastAPI route.

    Starts installations of its own in temporary folders; yours is not touched. With the defaults it takes some minutes.
    Exit code 0 also where a target is missed: a busy machine is no failure of the program.
    """
    from services.bench.client import BenchError
    from services.bench.run import run_bench

    try:
        run_bench(trials, calls, only or (), as_json=as_json)
    except BenchError as error:
        fail(str(error))
