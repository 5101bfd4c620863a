"""`cleio key`: the keys that sign the installation's tokens."""

from typing import Annotated

import typer

from services.cli.errors import one_line_errors
from services.cli.groups import Group
from services.cli.options import AsJson, Url
from services.cli.output import print_message, print_result

signing_keys = typer.Typer(
    cls=Group, help="The keys that sign the tokens of this installation.", no_args_is_help=True, rich_markup_mode=None
)


@signing_keys.command("rotate")
def rotate(
    compromised: Annotated[
        bool,
        typer.Option("--compromised", help="A key was stolen: create two new keys and reject all others at once."),
    ] = False,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Start signing with the next key and publish another one.

    Tokens stay valid: a former key is accepted for ten minutes more. A new key signs at the earliest ten seconds after
    it was published.
    """
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        published = gateway.send(
            "POST", f"/registry/v1/signing-keys/rotate{'?compromised=true' if compromised else ''}", body={}
        ).json()
    print_message(f"{len(published['kids'])} keys are published")
    print_result(published, "\n".join(published["kids"]), as_json=as_json)
