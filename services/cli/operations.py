"""The operator's commands: backup, restore and the moving of databases."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from typer._click.core import Context


class MakeByDefault(TyperGroup):
    """`cleio backup DIR` makes one; a name of a subcommand runs that."""

    def parse_args(self, ctx: "Context", args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, "--help"}:
            args = ["make", *args]
        return super().parse_args(ctx, args)


backups = typer.Typer(
    cls=MakeByDefault,
    help="Copy every database while the system runs: cleio backup DIR.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
audits = typer.Typer(help="Audit logs: who did what.", no_args_is_help=True, rich_markup_mode=None)
databases = typer.Typer(
    help="Move a service's data from one database to another.", no_args_is_help=True, rich_markup_mode=None
)


@backups.command("make")
def backup_make(
    into: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder that receives the backup, as DIR/cleio-<instant>.")
    ],
    with_secrets: Annotated[
        bool,
        typer.Option(
            "--with-secrets", help="Also copy the secrets: without them the backup is of use only beside them."
        ),
    ] = False,
    tar: Annotated[bool, typer.Option("--tar", help="One .tar file instead of a folder.")] = False,
) -> None:
    """Copy every database of the installation, of one moment each and consistent together, then check the copy.

    Nothing has to be stopped. Matching keeps no data of its own.
    """
    from services.cli.backup import make_backup

    with one_line_errors():
        made = make_backup(into, with_secrets=with_secrets, as_tar=tar, report=say)
    if not with_secrets:
        say("the secrets are not in it: keep a copy of the secrets folder elsewhere")
    typer.echo(made)


@backups.command("verify")
def backup_verify(
    path: Annotated[
        Path, typer.Argument(metavar="FILE|DIR", help="A backup, or a folder of backups: then its newest.")
    ],
) -> None:
    """Check that a backup is whole and fits together: every digest, page, relation and position."""
    from services.cli.backup import verify_backup

    with one_line_errors():
        manifest = verify_backup(path, say)
    typer.echo(f"complete: made {manifest.made_at:%Y-%m-%dT%H:%M:%SZ} by version {manifest.program}")


def restore(
    path: Annotated[
        Path | None, typer.Argument(metavar="FILE|DIR", help="A backup, or a folder of backups: then its newest.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything; change nothing.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Put back what the last restore set aside.")] = False,
) -> None:
    """Put a backup in the place of the installation's data. The system must be stopped.

    All is checked before anything changes; the former data are kept aside. Consumers of the feed are told (410) to load their copy again.
    """
    from services.cli.restore import restore as restore_backup
    from services.cli.restore import undo as undo_restore

    if (path is None) != undo or (undo and dry_run):
        fail("name a backup, or --undo")
    with one_line_errors():
        if path is None:
            undo_restore(say)
        else:
            restore_backup(path, dry_run=dry_run, report=say)


@databases.command("copy")
def db_copy(
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="registry or notifications.")],
    from_url: Annotated[str, typer.Option("--from", metavar="URL", help="sqlite:///path or postgresql://… to read.")],
    to_url: Annotated[str, typer.Option("--to", metavar="URL", help="An empty database; it is migrated first.")],
) -> None:
    """Copy a service's rows into an empty database, all or nothing, and compare them row by row before they are kept.

    Stop the service first; then set CLEIO_<SERVICE>_DATABASE_URL.
    """
    from services.cli.copying import copy_database

    if service not in {"registry", "notifications"}:
        fail("only registry and notifications keep a database")
    seen: dict[str, int] = {}
    with one_line_errors():
        copied = asyncio.run(copy_database(service, from_url, to_url, seen.__setitem__))
    for table, digest in copied.items():
        typer.echo(f"{table:<24}{digest.rows:>10}  {digest.digest[:16]}")
    typer.echo(f"{sum(digest.rows for digest in copied.values())} rows, the same on both sides")


feeds = typer.Typer(help="Manage a feed of changes.", no_args_is_help=True, rich_markup_mode=None)


@feeds.command("new-generation")
def feed_new_generation(
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="The service that has the feed: registry.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen; change nothing.")] = False,
) -> None:
    """Make every consumer of a feed load its copy again: run it after a fail-over to a promoted standby.

    A promoted standby may lack the last changes, which consumers have already read. A new generation refuses their
    cursors (410), so that they load the export again. The service may be running on PostgreSQL; stop it on SQLite.
    """
    from services.cli.feed_history import begin_generation

    with one_line_errors():
        made = asyncio.run(begin_generation(service, dry_run=dry_run))
    typer.echo(f"{service}: the feed is at generation {made.before.generation}, entry {made.before.seq}")
    if dry_run:
        typer.echo(f"dry run: generation {made.number} would begin, and every consumer would load its copy again")
    else:
        typer.echo(f"generation {made.number} has begun: every consumer loads its copy again")


@audits.command("verify")
def audit_verify(
    backup: Annotated[
        Path | None, typer.Option(metavar="FILE|DIR", help="Look into this backup instead of the live databases.")
    ] = None,
    checkpoints: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A copy of the audit folder that was kept elsewhere.")
    ] = None,
    public_key: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="A former public key of the installation (PEM).")
    ] = None,
    log: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SERVICE",
            help="Check only this log; for services that run on several machines.",
            show_default="registry, notifications, matching",
        ),
    ] = None,
) -> None:
    """Check that the audit logs of all services exist and are complete and unchanged.

    Exit code 1 otherwise. An attacker who can write all files of this machine can also remove the newest entries together
    with their checkpoints: only a copy of the checkpoints that is kept elsewhere (--checkpoints) shows that.
    """
    from services.cli.audit import verify_all

    with one_line_errors():
        verdicts = verify_all(backup, checkpoints, public_key or [], log or [], say)
    findings = [f"{name}: {finding}" for name, verdict in verdicts.items() for finding in verdict.findings]
    for finding in findings:
        typer.echo(finding)
    if findings:
        raise typer.Exit(1)
    typer.echo("audit logs verified: no gaps or changes")


def config(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Print every setting, with secrets masked."""
    import json

    from services.cli.config import effective_settings

    with one_line_errors():
        found = effective_settings()
    if as_json:
        typer.echo(json.dumps(found, indent=2, default=str))
        return
    for service, settings in found.items():
        typer.echo(service)
        for name, value in settings.items():
            typer.echo(f"  {name:<32}{value}")


class one_line_errors:
    """What an operator can put right is told in one line, with exit code 1."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            return
        from services.cli.gateway import CallError

        if isinstance(error, (CallError, OSError)):
            fail(str(error))
        from services.cli.audit import UnknownLogError, UnreadableKeyError
        from services.cli.copying import COPY_ERRORS
        from services.cli.feed_history import NoFeedError
        from services.cli.restore import RestoreRefusedError
        from services.supervisor.installation import CannotStartError
        from shared.operations.backups.manifest import UnreadableBackupError
        from shared.settings import SettingError
        from shared.values.problems import Problem, reason_of

        expected = (
            *COPY_ERRORS,
            CannotStartError,
            NoFeedError,
            SettingError,
            Problem,
            RestoreRefusedError,
            UnknownLogError,
            UnreadableBackupError,
            UnreadableKeyError,
        )
        if isinstance(error, expected):
            fail(reason_of(error) if isinstance(error, Problem) else str(error))


def say(line: str) -> None:
    """Progress, beside what a program would read."""
    typer.echo(line, err=True)


def fail(message: str, exit_code: int = 1) -> NoReturn:
    typer.echo(f"cleio: {message}", err=True)
    raise typer.Exit(exit_code)
