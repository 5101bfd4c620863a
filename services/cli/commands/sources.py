"""`cleio sources`: the records of other registries that are stored here."""

from typing import Annotated

import typer

from services.cli.errors import one_line_errors
from services.cli.options import AsJson, Url

sources = typer.Typer(help="Stored records of other registries.", no_args_is_help=True, rich_markup_mode=None)


@sources.callback()
def options() -> None:
    """Declare the group, which has one command so far."""


@sources.command("reread")
def reread(
    source: Annotated[str, typer.Option(help="Only the records of this source, such as ctgov; absent: all.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report what would change; change nothing.")] = False,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Read stored records again and merge all trials, after a release with a better reader or other rules.

    What the present rules have read and merged is left out. After an interruption run it again: it continues.
    """
    from services.cli.gateway import open_gateway
    from services.cli.rereading import reread_all, show
    from services.registry.sources.readers import READERS

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        report = reread_all(gateway, [source] if source else list(READERS), dry_run=dry_run, progress=not as_json)
    show(report, as_json=as_json, dry_run=dry_run)
