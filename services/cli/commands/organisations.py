"""`cleio org`: the organisations that take part."""

from enum import StrEnum
from typing import Annotated

import typer

from services.cli.errors import one_line_errors
from services.cli.groups import Group
from services.cli.options import AsJson, Url
from services.cli.output import print_fields, print_json, print_message, print_result, print_table

organisations = typer.Typer(
    cls=Group, help="The organisations that take part. Needs CLEIO_TOKEN.", no_args_is_help=True, rich_markup_mode=None
)


class Kind(StrEnum):
    HOSPITAL = "hospital"
    CENTRE = "centre"
    SPONSOR = "sponsor"
    NETWORK = "network"
    ASSOCIATION = "association"
    AUTHORITY = "authority"
    COORDINATION = "coordination"


OrganisationArgument = Annotated[str, typer.Argument(metavar="ORG", help="Id of the organisation.")]
OrganisationOption = Annotated[str, typer.Option("--org", metavar="ORG", help="Id of the organisation.")]
OptionalOrganisation = Annotated[
    str,
    typer.Option("--org", metavar="ORG", help="Id of its organisation.", show_default="searched in all you may see"),
]


@organisations.command("create")
def create(
    organisation: Annotated[
        str, typer.Argument(metavar="ORG", help="Its id: lower-case letters, digits and hyphens, such as chu-lyon.")
    ],
    kind: Annotated[Kind, typer.Option(help="Its role in the network. It cannot be changed later.")],
    name: Annotated[str, typer.Option(help="Its name.", show_default="the id")] = "",
    centre: Annotated[
        str, typer.Option(metavar="CENTRE", help="Only for the kind centre: the id of the centre in the network.")
    ] = "",
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Create an organisation and print its id."""
    from services.cli.directory import create_organisation
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        created = create_organisation(gateway, organisation, kind, name or organisation, centre)
    print_message(
        f"created {created['kind']} {created['id']} ({created['name']}); "
        f"next, create a client: cleio client create --org {created['id']} --scopes …"
    )
    print_result(created, created["id"], as_json=as_json)


@organisations.command("list")
def list_all(as_json: AsJson = False, url: Url = "") -> None:
    """List the organisations that you may see."""
    from services.cli.directory import ORGANISATIONS
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = list(gateway.walk(ORGANISATIONS))
    if as_json:
        print_json({"items": found})
        return
    print_table(
        ("ID", "KIND", "STATUS", "NAME"), [(one["id"], one["kind"], one["status"], one["name"]) for one in found]
    )


@organisations.command("show")
def show(organisation: OrganisationArgument, as_json: AsJson = False, url: Url = "") -> None:
    """Show one organisation."""
    from services.cli.directory import organisation_path
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = gateway.read(organisation_path(organisation))
    if as_json:
        print_json(found)
    else:
        print_fields(found)


@organisations.command("suspend")
def suspend(organisation: OrganisationArgument, as_json: AsJson = False, url: Url = "") -> None:
    """Suspend an organisation.

    Within seconds every key and token of its clients and members is refused. Nothing is deleted.
    """
    _set_status(organisation, "suspended", as_json=as_json, url=url)


@organisations.command("reinstate")
def reinstate(organisation: OrganisationArgument, as_json: AsJson = False, url: Url = "") -> None:
    """Reinstate a suspended organisation, with the clients and members that it had."""
    _set_status(organisation, "active", as_json=as_json, url=url)


def _set_status(organisation: str, status: str, *, as_json: bool, url: str) -> None:
    from services.cli.directory import set_status
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        updated = set_status(gateway, organisation, status)
    print_message(f"{updated['id']} is {updated['status']}")
    if as_json:
        print_json(updated)
