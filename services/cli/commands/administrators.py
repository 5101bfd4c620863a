"""`cleio admin`: administrators of the installation."""

from typing import Annotated

import typer

from services.cli.errors import one_line_errors
from services.cli.groups import Group
from services.cli.options import AsJson
from services.cli.output import print_message, print_result

administrators = typer.Typer(
    cls=Group, help="Administrators of this installation.", no_args_is_help=True, rich_markup_mode=None
)


@administrators.command("create")
def create(
    name: Annotated[
        str, typer.Option(help="A name that distinguishes this administrator's key from others.")
    ] = "administrator",
    as_json: AsJson = False,
) -> None:
    """Create an administrator and print its key. The key is shown only once.

    Run it on the machine of the running system, as a user who can read its secrets:
    export CLEIO_TOKEN="$(cleio admin create)"
    """
    from services.cli.databases import settings_of
    from services.cli.gateway import open_gateway
    from services.cli.installation import existing_installation

    with one_line_errors():
        installation = existing_installation()
        token = settings_of("registry").internal_token.get_secret_value()
        # Over loopback, whatever address the other services use: the registry answers this call only there.
        port = installation.service_ports["registry"][0]
        with open_gateway(f"http://127.0.0.1:{port}", token=token) as registry:
            created = registry.send("POST", "/registry/v1/internal/administrators", body={"name": name}).json()
    print_message(
        f"administrator {created['id']} of {created['organisation']}, "
        f"valid until {created['expires_at'][:10]}; its key, shown only once:"
    )
    print_result(created, created["key"], as_json=as_json)
