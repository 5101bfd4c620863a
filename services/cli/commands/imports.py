"""`cleio import`: send records of other registers to the running system."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.errors import one_line_errors
from services.cli.options import AsJson, Source, Url


def import_records(
    source: Annotated[Source, typer.Argument(help="The register that the records come from.")],
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE|DIR...",
            help="Records as the register publishes them: .json, .jsonl (.ndjson) or, of ISRCTN, .xml; also as .xz, "
            ".gz or in a .zip.",
        ),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report what would happen; change nothing.")] = False,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Send records of another register to the running registry. Exit code 1 when one is invalid or unreadable."""
    from services.cli.gateway import open_gateway
    from services.cli.importing import import_files, show

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        report = import_files(gateway, source, paths, dry_run=dry_run, progress=not as_json)
    show(report, as_json=as_json, dry_run=dry_run)
    raise typer.Exit(1 if report.faulty else 0)
