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
    seconds: Annotated[float, typer.Option(help="How long each call is repeated.", min=0.1, max=600)] = 2.0,
    connections: Annotated[int, typer.Option(help="Number of concurrent callers.", min=1, max=256)] = 8,
    as_json: AsJson = False,
    url: Annotated[
        str, typer.Option(help="Measure this running system instead of a new one with the bundled sample.")
    ] = "",
) -> None:
    """Measure the main calls and compare them.

    The calls go through the gateway of a new system with the bundled sample, or of the one at --url. On a new system
    some calls also go directly to a service.
    """
    from services.cli.bench import run_bench
    from services.cli.gateway import CallError

    try:
        run_bench(seconds, connections, url, as_json=as_json)
    except CallError as error:
        fail(str(error))
