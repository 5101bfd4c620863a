"""`cleio org` and `cleio member`: the organisations that take part, and the people who act for them."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from services.cli.operations import one_line_errors, say
from services.cli.options import AsJson, Url, print_columns, print_fields, print_json, print_result, words

if TYPE_CHECKING:
    from services.cli.gateway import Gateway

NOT_FOUND = 404
BASE = "/registry/v1/organisations"

organisations = typer.Typer(
    help="The organisations that take part. The right comes from CLEIO_TOKEN.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
members = typer.Typer(
    help="The people who act for an organisation. The right comes from CLEIO_TOKEN.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class Kind(StrEnum):
    HOSPITAL = "hospital"
    CENTRE = "centre"
    SPONSOR = "sponsor"
    NETWORK = "network"
    ASSOCIATION = "association"
    AUTHORITY = "authority"
    COORDINATION = "coordination"


OrganisationArgument = Annotated[str, typer.Argument(metavar="ORG", help="Its id.")]
Owner = Annotated[str, typer.Option("--org", metavar="ORG", help="The organisation.")]
AnyOwner = Annotated[str, typer.Option("--org", metavar="ORG", help="Its organisation.", show_default="looked for")]


def path_of(organisation: str) -> str:
    return f"{BASE}/{quote(organisation, safe='')}"


def found_path(gateway: "Gateway", what: str, identifier: str, organisation: str) -> str:
    """Where a client or a member is: in ``organisation``, or else in the one of those that the caller may see.

    :raises CallError: in none.
    """
    from services.cli.gateway import CallError

    name = quote(identifier, safe="")
    if organisation:
        return f"{path_of(organisation)}/{what}/{name}"
    caller = gateway.read("/registry/v1/me")
    owners = [one["id"] for one in gateway.walk(BASE)] if caller["kind"] == "coordination" else [caller["organisation"]]
    for owner in owners:
        path = f"{path_of(owner)}/{what}/{name}"
        try:
            gateway.send("GET", path)
        except CallError as error:
            if error.status != NOT_FOUND:
                raise
        else:
            return path
    raise CallError(f"none of the {what} that you may see is {identifier}")


def write_organisation(gateway: "Gateway", organisation: str, kind: str, name: str, centre: str = "") -> Any:
    """:raises CallError: it exists already, or may not be made."""
    from services.cli.gateway import STALE, CallError

    body = {"kind": kind, "name": name, "centre": centre or None}
    try:
        return gateway.send("PUT", path_of(organisation), body=body, headers={"If-None-Match": "*"}).json()
    except CallError as error:
        if error.status == STALE:
            raise CallError(f"the organisation {organisation} exists already: cleio org show {organisation}") from None
        raise


@organisations.command("create")
def create(
    organisation: Annotated[
        str, typer.Argument(metavar="ORG", help="Its id: small letters, digits and hyphens, as in chu-lyon.")
    ],
    kind: Annotated[Kind, typer.Option(help="What it is to the network. It never changes.")],
    name: Annotated[str, typer.Option(help="Its name, as people know it.", show_default="its id")] = "",
    centre: Annotated[
        str, typer.Option(metavar="CENTRE", help="The network's centre that it is: of the kind centre alone.")
    ] = "",
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Let an organisation take part.

    Its id is printed.
    """
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, as_caller=True) as gateway:
        made = write_organisation(gateway, organisation, kind, name or organisation, centre)
    say(
        f"{made['kind']} {made['id']} ({made['name']}) takes part; give it a client: cleio client create --org {made['id']} --scopes …"
    )
    print_result(made, made["id"], as_json=as_json)


@organisations.command("list")
def list_all(as_json: AsJson = False, url: Url = "") -> None:
    """List the organisations that you may see."""
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, as_caller=True) as gateway:
        found = list(gateway.walk(BASE))
    if as_json:
        print_json({"items": found})
        return
    print_columns(
        ("ID", "KIND", "STATUS", "NAME"), [(one["id"], one["kind"], one["status"], one["name"]) for one in found]
    )


