"""`cleio db`: move the data of a service to another database; write the search words of trials anew."""

import asyncio
from typing import Annotated

import typer

from services.cli.errors import fail, one_line_errors
from services.cli.groups import Group
from services.cli.options import AsJson
from services.cli.output import print_json

databases = typer.Typer(
    cls=Group,
    help="Move a database; write search words anew.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@databases.command("copy")
def copy(
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="registry or notifications.")],
    from_url: Annotated[str, typer.Option("--from", metavar="URL", help="sqlite:///path or postgresql://… to read.")],
    to_url: Annotated[str, typer.Option("--to", metavar="URL", help="An empty database; it is migrated first.")],
    as_json: AsJson = False,
) -> None:
    """Copy the rows of a service into an empty database and compare them; nothing is kept unless all are equal.

    Stop the service first. Afterwards set CLEIO_<SERVICE>_DATABASE_URL.
    """
    from services.cli.copying import copy_database

    if service not in {"registry", "notifications"}:
        fail("only registry and notifications have data to copy; the database of the portal holds sessions only")
    rows: dict[str, int] = {}
    with one_line_errors():
        copied = asyncio.run(copy_database(service, from_url, to_url, rows.__setitem__))
    if as_json:
        print_json({table: {"rows": digest.rows, "digest": digest.digest} for table, digest in copied.items()})
        return
    for table, digest in copied.items():
        typer.echo(f"{table:<24}{digest.rows:>10}  {digest.digest[:16]}")
    typer.echo(f"{sum(digest.rows for digest in copied.values())} rows, equal on both sides")
