"""`cleio import`: send records of other registries to the running system."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.errors import fail
from services.cli.options import AsJson, Url

imports = typer.Typer(help="Import trials from files.", no_args_is_help=True, rich_markup_mode=None)


@imports.command("ctgov")
def import_ctgov(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE|DIR...",
            help="Records of version 2: .json (one record, a list, or {studies: […]}) or .jsonl, also as .xz or .gz.",
        ),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report what would happen; change nothing.")] = False,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Send ClinicalTrials.gov records to the running registry. Exit code 1 when a record is invalid or unreadable."""
    from services.cli.gateway import CallError, open_gateway
    from services.cli.importing import import_files, show

    try:
        with open_gateway(url, authentication="required") as gateway:
            report = import_files(gateway, paths, dry_run=dry_run, progress=not as_json)
    except CallError as error:
        fail(str(error))
    show(report, as_json=as_json, dry_run=dry_run)
    raise typer.Exit(1 if report.faulty else 0)