@organisations.command("show")
def show(organisation: OrganisationArgument, as_json: AsJson = False, url: Url = "") -> None:
    """Show one organisation."""
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, as_caller=True) as gateway:
        found = gateway.read(path_of(organisation))
    if as_json:
        print_json(found)
    else:
        print_fields(found)


@organisations.command("suspend")
def suspend(organisation: OrganisationArgument, as_json: AsJson = False, url: Url = "") -> None:
    """Shut an organisation out.

    Within seconds every key and token of its clients and people is refused. Nothing is deleted.
    """
    _set_status(organisation, "suspended", as_json=as_json, url=url)


@organisations.command("reinstate")
def reinstate(organisation: OrganisationArgument, as_json: AsJson = False, url: Url = "") -> None:
    """Let a suspended organisation in again.

    It has the clients and members that it had.
    """
    _set_status(organisation, "active", as_json=as_json, url=url)


def _set_status(organisation: str, status: str, *, as_json: bool, url: str) -> None:
    from services.cli.gateway import open_gateway

    path = path_of(organisation)
    with one_line_errors(), open_gateway(url, as_caller=True) as gateway:
        kept = ("kind", "name", "centre")
        written = gateway.change(
            path, lambda held: ("PUT", path, {**{name: held[name] for name in kept}, "status": status})
        ).json()
    say(f"{written['id']} is {written['status']}")
    if as_json:
        print_json(written)


@members.command("add")
def add(
    organisation: Owner,
    subject: Annotated[
        str, typer.Option(metavar="SUB", help="What the identity provider calls the person, or the program (`sub`).")
    ],
    roles: Annotated[
        list[str],
        typer.Option(
            metavar="ROLES",
            help="admin, editor, validator, clinician, system, auditor or dpo; several with commas.",
            show_default=False,
        ),
    ],
    issuer: Annotated[
        str,
        typer.Option(envvar="CLEIO_OIDC_ISSUER", help="The identity provider, exactly as its tokens name it (`iss`)."),
    ] = "",
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Let a person act for an organisation. The member's id is printed.

    The rights come from these roles alone, never from what the provider's token says. A person acts for one organisation.
    """
    from services.cli.gateway import CallError, open_gateway

    with one_line_errors():
        if not issuer:
            raise CallError("name the identity provider: --issuer URL, or CLEIO_OIDC_ISSUER")
        with open_gateway(url, as_caller=True) as gateway:
            body = {"issuer": issuer, "subject": subject, "roles": words(roles)}
            made = gateway.send("POST", f"{path_of(organisation)}/members", body=body).json()
    say(f"member {made['id']} of {made['organisation']}: {', '.join(made['roles'])}")
    print_result(made, made["id"], as_json=as_json)


@members.command("list")
def list_members(organisation: Owner, as_json: AsJson = False, url: Url = "") -> None:
    """List an organisation's members, revoked ones too."""
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, as_caller=True) as gateway:
        found = list(gateway.walk(f"{path_of(organisation)}/members"))
    if as_json:
        print_json({"items": found})
        return
    rows = [(one["id"], one["status"], ",".join(one["roles"]), one["subject"], one["issuer"]) for one in found]
    print_columns(("ID", "STATUS", "ROLES", "SUBJECT", "ISSUER"), rows)


@members.command("revoke")
def revoke(
    member: Annotated[str, typer.Argument(metavar="MEMBER", help="Its id.")],
    organisation: AnyOwner = "",
    url: Url = "",
) -> None:
    """Let a person act for the organisation no more.

    It is refused within seconds, wherever it is signed in.
    """
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, as_caller=True) as gateway:
        path = found_path(gateway, "members", member, organisation)
        gateway.change(path, lambda _: ("DELETE", path, None))
    say(f"member {member} is revoked")
