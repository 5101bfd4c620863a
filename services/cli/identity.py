"""Who may call: administrators, organisations, clients, people. Each command is a call to the running system."""

import json
from typing import Annotated

import typer

from services.cli.gateway import open_gateway
from services.cli.operations import one_line_errors

administrators = typer.Typer(help="Administrators of this installation.", no_args_is_help=True, rich_markup_mode=None)


@administrators.command("create")
def create_administrator(
    name: Annotated[str, typer.Option(help="Tells this administrator's key from another's.")] = "administrator",
) -> None:
    """Make an administrator and print its key, once; it is not shown again and not kept.

    Only on the machine of the running system, for who can read its secrets. `export CLEIO_TOKEN="$(cleio admin create)"` takes the key.
    """
    from services.cli.databases import settings_of

    with one_line_errors():
        settings = settings_of("registry")
        with open_gateway(settings.service_url("registry"), token=settings.internal_token.get_secret_value()) as registry:
            made = registry.send("POST", "/registry/v1/internal/administrators", content=json.dumps({"name": name}).encode()).json()
    typer.echo(f"administrator {made['id']} of {made['organisation']}, until {made['expires_at'][:10]}; its key, shown this once:", err=True)
    typer.echo(made["key"])
