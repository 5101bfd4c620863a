"""`cleio client`: the programs that call for an organisation."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.operations import one_line_errors, say
from services.cli.options import AsJson, Url, print_columns, print_fields, print_json, print_result, program, words
from services.cli.organisations import BASE, NOT_FOUND, AnyOwner, Kind, Owner, found_path, path_of, write_organisation

if TYPE_CHECKING:
    from services.cli.gateway import Gateway

clients = typer.Typer(
    help="The programs that call for an organisation. The right comes from CLEIO_TOKEN.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

ClientArgument = Annotated[str, typer.Argument(metavar="CLIENT", help="Its id.")]
KeySetFile = Annotated[
    Path | None, typer.Option("--jwks", metavar="FILE", help="Its public keys (JWKS), where it made them itself.")
]
KeySetUrl = Annotated[str, typer.Option("--jwks-url", metavar="URL", help="Where it publishes them: https.")]
KeyOut = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Where the private key goes that is made here.",
        show_default="$CLEIO_DATA_DIR/clients/<client>.jwk",
    ),
]
# What a client is made of and can be changed in; the rest is the registry's.
CHANGEABLE = ("name", "scopes", "roles", "audience", "jwks", "jwks_url")


@clients.command("create")
def create(
    organisation: Owner,
    scopes: Annotated[
        list[str],
        typer.Option(
            metavar="SCOPES",
            help="Its rights, as in match.execute,trial.read (docs/operations.md lists them).",
            show_default=False,
        ),
    ],
    kind: Annotated[
        Kind | None,
        typer.Option(help="Make the organisation, of this kind, where there is none of the name.", show_default=False),
    ] = None,
    roles: Annotated[
        list[str] | None, typer.Option(metavar="ROLES", help="What it may do inside its rights.", show_default="system")
    ] = None,
    name: Annotated[str, typer.Option(help="Tells one client of the organisation from another.")] = "client",
    api_key: Annotated[
        bool,
        typer.Option(
            "--api-key", help="It calls with a key that does not change, instead of signing for short tokens."
        ),
    ] = False,
    days: Annotated[int, typer.Option(metavar="DAYS", help="How long an API key serves.", min=1, max=731)] = 365,
    jwks: KeySetFile = None,
    jwks_url: KeySetUrl = "",
    key_out: KeyOut = None,
    smart: Annotated[
        bool, typer.Option("--smart", help="Its assertions name the token URL, as SMART Backend Services do.")
    ] = False,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Give an organisation a client.

    Its id is printed; with --api-key its key, this once.

    A client signs: with the keys of --jwks or --jwks-url, or with a pair that is made here. Of that one the public
    half is registered, and the private half is written to a file of this machine and goes nowhere else.
    """
    from services.cli.gateway import CallError, open_gateway

    with one_line_errors():
        if sum((api_key, jwks is not None, bool(jwks_url))) > 1 or (
            key_out is not None and (api_key or jwks is not None or jwks_url)
        ):
            raise CallError("one of --api-key, --jwks, --jwks-url and --key-out")
        body: dict[str, Any] = {
            "name": name,
            "scopes": words(scopes),
            "roles": words(roles or ["system"]),
            "audience": "smart" if smart else "issuer",
            "method": "api_key" if api_key else "private_key_jwt",
        }
        if api_key:
            body["expires_in_days"] = days
        with open_gateway(url, as_caller=True) as gateway:
            if kind is not None:
                _make_missing(gateway, organisation, kind)
            path = f"{path_of(organisation)}/clients"
            if api_key:
                made = gateway.send("POST", path, body=body).json()
                say(
                    f"client {made['id']} of {made['organisation']}, until {made['expires_at'][:10]}; its key, shown this once:"
                )
                print_result(made, made["key"], as_json=as_json)
                return
            if jwks is not None or jwks_url:
                made = gateway.send("POST", path, body={**body, **_source(jwks, jwks_url)}).json()
                say(f"client {made['id']} of {made['organisation']} signs with its own keys")
            else:
                made = _with_new_key(
                    key_out,
                    lambda keys: gateway.send("POST", path, body={**body, "jwks": keys}).json(),
                    smart=smart,
                    url=url,
                )
    print_result(made, made["id"], as_json=as_json)


def _make_missing(gateway: "Gateway", organisation: str, kind: Kind) -> None:
    from services.cli.gateway import CallError

    try:
        held = gateway.read(path_of(organisation))
    except CallError as error:
        if error.status != NOT_FOUND:
            raise
        if kind is Kind.CENTRE:
            raise CallError(
                f"a centre says which one it is: cleio org create {organisation} --kind centre --centre …"
            ) from None
        write_organisation(gateway, organisation, kind, organisation)
        say(f"{kind} {organisation} takes part")
        return
    if held["kind"] != kind:
        raise CallError(f"{organisation} is there already, of the kind {held['kind']}")


def _source(jwks: Path | None, jwks_url: str) -> dict[str, Any]:
    from services.cli.client_keys import read_key_set

    return {"jwks": None if jwks is None else read_key_set(jwks), "jwks_url": jwks_url or None}


