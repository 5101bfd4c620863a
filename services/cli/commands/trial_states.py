"""`cleio trial state`, `publish`, `withdraw`, `archive`, `restore`, `transfer`: where trials stand."""

from typing import Annotated

import typer

from services.cli.commands.trials import Trial
from services.cli.errors import one_line_errors
from services.cli.options import AsJson, Url
from services.cli.output import print_json

states = typer.Typer(rich_markup_mode=None)
Reason = Annotated[str, typer.Option(help="Why: kept with the decision.")]


@states.command("state")
def state(trial: Trial, as_json: AsJson = False, url: Url = "") -> None:
    """Show where a trial stands, who is responsible for it, and what was decided."""
    from services.cli.gateway import open_gateway
    from services.cli.trial_states import print_state
    from services.cli.trials import read_part

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = read_part(gateway, trial, "state")
    if as_json:
        print_json(found)
    else:
        print_state(found)


@states.command("publish")
def publish(trial: Trial, reason: Reason, as_json: AsJson = False, url: Url = "") -> None:
    """Ask to publish a trial: it is published when two people have asked for it."""
    _act(trial, {"action": "publish", "reason": reason}, url, as_json=as_json)


@states.command("withdraw")
def withdraw(trial: Trial, reason: Reason, as_json: AsJson = False, url: Url = "") -> None:
    """Withdraw a trial at once. It stays so whatever its sources say."""
    _act(trial, {"action": "withdraw", "reason": reason}, url, as_json=as_json)


@states.command("archive")
def archive(trial: Trial, reason: Reason, as_json: AsJson = False, url: Url = "") -> None:
    """Archive a trial that is no longer followed: it is not public."""
    _act(trial, {"action": "archive", "reason": reason}, url, as_json=as_json)


@states.command("restore")
def restore(trial: Trial, reason: Reason, as_json: AsJson = False, url: Url = "") -> None:
    """Restore an archived trial: it is withdrawn until two people publish it."""
    _act(trial, {"action": "restore", "reason": reason}, url, as_json=as_json)


@states.command("transfer")
def transfer(
    trial: Trial,
    reason: Reason,
    owner: Annotated[str, typer.Argument(metavar="[OWNER]", help="An organisation; absent: the coordination.")] = "",
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Make another organisation responsible for a trial."""
    _act(trial, {"owner": owner or None, "reason": reason}, url, as_json=as_json)


def _act(trial: str, body: dict[str, str | None], url: str, *, as_json: bool) -> None:
    from services.cli.gateway import open_gateway
    from services.cli.trial_states import change_state, print_state

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = change_state(gateway, trial, body)
    if as_json:
        print_json(found)
    else:
        print_state(found)
