"""`cleio backup` and `cleio restore`."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.errors import fail, one_line_errors
from services.cli.groups import group_with_default
from services.cli.output import print_message

backups = typer.Typer(
    cls=group_with_default("make"),
    help="Copy every database while the system runs: cleio backup DIR.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

BackupPath = Annotated[
    Path, typer.Argument(metavar="FILE|DIR", help="A backup, or a folder of backups: then its newest one.")
]


@backups.command("make")
def make(
    into: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder for the backup, which becomes DIR/cleio-<time>.")
    ],
    with_secrets: Annotated[
        bool,
        typer.Option(
            "--with-secrets", help="Also copy the secrets. A backup without them can only be used with a copy of them."
        ),
    ] = False,
    tar: Annotated[bool, typer.Option("--tar", help="Write one .tar file instead of a folder.")] = False,
) -> None:
    """Copy every database of the installation, consistent with each other, then check the copy.

    The system keeps running. The matching service has no data of its own.
    """
    from services.cli.backup import make_backup

    with one_line_errors():
        path = make_backup(into, with_secrets=with_secrets, as_tar=tar, tell=print_message)
    if not with_secrets:
        print_message("the backup does not contain the secrets: keep a copy of the secrets folder elsewhere")
    typer.echo(path)


@backups.command("verify")
def verify(path: BackupPath) -> None:
    """Check that a backup is complete and consistent: checksums, pages, references and feed positions."""
    from services.cli.backup import verify_backup

    with one_line_errors():
        manifest = verify_backup(path, print_message)
    typer.echo(f"backup complete: made {manifest.made_at:%Y-%m-%dT%H:%M:%SZ} by version {manifest.program}")


def restore(
    path: Annotated[
        Path | None,
        typer.Argument(metavar="FILE|DIR", help="A backup, or a folder of backups: then its newest one."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything; change nothing.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Bring back the data that the last restore replaced.")] = False,
) -> None:
    """Replace the data of the installation with a backup. The system must be stopped.

    Everything is checked before anything changes, and the replaced data is kept. Consumers of the feed then get the
    answer 410 and load their copy again.
    """
    from services.cli.restore import restore as restore_backup
    from services.cli.restore import undo as undo_restore

    if (path is None) != undo or (undo and dry_run):
        fail("name a backup, or use --undo alone")
    with one_line_errors():
        if path is None:
            undo_restore(print_message)
        else:
            restore_backup(path, dry_run=dry_run, tell=print_message)
