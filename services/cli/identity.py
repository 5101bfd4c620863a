"""Who may call: administrators, the issuer's keys, tokens, and who one is to the system. Each command is a call to the running system."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from services.cli.operations import one_line_errors, say
from services.cli.options import AsJson, Url, print_fields, print_json, print_result, words

administrators = typer.Typer(help="Administrators of this installation.", no_args_is_help=True, rich_markup_mode=None)
signing_keys = typer.Typer(
    help="The keys that this installation signs its tokens with.", no_args_is_help=True, rich_markup_mode=None
)


@administrators.command("create")
def create_administrator(
    name: Annotated[str, typer.Option(help="Tells this administrator's key from another's.")] = "administrator",
    as_json: AsJson = False,
) -> None:
    """Make an administrator and print its key, this once.

    Only on the machine of the running system, for who can read its secrets. `export CLEIO_TOKEN="$(cleio admin create)"` takes the key.
    """
    import os

    from services.cli.databases import settings_of
    from services.cli.gateway import open_gateway
    from services.supervisor.installation import Installation

    with one_line_errors():
        token = settings_of("registry").internal_token.get_secret_value()
        # Over loopback, whatever address the other services know: nobody else is answered.
        port = Installation.from_environment(os.environ).service_ports["registry"][0]
        with open_gateway(f"http://127.0.0.1:{port}", token=token) as registry:
            made = registry.send("POST", "/registry/v1/internal/administrators", body={"name": name}).json()
    say(
        f"administrator {made['id']} of {made['organisation']}, until {made['expires_at'][:10]}; its key, shown this once:"
    )
    print_result(made, made["key"], as_json=as_json)


@signing_keys.command("rotate")
def rotate(
    compromised: Annotated[
        bool, typer.Option("--compromised", help="A key is in wrong hands: make two new ones, believe no other.")
    ] = False,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Let the announced key sign, and announce another.

    No token is refused for it: a key that signs no more is believed for ten minutes, and none signs within ten seconds after it was announced.
    """
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, as_caller=True) as gateway:
        published = gateway.send(
            "POST", f"/registry/v1/signing-keys/rotate{'?compromised=true' if compromised else ''}", body={}
        ).json()
    say(f"{len(published['kids'])} keys are published")
    print_result(published, "\n".join(published["kids"]), as_json=as_json)


def whoami(as_json: AsJson = False, url: Url = "") -> None:
    """Tell who CLEIO_TOKEN is to the system, and what it may do."""
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, as_caller=True) as gateway:
        found = gateway.read("/registry/v1/me")
    if as_json:
        print_json(found)
    else:
        print_fields(found)


def token(
    client: Annotated[str, typer.Option(metavar="CLIENT", help="The client's id.")],
    key: Annotated[Path, typer.Option(metavar="FILE", help="Its private key: a JWK, or PEM with --kid.")],
    kid: Annotated[
        str, typer.Option(help="The name under which the key is registered.", show_default="the key's own")
    ] = "",
    scopes: Annotated[
        list[str] | None,
        typer.Option(metavar="SCOPES", help="Only these of its rights.", show_default="all that it has"),
    ] = None,
    smart: Annotated[bool, typer.Option("--smart", help="It is registered as a SMART client.")] = False,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Take an access token for a client.

    It is printed alone: export CLEIO_TOKEN="$(cleio token …)". It serves for five minutes. The key is read on this machine,
    signs one assertion, and is sent nowhere.
    """
    from services.cli.client_keys import read_private_key, take_token
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url) as gateway:
        answer = take_token(
            gateway, client, read_private_key(key, kid), kid=kid, smart=smart, scopes=" ".join(words(scopes or []))
        )
    say(f"a token for {answer['expires_in']} seconds: {answer['scope']}")
    print_result(answer, answer["access_token"], as_json=as_json)


def login(
    issuer: Annotated[
        str,
        typer.Option(
            metavar="URL", envvar="CLEIO_OIDC_ISSUER", help="The OpenID provider, exactly as it names itself."
        ),
    ] = "",
    audience: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            envvar="CLEIO_OIDC_AUDIENCE",
            help="Whom its tokens are to be meant for: this installation's name there.",
        ),
    ] = "",
    client_id: Annotated[
        str, typer.Option(metavar="ID", envvar="CLEIO_OIDC_CLIENT", help="The command line's name there.")
    ] = "cleio",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the token there, for you alone, instead of printing it.")
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Try to open a browser; the address is printed in any case.")
    ] = True,
    patience: Annotated[
        int, typer.Option("--timeout", metavar="SECONDS", help="How long to wait.", min=5, max=3600)
    ] = 300,
) -> None:
    """Sign in as a person, at the OpenID provider.

    The access token is printed alone: export CLEIO_TOKEN="$(cleio login)". What it may do is the matter of the person's membership
    here (cleio member add).
    """
    from services.cli.gateway import CallError
    from services.cli.login import keep_token, log_in

    with one_line_errors():
        if not issuer or not audience:
            raise CallError(
                "name the provider and the audience: --issuer and --audience, or CLEIO_OIDC_ISSUER and CLEIO_OIDC_AUDIENCE"
            )
        told = log_in(issuer, client_id, audience, browser=browser, patience=patience, tell=say)
        if out is not None:
            keep_token(out, told["access_token"])
            say(f'the token is in {out}: export CLEIO_TOKEN="$(cat {shlex.quote(str(out))})"')
    if isinstance(told.get("expires_in"), int):
        say(f"a token for {told['expires_in']} seconds")
    if out is None:
        typer.echo(told["access_token"])
