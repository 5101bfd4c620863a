"""The command line `cleio`: puts the commands together. It is the only part of the program that knows all services."""

from typing import Annotated

import typer

from services.cli.commands import configuration, development, session, system
from services.cli.commands.activation import activation
from services.cli.commands.administrators import administrators
from services.cli.commands.audits import audits
from services.cli.commands.backups import backups, restore
from services.cli.commands.capabilities import capabilities
from services.cli.commands.centres import centres
from services.cli.commands.clients import clients
from services.cli.commands.coverage import coverage
from services.cli.commands.criteria import criteria
from services.cli.commands.databases import databases
from services.cli.commands.demonstration import demo
from services.cli.commands.enrolment import enrolment
from services.cli.commands.feasibility import feasibility
from services.cli.commands.feed import feeds
from services.cli.commands.geography import geography
from services.cli.commands.holds import holds
from services.cli.commands.imports import import_records
from services.cli.commands.jobs import jobs
from services.cli.commands.match import match
from services.cli.commands.members import members
from services.cli.commands.notices import notices
from services.cli.commands.organisations import organisations
from services.cli.commands.patients import patients
from services.cli.commands.places import places
from services.cli.commands.referrals import referrals, worklist
from services.cli.commands.reports import report
from services.cli.commands.reviews import reviews
from services.cli.commands.signing_keys import signing_keys
from services.cli.commands.sources import sources
from services.cli.commands.status import status
from services.cli.commands.submissions import submissions
from services.cli.commands.terminology import terminology
from services.cli.commands.trial_history import versions
from services.cli.commands.trial_states import states
from services.cli.commands.trials import trials
from services.cli.commands.webhooks import webhooks
from services.cli.groups import Group

app = typer.Typer(
    cls=Group,
    help="Find gene and cell therapy trials for a patient, and run the system that does it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"cleio {version('cleio')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Declare the options of `cleio` itself."""


app.command()(system.up)
app.command()(system.serve)
app.command()(system.migrate)
app.command()(demo)
app.command()(status)
app.command()(match)
app.add_typer(patients, name="patient")
trials.add_typer(states)
trials.add_typer(versions)
app.add_typer(trials, name="trial")
app.add_typer(centres, name="centre")
app.add_typer(criteria, name="criteria")
app.command()(coverage)
app.command()(report)
app.add_typer(feeds, name="feed")
app.command("import")(import_records)
app.add_typer(terminology, name="terminology")
app.add_typer(geography, name="geo")
app.add_typer(sources, name="sources")
app.add_typer(places, name="places")
app.add_typer(referrals, name="referrals")
app.command()(worklist)
app.add_typer(submissions, name="submissions")
app.add_typer(feasibility, name="feasibility")
app.add_typer(holds, name="holds")
app.add_typer(enrolment, name="enrolment")
app.add_typer(capabilities, name="capabilities")
app.add_typer(activation, name="activation")
app.add_typer(jobs, name="jobs")
app.add_typer(reviews, name="reviews")
app.add_typer(notices, name="notices")
app.add_typer(webhooks, name="webhooks")
app.add_typer(backups, name="backup")
app.command()(restore)
app.command()(configuration.config)
app.add_typer(databases, name="db")
app.add_typer(audits, name="audit")
app.add_typer(administrators, name="admin")
app.add_typer(organisations, name="org")
app.add_typer(clients, name="client")
app.add_typer(members, name="member")
app.add_typer(signing_keys, name="key")
app.command()(session.whoami)
app.command()(session.token)
app.command()(session.login)
app.command()(development.revision)
app.command()(development.openapi)
app.command()(development.bench)


def main() -> None:
    """Entry point of the console script."""
    app(prog_name="cleio")


if __name__ == "__main__":
    main()
