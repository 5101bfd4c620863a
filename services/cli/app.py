"""The command line `cleio`: the one module that knows all services. It imports one only when it runs it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from services.cli import clients, identity, operations, organisations
from services.cli.options import AsJson, Url

if TYPE_CHECKING:
    from services.supervisor.installation import Installation

app = typer.Typer(
    help="Which gene or cell therapy trial, where and when, for this patient.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
imports = typer.Typer(help="Bring trials in from files.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(imports, name="import")


class Service(StrEnum):
    REGISTRY = "registry"
    MATCHING = "matching"
    NOTIFICATIONS = "notifications"


class Language(StrEnum):
    FR = "fr"
    EN = "en"


@app.command()
def up(
    replicas: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SERVICE=N",
            envvar="CLEIO_REPLICAS",
            help="Run a service N times; registry and notifications need PostgreSQL for it.",
        ),
    ] = None,
) -> None:
    """Run the whole system until Ctrl-C.

    Migrates the databases, then runs the three services and the gateway.
    CLEIO_PORT (8080), CLEIO_BIND (127.0.0.1) and CLEIO_DATA_DIR (./var) say where.
    """
    from services.supervisor.run import up as run_all

    raise typer.Exit(run_all(replicas or ()))


@app.command()
def serve(
    service: Service,
    migrate_first: Annotated[bool, typer.Option("--migrate", help="Migrate its database first.")] = False,
    host: Annotated[
        str, typer.Option(envvar="CLEIO_SERVICE_HOST", help="Address to listen at; in a container 0.0.0.0.")
    ] = "127.0.0.1",
) -> None:
    """Run one service alone.

    It listens at the port that `cleio up` would give it; CLEIO_<SERVICE>_PORT chooses another.
    Exit code 78: it cannot run as it is set up.
    """
    import gc
    import os

    gc.disable()  # Until all is loaded: nothing of it is garbage, and looking for some takes a seventh of the start.
    from services.serving import serve_application

    with _set_up(os.EX_CONFIG) as installation:
        if migrate_first:
            _migrate(service)
        serve_application(
            f"services.{service}.app:create_app", installation.service_ports[service][0], host, installation.door.hosts
        )


@app.command()
def migrate() -> None:
    """Bring every database to this schema.

    Does nothing where it is there already.
    """
    with _set_up(1) as installation:
        installation.make_secrets()  # the settings of a service are not complete without them
        for service in Service:
            _migrate(service)


def _migrate(service: Service) -> None:
    if service is Service.MATCHING:  # it keeps no database: nothing of one is loaded for it
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
        _fail(reason_of(error))


@contextmanager
def _set_up(exit_code: int) -> "Iterator[Installation]":
    """The installation of the environment; what is wrong with it ends the program with one line."""
    import os

    from services.supervisor.installation import CannotStartError, Installation
    from shared.settings import SettingError

    try:
        installation = Installation.from_environment(os.environ)
        installation.check_restored()
        yield installation
    except (CannotStartError, SettingError, OSError) as error:
        _fail(str(error), exit_code)


@app.command()
def revision(service: Service, message: Annotated[str, typer.Argument(help="What changes, in a few words.")]) -> None:
    """Write the next migration of a service.

    It leads from the head of its migrations to its tables as they have become.
    """
    from services.cli.databases import write_revision

    if not message.strip():
        _fail('a revision needs its message: make revision service=registry m="add the sites table"')
    if service is Service.MATCHING:
        _fail("matching keeps no database")
    asyncio.run(write_revision(service, message.strip()))


@imports.command("ctgov")
def import_ctgov(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE|DIR...", help="Version 2 records: .json (one, a list, or {studies: […]}) or .jsonl."
        ),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")] = False,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Send ClinicalTrials.gov records to the running registry. Exit code 1 when a record was invalid or unreadable."""
    from services.cli.gateway import CallError, open_gateway
    from services.cli.importing import import_files, show

    try:
        with open_gateway(url, as_caller=True) as gateway:
            report = import_files(gateway, paths, dry_run=dry_run, progress=not as_json)
    except CallError as error:
        _fail(str(error))
    show(report, as_json=as_json, dry_run=dry_run)
    raise typer.Exit(1 if report.faulty else 0)


@app.command()
def match(
    patient: Annotated[
        Path, typer.Argument(metavar="PATIENT.json", help="Native patient or Phenopacket v2; - is standard input.")
    ],
    lang: Annotated[Language, typer.Option(help="Language of the answer.")] = Language.FR,
    trial: Annotated[str, typer.Option(help="Show every criterion of this trial, with its reason and evidence.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Trials in the table.")] = 10,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Ask which trials fit a patient, where and when. Pre-screening only: a clinician decides."""
    from services.cli.gateway import CallError, open_gateway
    from services.cli.matching import ask, show_answer, show_trial

    try:
        with open_gateway(url) as gateway:
            answer = ask(gateway, patient, lang)
        if as_json:
            typer.echo(answer.text)
        elif trial:
            show_trial(answer, trial, lang)
        else:
            show_answer(answer, lang, limit)
    except CallError as error:
        _fail(str(error))


@app.command()
def openapi(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 1 when a file differs or breaks the release.")
    ] = False,
) -> None:
    """Write the OpenAPI files of the services.

    They are docs/openapi/<service>.json, made from the services as they are.
    """
    from services.cli.openapi import breaks, write_all

    stale = write_all(check=check)
    if check and stale:
        _fail(f"not what the services are: {', '.join(stale)} (make openapi writes them)")
    if check and (lines := breaks()):
        _fail(
            "\n  ".join(
                [
                    "this breaks clients of the released interface (docs/openapi/released/README.md says what to do):",
                    *lines,
                ]
            )
        )


@app.command()
def bench(
    seconds: Annotated[float, typer.Option(help="How long each call is repeated.", min=0.1, max=600)] = 2.0,
    connections: Annotated[int, typer.Option(help="How many callers at once.", min=1, max=256)] = 8,
    as_json: AsJson = False,
    url: Annotated[
        str, typer.Option(help="Measure this running system instead of a fresh one with the bundled sample.")
    ] = "",
) -> None:
    """Measure the main calls, and what they are compared with.

    They go through the gateway, to a fresh system with the bundled sample or to the one named with --url; of a fresh one also directly to a service.
    """
    from services.cli.bench import run_bench
    from services.cli.gateway import CallError

    try:
        run_bench(seconds, connections, url, as_json=as_json)
    except CallError as error:
        _fail(str(error))


app.add_typer(operations.backups, name="backup")
app.command("restore")(operations.restore)
app.command("config")(operations.config)
app.add_typer(operations.databases, name="db")
app.add_typer(operations.audits, name="audit")
app.add_typer(operations.feeds, name="feed")
app.add_typer(identity.administrators, name="admin")
app.add_typer(organisations.organisations, name="org")
app.add_typer(clients.clients, name="client")
app.add_typer(organisations.members, name="member")
app.add_typer(identity.signing_keys, name="key")
app.command("whoami")(identity.whoami)
app.command("token")(identity.token)
app.command("login")(identity.login)


def _fail(message: str, exit_code: int = 1) -> NoReturn:
    typer.echo(f"cleio: {message}", err=True)
    raise typer.Exit(exit_code)


def main() -> None:
    """Entry point of the console script."""
    app(prog_name="cleio")


if __name__ == "__main__":
    main()
