"""`cleio centre`: the centres of the network and their public contacts."""

from typing import Annotated

import typer

from services.cli.errors import one_line_errors
from services.cli.groups import Group
from services.cli.options import AsJson, Url
from services.cli.output import print_json

centres = typer.Typer(
    cls=Group, help="The centres of the network and their contacts.", no_args_is_help=True, rich_markup_mode=None
)

Centre = Annotated[str, typer.Argument(metavar="CENTRE", help="The id of the centre, such as fr-necker.")]


@centres.command("list")
def list_all(as_json: AsJson = False, url: Url = "") -> None:
    """List the centres and their public contacts. Sends CLEIO_TOKEN if it is set."""
    from services.cli.centres import print_centres, read_centres
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="optional") as gateway:
        found = read_centres(gateway)
    if as_json:
        print_json({"items": found})
    else:
        print_centres(found)


@centres.command("show")
def show(centre: Centre, as_json: AsJson = False, url: Url = "") -> None:
    """Show a centre. Sends CLEIO_TOKEN if it is set."""
    from services.cli.centres import print_centre, read_centre
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="optional") as gateway:
        found = read_centre(gateway, centre)
    if as_json:
        print_json(found)
    else:
        print_centre(found)


@centres.command("contact")
def contact(
    centre: Centre,
    function_fr: Annotated[str, typer.Option(help="The function in French, never a person.")] = "",
    function_en: Annotated[str, typer.Option(help="The function in English, never a person.")] = "",
    email: Annotated[str, typer.Option(help="The mailbox of the function.")] = "",
    phone: Annotated[str, typer.Option(help="Its telephone number, such as '+33 1 99 00 12 34'.")] = "",
    page: Annotated[str, typer.Option(help="An https page with the contact.")] = "",
    remove: Annotated[bool, typer.Option("--remove", help="Remove the contact.")] = False,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """State the public contact of a centre: of the coordination, or of the centre itself."""
    from services.cli.centres import print_centre, set_contact
    from services.cli.gateway import open_gateway

    function = {"fr": function_fr or function_en, "en": function_en or function_fr}
    given = {"email": email or None, "phone": phone or None, "url": page or None}
    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = set_contact(gateway, centre, None if remove else {"function": function, **given})
    if as_json:
        print_json(found)
    else:
        print_centre(found)
