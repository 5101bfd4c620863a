"""`cleio activation`: how the sites of a trial are authorised and opened."""

from typing import Annotated, Any

import typer

from services.cli.errors import one_line_errors
from services.cli.groups import Group
from services.cli.options import AsJson, Language, Url, split_values
from services.cli.output import print_json

activation = typer.Typer(
    cls=Group, help="How the sites of a trial are authorised and opened.", no_args_is_help=True, rich_markup_mode=None
)

Trial = Annotated[str, typer.Argument(metavar="TRIAL", help="The id of the trial, or any of its numbers.")]
Centre = Annotated[str, typer.Argument(metavar="CENTRE", help="The id of the centre, such as fr-lille.")]
Reference = Annotated[str, typer.Option(help="The reference of the document.")]
Lang = Annotated[Language, typer.Option(help="Language of the texts.")]


@activation.command("path")
def path(trial: Trial, lang: Lang = Language.FR, as_json: AsJson = False, url: Url = "") -> None:
    """Show the regulatory path of a trial: days, blockers, alarms and what to do."""
    from services.cli.activation import path_of, print_path
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = gateway.read(path_of(trial))
    if as_json:
        print_json(found)
    else:
        print_path(found, lang)


@activation.command("step")
def step(
    trial: Trial,
    name: Annotated[str, typer.Argument(metavar="STEP", help="submission, validation, part_1, part_2, decision, …")],
    state: Annotated[str, typer.Option(help="planned, under_way, done, refused or not_required.")],
    on: Annotated[str, typer.Option(help="The day, YYYY-MM-DD.")] = "",
    reference: Reference = "",
    lang: Lang = Language.FR,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Enter a step of the regulatory path. What was entered before is replaced."""
    from services.cli.activation import enter, print_path
    from services.cli.gateway import open_gateway

    given = {"state": state, "on": on or None, "reference": reference or None}
    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = enter(gateway, trial, name, given)
    if as_json:
        print_json(found)
    else:
        print_path(found, lang)


@activation.command("gmo")
def gmo(
    trial: Trial,
    state: Annotated[str, typer.Option(help="not_required, declared, accepted, refused or expired.")] = "",
    regime: Annotated[str, typer.Option(help="contained_use or deliberate_release.")] = "",
    containment_class: Annotated[str, typer.Option("--class", help="C1, C2, C3 or C4.")] = "",
    declared_on: Annotated[str, typer.Option(help="When it was declared, YYYY-MM-DD.")] = "",
    decided_on: Annotated[str, typer.Option(help="When it was accepted or refused.")] = "",
    expires_on: Annotated[str, typer.Option(help="The last day on which it is valid.")] = "",
    site: Annotated[list[str] | None, typer.Option(help="A centre that it lists; may be repeated.")] = None,
    reference: Reference = "",
    url: Url = "",
) -> None:
    """Show the GMO declaration of a trial with its list of sites; with --state, state it."""
    from services.cli.activation import gmo_of
    from services.cli.capabilities import state as send
    from services.cli.gateway import open_gateway

    texts = {
        "regime": regime, "containment_class": containment_class, "declared_on": declared_on, "decided_on": decided_on,
        "expires_on": expires_on, "reference": reference,
    }  # fmt: skip
    given: dict[str, Any] = {"state": state, **{name: value for name, value in texts.items() if value}}
    given["sites"] = split_values(site or ())
    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = send(gateway, gmo_of(trial), given) if state else gateway.read(gmo_of(trial))
    print_json(found)


@activation.command("checklist")
def checklist(trial: Trial, centre: Centre, lang: Lang = Language.FR, as_json: AsJson = False, url: Url = "") -> None:
    """Show the opening checklist of a site: whose task, due when, done when, and what blocks the site."""
    from services.cli.activation import checklist_of, print_checklist
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = gateway.read(checklist_of(trial, centre))
    if as_json:
        print_json(found)
    else:
        print_checklist(found, lang)


@activation.command("item")
def item(
    trial: Trial,
    centre: Centre,
    name: Annotated[str, typer.Argument(metavar="ITEM", help="An item of the checklist, such as contract.")],
    due: Annotated[str, typer.Option(help="When it is due, YYYY-MM-DD.")] = "",
    done_on: Annotated[str, typer.Option(help="When it was done; without: it is not.")] = "",
    owner: Annotated[str, typer.Option(help="Whose task it is: centre, sponsor or coordination.")] = "",
    reference: Reference = "",
    url: Url = "",
) -> None:
    """State an item of the checklist of a site. The green light needs all others done and nothing that blocks."""
    from services.cli.activation import checklist_of
    from services.cli.capabilities import state
    from services.cli.gateway import open_gateway

    texts = {"due": due, "done_on": done_on, "owner": owner, "reference": reference}
    given = {field: value for field, value in texts.items() if value}
    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = state(gateway, checklist_of(trial, centre, name), given)
    print_json(found)
