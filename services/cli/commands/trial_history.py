"""`cleio trial history` and `diff`: the versions of trials."""

from typing import Annotated

import typer

from services.cli.commands.trials import Trial
from services.cli.errors import one_line_errors
from services.cli.options import AsJson, Url
from services.cli.output import print_json

versions = typer.Typer(rich_markup_mode=None)


@versions.command("history")
def history(
    trial: Trial,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Number of versions.")] = 50,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """List the versions of a trial, newest first. Sends CLEIO_TOKEN if it is set."""
    from services.cli.gateway import open_gateway
    from services.cli.trial_states import print_history, read_history

    with one_line_errors(), open_gateway(url, authentication="optional") as gateway:
        found = read_history(gateway, trial, limit)
    if as_json:
        print_json({"items": found})
    else:
        print_history(found)


@versions.command("diff")
def diff(
    trial: Trial,
    first: Annotated[int, typer.Option("--from", min=0, help="A version; absent: the one before.")] = 0,
    last: Annotated[int, typer.Option("--to", min=0, help="A version; absent: the newest one.")] = 0,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Compare two versions of a trial, field by field. Sends CLEIO_TOKEN if it is set."""
    from services.cli.gateway import open_gateway
    from services.cli.trial_states import print_diff, read_diff

    ends = {name: str(number) for name, number in (("from", first), ("to", last)) if number}
    with one_line_errors(), open_gateway(url, authentication="optional") as gateway:
        found = read_diff(gateway, trial, ends)
    if as_json:
        print_json(found)
    else:
        print_diff(found)
