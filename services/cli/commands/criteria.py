"""`cleio criteria`: criteria that one person proposes and another one signs."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.errors import one_line_errors
from services.cli.groups import Group
from services.cli.options import AsJson, Language, Url
from services.cli.output import print_json, print_message

criteria = typer.Typer(
    cls=Group,
    help="Computable criteria: one person proposes them, another one signs.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Trial = Annotated[str, typer.Argument(metavar="TRIAL", help="Any number of the trial.")]
Number = Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="The number of the proposal in its trial.")]
TextLanguage = Annotated[Language, typer.Option(help="Language of the texts of criteria.")]


@criteria.command("propose")
def propose(
    trial: Trial,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The criteria as JSON: those in force with changes, or new ones.")
    ],
    version: Annotated[
        int | None,
        typer.Option("--from", min=1, help="The version in force that they were made from. Default: that in FILE."),
    ] = None,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Propose criteria for another person to sign. Those in force stay in force until then."""
    from services.cli.criteria import print_proposals
    from services.cli.criteria import propose as send
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = send(gateway, trial, file, version)
    if as_json:
        print_json(found)
    else:
        print_proposals([found])


@criteria.command("list")
def list_proposals(trial: Trial, as_json: AsJson = False, url: Url = "") -> None:
    """List the proposals of a trial, newest first, and what became of them."""
    from services.cli.criteria import print_proposals, read_proposals
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = read_proposals(gateway, trial)
    if as_json:
        print_json({"items": found})
    else:
        print_proposals(found)


@criteria.command("show")
def show(
    trial: Trial, number: Number, lang: TextLanguage = Language.FR, as_json: AsJson = False, url: Url = ""
) -> None:
    """Show proposed criteria."""
    from services.cli.criteria import print_proposal, read_proposal
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = read_proposal(gateway, trial, number)
    if as_json:
        print_json(found)
    else:
        print_proposal(found, lang)


@criteria.command("sign")
def sign(
    trial: Trial,
    number: Number,
    signed_by: Annotated[str, typer.Option(help="The physician who checked the criteria.")],
    rpps: Annotated[str, typer.Option(help="The number of the physician in the RPPS: 11 digits.")] = "",
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Sign what another person proposed: these criteria come into force."""
    from services.cli.criteria import sign as send
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = send(gateway, trial, number, {"signed_by": signed_by, "signed_by_rpps": rpps})
    if as_json:
        print_json(found)
    else:
        print_message(f"{found['trial']}: version {found['version']} of the criteria is in force")


@criteria.command("withdraw")
def withdraw(trial: Trial, number: Number, url: Url = "") -> None:
    """Withdraw a proposal, or refuse to sign it. It stays readable."""
    from services.cli.criteria import withdraw as send
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        send(gateway, trial, number)
    print_message(f"proposal {number} withdrawn")
