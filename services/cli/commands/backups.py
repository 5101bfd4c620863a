"""`cleio backup` and `cleio restore`."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.errors import fail, one_line_errors
from services.cli.groups import group_with_default
from services.cli.options import AsJson
from services.cli.output import print_json, print_message, print_result

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
    as_json: AsJson = False,
) -> None:
    """Copy every database of the installation, consistent with each other, then check the copy.

    The system keeps running. The matching service has no data of its own.
    """
    from services.cli.backup import make_backup
    from services.cli.installation import existing_installation

    with one_line_errors():
        existing_installation()
        path = make_backup(into, with_secrets=with_secrets, as_tar=tar, report=print_message)
    if not with_secrets:
        print_message("the backup does not contain the secrets: keep a copy of the secrets folder elsewhere")
    print_result({"path": str(path.absolute()), "secrets": with_secrets}, str(path), as_json=as_json)


@backups.command("verify")
def verify(path: BackupPath, as_json: AsJson = False) -> None:
    """Check that a backup is complete and consistent: checksums, pages, references and feed positions."""
    from services.cli.backup import verify_backup

    with one_line_errors():
        manifest = verify_backup(path, print_message)
    made_at = f"{manifest.made_at:%Y-%m-%dT%H:%M:%SZ}"
    print_result(
        {
            "complete": True,
            "made_at": made_at,
            "version": manifest.program,
            "services": {
                name: {"rows": sum(copy.rows.values()), "bytes": copy.bytes} for name, copy in manifest.services.items()
            },
        },
        f"backup complete: made {made_at} by version {manifest.program}",
        as_json=as_json,
    )


def restore(
    path: Annotated[
        Path | None,
        typer.Argument(metavar="FILE|DIR", help="A backup, or a folder of backups: then its newest one."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything; change nothing.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Bring back the data that the last restore replaced.")] = False,
    as_json: AsJson = False,
) -> None:
    """Replace the data of the installation with a backup. The system must be stopped.

    Everything is checked before anything changes, and the replaced data is kept. Consumers of the feed then get the
    answer 410 and load their copy again.
    """
    from services.cli.installation import named_installation
    from services.cli.restore import restore as restore_backup
    from services.cli.restore import undo as undo_restore

    if (path is None) != undo or (undo and dry_run):
        fail("name a backup, or use --undo alone")
    former = None
    with one_line_errors():
        named_installation()
        if path is None:
            undo_restore(print_message)
        else:
            former = restore_backup(path, dry_run=dry_run, report=print_message)
    if as_json:
        print_json(
            {
                "restored": path is not None and not dry_run,
                "undone": undo,
                "former_data": None if former is None else str(former),
            }
        )
