"""`cleio notices`: what an address is informed of by e-mail."""

from typing import Annotated

import typer

from services.cli.errors import one_line_errors
from services.cli.groups import Group
from services.cli.options import AsJson, Url, split_values
from services.cli.output import print_json, print_message, print_result, print_table

PATH = "/notifications/v1/mail-subscriptions"

notices = typer.Typer(
    cls=Group, help="Notices by e-mail of what happens. Needs CLEIO_TOKEN.", no_args_is_help=True, rich_markup_mode=None
)


@notices.command("add")
def add(
    address: Annotated[str, typer.Option(help="The address, of a member or a mailbox of your organisation.")],
    language: Annotated[str, typer.Option(help="fr or en.")] = "fr",
    frequency: Annotated[str, typer.Option(help="immediate, daily (07:00) or weekly (Mondays).")] = "immediate",
    types: Annotated[
        list[str] | None, typer.Option(help="Types of events; separate several with commas. Default: all.")
    ] = None,
    trials: Annotated[
        list[str] | None, typer.Option("--trial", help="Only these trials, by any of their numbers.")
    ] = None,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Subscribe an address, and print the id. The address first gets a link to agree."""
    from services.cli.gateway import open_gateway

    channel = {"type": "email", "address": address, "language": language, "frequency": frequency}
    body = {"channel": channel, "types": split_values(types or []), "filter": {"trial": split_values(trials or [])}}
    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        added = gateway.send("POST", PATH, body=body).json()
    print_message(f"{address} was asked for its consent: nothing else is sent before it agrees")
    print_result(added, added["id"], as_json=as_json)


@notices.command("list")
def list_all(as_json: AsJson = False, url: Url = "") -> None:
    """List the addresses of your organisation that are informed."""
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = list(gateway.walk(PATH))
    if as_json:
        print_json({"items": found})
        return
    rows = [
        (
            one["id"],
            one["disabled_reason"] or one["status"],
            one["channel"]["frequency"],
            one["channel"]["language"],
            one["channel"]["address"],
            ",".join(one["types"]) or "all",
        )
        for one in found
    ]
    print_table(("ID", "STATUS", "FREQUENCY", "LANGUAGE", "ADDRESS", "TYPES"), rows)


@notices.command("remove")
def remove(
    subscription: Annotated[str, typer.Argument(metavar="ID", help="The id, as the list gives it.")], url: Url = ""
) -> None:
    """End a subscription; its address is deleted."""
    from urllib.parse import quote

    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        gateway.send("DELETE", f"{PATH}/{quote(subscription, safe='')}", headers={"If-Match": "*"})
    print_message(f"removed {subscription}")
