"""`cleio audit`: check the audit log."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from services.cli.errors import one_line_errors
from services.cli.groups import Group
from services.cli.options import AsJson
from services.cli.output import print_json, print_message

audits = typer.Typer(cls=Group, help="The audit logs: who did what.", no_args_is_help=True, rich_markup_mode=None)


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
    log: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SERVICE",
            help="Check only this log; for services that run on several machines.",
            show_default="registry, notifications, matching",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check that the audit logs of all services exist and are complete and unchanged.

    Exit code 1 otherwise. An attacker who can write all files of this machine can also remove the newest entries
    together with their checkpoints: only a copy of the checkpoints that is kept elsewhere (--checkpoints) shows that.
    """
    from services.cli.audit import verify_all
    from services.cli.installation import existing_installation

    with one_line_errors():
        existing_installation()
        verdicts = verify_all(backup, checkpoints, public_key or [], log or [], print_message)
    findings = [f"{name}: {finding}" for name, verdict in verdicts.items() for finding in verdict.findings]
    if as_json:
        print_json(
            {"verified": not findings, "services": {name: asdict(verdict) for name, verdict in verdicts.items()}}
        )
    else:
        for line in findings or ["audit logs verified: no gaps or changes"]:
            typer.echo(line)
    if findings:
        raise typer.Exit(1)
