"""`cleio demo`: fill a demonstration with illustrative work."""

from typing import Annotated

import typer

from services.cli.errors import one_line_errors
from services.cli.options import Url


def demo(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report what would be made; change nothing.")] = False,
    url: Url = "",
) -> None:
    """Fill this demonstration with illustrative work: referrals, dossiers, reviews and more.

    It acts as the demonstration users, over the public API, on the sample alone. What is there already is not made
    again. An installation without the sample, or that other machines can reach, is refused. Run it on the machine of
    the running system; `cleio up` does it after each start, unless CLEIO_DEMONSTRATION=false.
    Exit code 1: something could not be made.
    """
    from services.cli.demonstration.filling import fill, open_cast
    from services.cli.output import print_message

    with one_line_errors(), open_cast(url) as cast:
        failed = fill(cast, print_message, dry_run=dry_run)
    raise typer.Exit(1 if failed else 0)
