"""`cleio whoami`, `token` and `login`: get an access token, and show what it allows."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from services.cli.errors import one_line_errors
from services.cli.options import AsJson, Url, split_values
from services.cli.output import print_fields, print_json, print_message, print_result


def whoami(as_json: AsJson = False, url: Url = "") -> None:
    """Show whom CLEIO_TOKEN belongs to and what it allows."""
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        caller = gateway.read("/registry/v1/me")
    if as_json:
        print_json(caller)
    else:
        print_fields(caller)


def token(
    client: Annotated[str, typer.Option(metavar="CLIENT", help="Id of the client.")],
    key: Annotated[Path, typer.Option(metavar="FILE", help="Its private key: a JWK, or PEM with --kid.")],
    kid: Annotated[
        str, typer.Option(help="The id under which the key is registered.", show_default="the id in the key")
    ] = "",
    scopes: Annotated[
        list[str] | None,
        typer.Option(metavar="SCOPES", help="Request only these scopes.", show_default="all that the client has"),
    ] = None,
    smart: Annotated[bool, typer.Option("--smart", help="The client is registered as a SMART client.")] = False,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Get an access token for a client.

    Only the token is printed: export CLEIO_TOKEN="$(cleio token …)". It is valid for five minutes. The key stays on
    this machine: it signs one assertion and is not sent.
    """
    from services.cli.client_keys import fetch_token, read_private_key
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url) as gateway:
        answer = fetch_token(
            gateway,
            client,
            read_private_key(key, kid),
            kid=kid,
            smart=smart,
            scopes=" ".join(split_values(scopes or [])),
        )
    print_message(f"token valid for {answer['expires_in']} seconds, scopes: {answer['scope']}")
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
            help="The audience of its tokens: the name of this installation at the provider.",
        ),
    ] = "",
    client_id: Annotated[
        str,
        typer.Option(metavar="ID", envvar="CLEIO_OIDC_CLIENT", help="The name of this command line at the provider."),
    ] = "cleio",
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the token to a file that only you can read, instead of printing it."),
    ] = None,
    browser: Annotated[
        bool,
        typer.Option("--browser/--no-browser", help="Try to open a browser. The address is printed in both cases."),
    ] = True,
    timeout: Annotated[int, typer.Option(metavar="SECONDS", help="How long to wait.", min=5, max=3600)] = 300,
    as_json: AsJson = False,
) -> None:
    """Sign in as a person at the OpenID provider.

    Only the access token is printed: export CLEIO_TOKEN="$(cleio login)". Its rights come from the person's membership
    here (cleio member add).
    """
    from services.cli.gateway import CallError
    from services.cli.login import log_in, write_token

    with one_line_errors():
        if not issuer or not audience:
            raise CallError(
                "name the provider and the audience: --issuer and --audience, "
                "or CLEIO_OIDC_ISSUER and CLEIO_OIDC_AUDIENCE"
            )
        answer = log_in(issuer, client_id, audience, browser=browser, timeout=timeout, report=print_message)
        if out is not None:
            write_token(out, answer["access_token"])
            print_message(f'the token is in {out}: export CLEIO_TOKEN="$(cat {shlex.quote(str(out))})"')
    if isinstance(answer.get("expires_in"), int):
        print_message(f"token valid for {answer['expires_in']} seconds")
    if out is None:
        print_result(answer, answer["access_token"], as_json=as_json)
