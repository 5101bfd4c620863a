"""`cleio audit`: check the audit log."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.errors import one_line_errors
from services.cli.output import print_message

audits = typer.Typer(help="The audit log: who did what.", no_args_is_help=True, rich_markup_mode=None)


@audits.command("verify")
def verify(
    backup: Annotated[
        Path | None, typer.Option(metavar="FILE|DIR", help="Check this backup instead of the live databases.")
    ] = None,
    checkpoints: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A copy of the audit folder that was kept elsewhere.")
    ] = None,
    public_key: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="A former public key of the installation (PEM).")
    ] = None,
) -> None:
    """Check that no entry of the audit log was changed or removed.

    Exit code 1 when something was. A removal of the newest entries together with their checkpoints shows only with a
    copy of the checkpoints that was kept elsewhere.
    """
    from services.cli.audit import verify_all

    with one_line_errors():
        verdicts = verify_all(backup, checkpoints, public_key or [], print_message)
    findings = [f"{name}: {finding}" for name, verdict in verdicts.items() for finding in verdict.findings]
    for finding in findings:
        typer.echo(finding)
    if findings:
        raise typer.Exit(1)
    typer.echo("audit log verified: no gaps or changes")
