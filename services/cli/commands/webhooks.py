"""`cleio webhooks`: subscriptions of programs to signed requests."""

from typing import Annotated

import typer

from services.cli.errors import one_line_errors
from services.cli.groups import Group
from services.cli.options import AsJson, Url
from services.cli.output import print_json, print_message, print_result, print_table

PATH = "/notifications/v1/subscriptions"

webhooks = typer.Typer(
    cls=Group,
    help="Subscriptions of your programs to signed requests. Needs CLEIO_TOKEN.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@webhooks.command("list")
def list_all(as_json: AsJson = False, url: Url = "") -> None:
    """List the webhooks of your organisation."""
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
            one["channel"]["url"],
            (one.get("two_signatures_until") or "")[:16],
            ",".join(one["types"]) or "all",
        )
        for one in found
    ]
    print_table(("ID", "STATUS", "URL", "TWO SIGNATURES UNTIL", "TYPES"), rows)


@webhooks.command("rotate")
def rotate(
    subscription: Annotated[str, typer.Argument(metavar="ID", help="The id, as the list gives it.")],
    overlap_hours: Annotated[
        int, typer.Option(help="How long the former secret signs too; 0 if it is in wrong hands.", min=0, max=168)
    ] = 24,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Make a new signing secret, and print it, only once."""
    from urllib.parse import quote

    from services.cli.gateway import open_gateway

    path = f"{PATH}/{quote(subscription, safe='')}"
    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        rotated = gateway.change(path, lambda _: ("POST", f"{path}/rotate", {"overlap_hours": overlap_hours})).json()
    print_message(f"the former secret signs too for {overlap_hours} hours; the new one, shown only once:")
    print_result(rotated, rotated["secret"], as_json=as_json)