def _with_new_key(key_out: Path | None, register: Any, *, smart: bool, url: str) -> Any:
    """Make a key pair, keep the private half, let ``register`` tell the public one; and say how a token is had with it."""
    from services.cli.client_keys import kept_private, named, new_key, public_set

    key = new_key()
    with kept_private(key, key_out) as draft:
        made = register(public_set(key))
        file = draft if key_out is not None else named(draft, made["id"], str(key.kid))
    say(f"client {made['id']} of {made['organisation']}; its private key is in {file}, and nowhere else")
    said = [
        program(),
        "token",
        "--client",
        made["id"],
        "--key",
        str(file),
        *(["--smart"] if smart else []),
        *(["--url", url] if url else []),
    ]
    say(f'a token for 5 minutes:\n  export CLEIO_TOKEN="$({shlex.join(said)})"')
    return made


@clients.command("keypair")
def keypair(file: Annotated[Path, typer.Argument(metavar="FILE", help="The new file for the private key.")]) -> None:
    """Make a key pair where the client runs.

    The public half is printed (JWKS): it is what --jwks wants, and no secret.

    Calls nothing and needs no right: a partner makes its pair with it, and sends the printed half to who registers it.
    """
    from services.cli.client_keys import kept_private, new_key, public_set

    with one_line_errors():
        key = new_key()
        with kept_private(key, file):
            print_json(public_set(key))
    say(f"the private key is in {file}, readable by you alone: it never leaves this machine")


@clients.command("list")
def list_all(
    organisation: Annotated[
        str,
        typer.Option("--org", metavar="ORG", help="Of this organisation alone.", show_default="all that you may see"),
    ] = "",
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """List clients, revoked ones too; never a key."""
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, as_caller=True) as gateway:
        owners = [organisation] if organisation else [one["id"] for one in gateway.walk(BASE)]
        found = [client for owner in owners for client in gateway.walk(f"{path_of(owner)}/clients")]
    if as_json:
        print_json({"items": found})
        return
    rows = [
        (one["id"], one["organisation"], one["status"], one["method"], (one["expires_at"] or "")[:10], one["name"])
        for one in found
    ]
    print_columns(("ID", "ORGANISATION", "STATUS", "METHOD", "UNTIL", "NAME"), rows)


@clients.command("show")
def show(client: ClientArgument, organisation: AnyOwner = "", as_json: AsJson = False, url: Url = "") -> None:
    """Show one client; never its key."""
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, as_caller=True) as gateway:
        found = gateway.read(found_path(gateway, "clients", client, organisation))
    if as_json:
        print_json(found)
        return
    kids = [key["kid"] for key in (found["jwks"] or {"keys": []})["keys"]]
    print_fields({**found, "jwks": kids or None})


@clients.command("rotate")
def rotate(
    client: ClientArgument,
    organisation: AnyOwner = "",
    overlap_hours: Annotated[
        int, typer.Option(help="How long the former API key still serves; 0 when it is in wrong hands.", min=0, max=168)
    ] = 24,
    drop: Annotated[
        bool, typer.Option("--drop", help="Of a client that signs: the former keys serve no more.")
    ] = False,
    jwks: KeySetFile = None,
    key_out: KeyOut = None,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Give a client a new key.

    A new API key is printed, this once. A client that signs gets a new pair, beside the one before it.
    With --jwks, the keys of the file take the place of all that were registered. It is for an administrator of the client's own
    organisation: the coordination lets in and shuts out, and takes over nothing.
    """
    from services.cli.gateway import CallError, open_gateway

    with one_line_errors(), open_gateway(url, as_caller=True) as gateway:
        path = found_path(gateway, "clients", client, organisation)
        held = gateway.read(path)
        if held["organisation"] != gateway.read("/registry/v1/me")["organisation"]:
            raise CallError(
                f"that is for an administrator of {held['organisation']}; from here: cleio client create, then revoke this one"
            )
        if held["method"] == "api_key":
            if jwks is not None or key_out is not None or drop:
                raise CallError("this client calls with an API key: only --overlap-hours is for it")
            made = gateway.change(path, lambda _: ("POST", f"{path}/rotate", {"overlap_hours": overlap_hours})).json()
            say(f"client {made['id']}: the former key serves {overlap_hours} hours more; the new one, shown this once:")
            print_result(made, made["key"], as_json=as_json)
            return
        if held["jwks_url"] is not None:
            raise CallError(f"this client publishes its keys at {held['jwks_url']}: it rotates them there, by itself")
        if jwks is not None:
            made = _replace(gateway, path, lambda _: _source(jwks, "")["jwks"])
        else:
            made = _with_new_key(
                key_out,
                lambda keys: _replace(
                    gateway, path, lambda former: keys if drop else {"keys": [*keys["keys"], *former["keys"][:1]]}
                ),
                smart=held["audience"] == "smart",
                url=url,
            )
    say(
        f"client {made['id']} signs with {' or '.join(key['kid'] for key in made['jwks']['keys'])}; tokens that it holds are refused from now on"
    )
    print_result(made, made["id"], as_json=as_json)


def _replace(gateway: "Gateway", path: str, keys: Any) -> Any:
    return gateway.change(
        path, lambda held: ("PUT", path, {**{name: held[name] for name in CHANGEABLE}, "jwks": keys(held["jwks"])})
    ).json()


@clients.command("revoke")
def revoke(client: ClientArgument, organisation: AnyOwner = "", url: Url = "") -> None:
    """Shut a client out for good.

    It gets no tokens any more, and those that it holds, or its key, are refused within seconds.
    """
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, as_caller=True) as gateway:
        path = found_path(gateway, "clients", client, organisation)
        gateway.change(path, lambda _: ("DELETE", path, None))
    say(f"client {client} is revoked")
