"""`cleio client`: the programs that call for an organisation."""

from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.commands.organisations import Kind, OptionalOrganisation, OrganisationOption
from services.cli.errors import one_line_errors
from services.cli.groups import Group
from services.cli.options import AsJson, Url, split_values
from services.cli.output import print_fields, print_json, print_message, print_result, print_table

clients = typer.Typer(
    cls=Group,
    help="The programs that call for an organisation. Needs CLEIO_TOKEN.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

ClientArgument = Annotated[str, typer.Argument(metavar="CLIENT", help="Id of the client.")]
KeySetFile = Annotated[
    Path | None,
    typer.Option("--jwks", metavar="FILE", help="Its public keys (JWKS), if it created its keys itself."),
]
KeySetUrl = Annotated[str, typer.Option("--jwks-url", metavar="URL", help="Where it publishes its keys (https).")]
KeyOut = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Where to write the private key that is created here.",
        show_default="$CLEIO_DATA_DIR/clients/<client>.jwk",
    ),
]


@clients.command("create")
def create(
    organisation: OrganisationOption,
    scopes: Annotated[
        list[str],
        typer.Option(
            metavar="SCOPES",
            help="Its rights, such as match.execute,trial.read (list: docs/operations.md).",
            show_default=False,
        ),
    ],
    kind: Annotated[
        Kind | None,
        typer.Option(help="Create the organisation, of this kind, unless it exists.", show_default=False),
    ] = None,
    roles: Annotated[
        list[str] | None,
        typer.Option(metavar="ROLES", help="Its roles, which limit its scopes.", show_default="system"),
    ] = None,
    name: Annotated[str, typer.Option(help="Distinguishes the clients of an organisation.")] = "client",
    api_key: Annotated[
        bool, typer.Option("--api-key", help="It calls with a fixed API key instead of short-lived tokens.")
    ] = False,
    days: Annotated[int, typer.Option(metavar="DAYS", help="How long an API key is valid.", min=1, max=731)] = 365,
    jwks: KeySetFile = None,
    jwks_url: KeySetUrl = "",
    key_out: KeyOut = None,
    smart: Annotated[
        bool,
        typer.Option("--smart", help="Its assertions name the token URL as audience, as in SMART Backend Services."),
    ] = False,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Create a client and print its id; with --api-key print its key, which is shown only once.

    A client signs with a private key: one of its own (--jwks or --jwks-url), or one that is created now. Then the
    public key is registered, and the private key is written to a file on this machine and not sent.
    """
    from services.cli.client_registration import public_keys_of, register_with_new_key
    from services.cli.directory import create_if_missing, organisation_path
    from services.cli.gateway import CallError, open_gateway

    with one_line_errors():
        if sum((api_key, jwks is not None, bool(jwks_url), key_out is not None)) > 1:
            raise CallError("use only one of --api-key, --jwks, --jwks-url and --key-out")
        body: dict[str, Any] = {
            "name": name,
            "scopes": split_values(scopes),
            "roles": split_values(roles or ["system"]),
            "audience": "smart" if smart else "issuer",
            "method": "api_key" if api_key else "private_key_jwt",
        }
        if api_key:
            body["expires_in_days"] = days
        with open_gateway(url, authentication="required") as gateway:
            if kind is not None and create_if_missing(gateway, organisation, kind):
                print_message(f"created {kind} {organisation}")
            path = f"{organisation_path(organisation)}/clients"
            if api_key:
                created = gateway.send("POST", path, body=body).json()
                print_message(
                    f"client {created['id']} of {created['organisation']}, "
                    f"valid until {created['expires_at'][:10]}; its key, shown only once:"
                )
                print_result(created, created["key"], as_json=as_json)
                return
            if jwks is not None or jwks_url:
                created = gateway.send("POST", path, body={**body, **public_keys_of(jwks, jwks_url)}).json()
                print_message(f"client {created['id']} of {created['organisation']} signs with its own keys")
            else:
                created = register_with_new_key(
                    key_out,
                    lambda keys: gateway.send("POST", path, body={**body, "jwks": keys}).json(),
                    smart=smart,
                    url=url,
                )
    print_result(created, created["id"], as_json=as_json)


@clients.command("keypair")
def keypair(file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file for the private key.")]) -> None:
    """Create a key pair on the machine where the client runs, and print the public key (a JWKS, for --jwks).

    Makes no call and needs no token: a partner creates its keys with it and sends the printed part to the person who
    registers the client. The printed part is not secret.
    """
    from services.cli.client_keys import new_key, public_key_set, stored_private_key

    with one_line_errors():
        key = new_key()
        with stored_private_key(key, file):
            print_json(public_key_set(key))
    print_message(f"the private key is in {file}, readable only by you: keep it on this machine")


@clients.command("list")
def list_all(
    organisation: Annotated[
        str,
        typer.Option("--org", metavar="ORG", help="Only of this organisation.", show_default="all that you may see"),
    ] = "",
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """List clients, including revoked ones. Keys are never shown."""
    from services.cli.directory import ORGANISATIONS, organisation_path
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        owners = [organisation] if organisation else [one["id"] for one in gateway.walk(ORGANISATIONS)]
        found = [client for owner in owners for client in gateway.walk(f"{organisation_path(owner)}/clients")]
    if as_json:
        print_json({"items": found})
        return
    rows = [
        (one["id"], one["organisation"], one["status"], one["method"], (one["expires_at"] or "")[:10], one["name"])
        for one in found
    ]
    print_table(("ID", "ORGANISATION", "STATUS", "METHOD", "UNTIL", "NAME"), rows)


@clients.command("show")
def show(
    client: ClientArgument, organisation: OptionalOrganisation = "", as_json: AsJson = False, url: Url = ""
) -> None:
    """Show one client. Its key is never shown."""
    from services.cli.directory import find_path
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = gateway.read(find_path(gateway, "clients", client, organisation))
    if as_json:
        print_json(found)
        return
    kids = [key["kid"] for key in (found["jwks"] or {"keys": []})["keys"]]
    print_fields({**found, "jwks": kids or None})


@clients.command("rotate")
def rotate(
    client: ClientArgument,
    organisation: OptionalOrganisation = "",
    overlap_hours: Annotated[
        int, typer.Option(help="How long the former API key stays valid; 0 if it was stolen.", min=0, max=168)
    ] = 24,
    drop: Annotated[
        bool, typer.Option("--drop", help="For a client that signs: remove the former keys at once.")
    ] = False,
    jwks: KeySetFile = None,
    key_out: KeyOut = None,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Give a client a new key.

    A new API key is printed, only once. A client that signs gets a new key pair beside the one before it; with --jwks
    the keys in the file replace all registered ones. Only an administrator of the client's own organisation may do
    this: the coordination can create and revoke clients, but cannot take one over.
    """
    from services.cli.client_registration import rotate_signing_key
    from services.cli.directory import find_path
    from services.cli.gateway import CallError, open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        path = find_path(gateway, "clients", client, organisation)
        current = gateway.read(path)
        if current["organisation"] != gateway.read("/registry/v1/me")["organisation"]:
            raise CallError(
                f"only an administrator of {current['organisation']} may rotate this key; "
                "you can create a new client (cleio client create) and revoke this one"
            )
        if current["method"] == "api_key":
            if jwks is not None or key_out is not None or drop:
                raise CallError("this client calls with an API key: only --overlap-hours applies")
            rotated = gateway.change(
                path, lambda _: ("POST", f"{path}/rotate", {"overlap_hours": overlap_hours})
            ).json()
            print_message(
                f"client {rotated['id']}: the former key stays valid for {overlap_hours} hours; "
                "the new one, shown only once:"
            )
            print_result(rotated, rotated["key"], as_json=as_json)
            return
        rotated = rotate_signing_key(gateway, path, current, jwks=jwks, key_out=key_out, drop=drop, url=url)
    kids = " or ".join(key["kid"] for key in rotated["jwks"]["keys"])
    print_message(f"client {rotated['id']} signs with {kids}; its present tokens are refused from now on")
    print_result(rotated, rotated["id"], as_json=as_json)


@clients.command("revoke")
def revoke(
    client: ClientArgument, organisation: OptionalOrganisation = "", as_json: AsJson = False, url: Url = ""
) -> None:
    """Revoke a client for good.

    It gets no more tokens, and within seconds its present tokens or its API key are refused.
    """
    from services.cli.directory import find_path
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        path = find_path(gateway, "clients", client, organisation)
        gateway.change(path, lambda _: ("DELETE", path, None))
    print_message(f"client {client} is revoked")
    if as_json:
        print_json({"id": client, "status": "revoked"})
