"""`cleio member`: the people who act for an organisation."""

from typing import Annotated

import typer

from services.cli.commands.organisations import OptionalOrganisation, OrganisationOption
from services.cli.errors import one_line_errors
from services.cli.groups import Group
from services.cli.options import AsJson, Url, split_values
from services.cli.output import print_json, print_message, print_result, print_table

members = typer.Typer(
    cls=Group,
    help="The people who act for an organisation. Needs CLEIO_TOKEN.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@members.command("add")
def add(
    organisation: OrganisationOption,
    subject: Annotated[
        str,
        typer.Option(
            metavar="SUB", help="The identifier of the person or program at the identity provider (claim `sub`)."
        ),
    ],
    roles: Annotated[
        list[str],
        typer.Option(
            metavar="ROLES",
            help="admin, editor, validator, clinician, system, auditor or dpo; separate several with commas.",
            show_default=False,
        ),
    ],
    issuer: Annotated[
        str,
        typer.Option(envvar="CLEIO_OIDC_ISSUER", help="The identity provider, exactly as in its tokens (claim `iss`)."),
    ] = "",
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Let a person act for an organisation, and print the id of the membership.

    The person's rights come from these roles alone, not from the provider's token. A person acts for one organisation.
    """
    from services.cli.directory import organisation_path
    from services.cli.gateway import CallError, open_gateway

    with one_line_errors():
        if not issuer:
            raise CallError("name the identity provider: --issuer URL, or CLEIO_OIDC_ISSUER")
        with open_gateway(url, authentication="required") as gateway:
            body = {"issuer": issuer, "subject": subject, "roles": split_values(roles)}
            added = gateway.send("POST", f"{organisation_path(organisation)}/members", body=body).json()
    print_message(f"member {added['id']} of {added['organisation']}: {', '.join(added['roles'])}")
    print_result(added, added["id"], as_json=as_json)


@members.command("list")
def list_all(organisation: OrganisationOption, as_json: AsJson = False, url: Url = "") -> None:
    """List the members of an organisation, including revoked ones."""
    from services.cli.directory import organisation_path
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = list(gateway.walk(f"{organisation_path(organisation)}/members"))
    if as_json:
        print_json({"items": found})
        return
    rows = [(one["id"], one["status"], ",".join(one["roles"]), one["subject"], one["issuer"]) for one in found]
    print_table(("ID", "STATUS", "ROLES", "SUBJECT", "ISSUER"), rows)


@members.command("revoke")
def revoke(
    member: Annotated[str, typer.Argument(metavar="MEMBER", help="Id of the member.")],
    organisation: OptionalOrganisation = "",
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """End a person's membership of the organisation.

    Within seconds the person is refused, also where already signed in.
    """
    from services.cli.directory import find_path
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        path = find_path(gateway, "members", member, organisation)
        gateway.change(path, lambda _: ("DELETE", path, None))
    print_message(f"member {member} is revoked")
    if as_json:
        print_json({"id": member, "status": "revoked"})
