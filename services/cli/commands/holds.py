"""`cleio holds`: stops of new requests, places and inclusions."""

from typing import Annotated

import typer

from services.cli.errors import one_line_errors
from services.cli.groups import Group
from services.cli.options import AsJson, Url
from services.cli.output import print_json

holds = typer.Typer(cls=Group, help="Safety holds on trials.", no_args_is_help=True, rich_markup_mode=None)

Day = Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="The day of the decision.")]


@holds.command("list")
def list_holds(
    trial: Annotated[str, typer.Argument(metavar="[TRIAL]", help="Only of this trial, by any of its numbers.")] = "",
    lifted: Annotated[bool, typer.Option(help="Also those that are lifted.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Number of lines.")] = 50,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """List the safety holds in force, newest first."""
    from services.cli.gateway import open_gateway
    from services.cli.holds import print_holds, read_holds

    with one_line_errors(), open_gateway(url, authentication="optional") as gateway:
        found = read_holds(gateway, trial, limit, lifted=lifted)
    if as_json:
        print_json({"items": found})
    else:
        print_holds(found)


@holds.command("impose")
def impose(
    trial: Annotated[str, typer.Argument(metavar="TRIAL", help="Any number of the trial.")],
    kind: Annotated[str, typer.Option(help="Such as sponsor_halt_safety, authority_suspension, precaution.")],
    reason: Annotated[str, typer.Option(help="Such as death, serious_adverse_reaction, quality_defect.")],
    scope: Annotated[str, typer.Option(help="trial, country, site, cohort or product.")] = "trial",
    target: Annotated[str, typer.Option(help="The country, centre or cohort.")] = "",
    decided_on: Day = "",
    reference: Annotated[str, typer.Option(help="The number of the decision.")] = "",
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Stop new requests, places and inclusions at once. To lift it takes two people of two organisations."""
    from services.cli.gateway import open_gateway
    from services.cli.holds import impose as send
    from services.cli.holds import print_hold

    texts = {"target": target, "decided_on": decided_on, "reference": reference}
    given = {"scope": scope, "kind": kind, "reason": reason, **{name: text for name, text in texts.items() if text}}
    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = send(gateway, trial, given)
    if as_json:
        print_json(found)
    else:
        print_hold(found)


@holds.command("lift")
def lift(
    hold: Annotated[str, typer.Argument(metavar="HOLD", help="The id of the hold, as the list gives it.")],
    basis: Annotated[str, typer.Option(help="substantial_modification or measure_lifted.")],
    reference: Annotated[str, typer.Option(help="The number of what allows the restart.")],
    decided_on: Day,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Agree to lift a hold. The second organisation that names the same reference lifts it."""
    from services.cli.gateway import open_gateway
    from services.cli.holds import lift as send
    from services.cli.holds import print_hold

    given = {"basis": basis, "reference": reference, "decided_on": decided_on}
    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = send(gateway, hold, given)
    if as_json:
        print_json(found)
    else:
        print_hold(found)
