"""`cleio up`, `serve` and `migrate`: run the system, or one part of it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.errors import fail
from services.cli.options import Service

if TYPE_CHECKING:
    from services.supervisor.installation import Installation


def up(
    replicas: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SERVICE=N",
            envvar="CLEIO_REPLICAS",
            help="Run N processes of a service; registry, notifications and portal need PostgreSQL for this.",
        ),
    ] = None,
) -> None:
    """Run the whole system until Ctrl-C.

    Migrates the databases, then runs the four services and the gateway. Settings: CLEIO_PORT (default 8080),
    CLEIO_BIND (127.0.0.1) and CLEIO_DATA_DIR (./var).
    """
    import os

    from services.cli.setting_names import warn_of_unknown_settings
    from services.supervisor.run import up as run_all

    warn_of_unknown_settings(os.environ)
    raise typer.Exit(run_all(replicas or ()))


def serve(
    service: Service,
    migrate_first: Annotated[bool, typer.Option("--migrate", help="Migrate its database first.")] = False,
    host: Annotated[
        str, typer.Option(envvar="CLEIO_SERVICE_HOST", help="Address to listen at; in a container 0.0.0.0.")
    ] = "127.0.0.1",
) -> None:
    """Run one service alone.

    It listens at the port that `cleio up` would use; CLEIO_<SERVICE>_PORT sets another.
    Exit code 78: its settings are invalid, so starting it again will not help.
    """
    import gc
    import os

    gc.disable()  # While the program loads there is no garbage; looking for it takes a seventh of the start.
    from services.cli.setting_names import warn_of_unknown_settings
    from services.serving import serve_application

    if "CLEIO_SUPERVISED" not in os.environ:  # otherwise `cleio up` has done it
        warn_of_unknown_settings(os.environ)
    with _checked_installation(os.EX_CONFIG) as installation:
        if migrate_first:
            _migrate(service)
        serve_application(
            f"services.{service}.app:create_app",
            installation.service_ports[service][0],
            host,
            installation.gateway.hosts,
        )


def migrate() -> None:
    """Migrate every database to the schema of this version.

    Does nothing where the schema is current. Needs an existing installation: `cleio up` creates one.
    """
    import os

    from services.cli.setting_names import warn_of_unknown_settings

    warn_of_unknown_settings(os.environ)
    with _checked_installation(1) as installation:
        installation.check_created(os.environ)
        installation.make_secrets()  # without them the settings of a service are incomplete
        for service in Service:
            _migrate(service)


def _migrate(service: Service) -> None:
    if service is Service.MATCHING:  # has no database
        return
    from services.cli.databases import migrate_service
    from shared.persistence import (
        OwnedElsewhereError,
        RowLevelSecurityError,
        UnsupportedSqliteError,
        WrongSchemaError,
    )
    from shared.values.problems import Problem, reason_of

    try:
        asyncio.run(migrate_service(service))
    except (OwnedElsewhereError, Problem, RowLevelSecurityError, UnsupportedSqliteError, WrongSchemaError) as error:
        fail(reason_of(error))


@contextmanager
def _checked_installation(exit_code: int) -> "Iterator[Installation]":
    """Read the installation from the environment; end the program with one line when its settings are invalid."""
    import os

    from services.supervisor.installation import CannotStartError, Installation
    from shared.settings import SettingError

    try:
        installation = Installation.from_environment(os.environ)
        installation.check_restored()
        yield installation
    except (CannotStartError, SettingError, OSError) as error:
        fail(str(error), exit_code)
