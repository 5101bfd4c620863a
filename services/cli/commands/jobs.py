"""`cleio jobs`: imports of partner networks that run in the registry."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.errors import one_line_errors
from services.cli.groups import Group
from services.cli.options import AsJson, Url
from services.cli.output import print_json, print_message

jobs = typer.Typer(cls=Group, help="Imports of partner networks.", no_args_is_help=True, rich_markup_mode=None)

Job = Annotated[str, typer.Argument(metavar="JOB", help="As the list gives it, such as J000012.")]


@jobs.command("list")
def list_all(
    source: Annotated[str, typer.Option(help="Only this source, such as partner:pedstart.")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Number of jobs.")] = 20,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """List the jobs of your source, newest first; for the coordination those of all."""
    from services.cli.gateway import open_gateway
    from services.cli.jobs import list_jobs, print_jobs

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = list_jobs(gateway, source, limit)
    if as_json:
        print_json(found)
    else:
        print_jobs(found)


@jobs.command("show")
def show(
    job: Job,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the result of each line to a .csv or .ndjson file.")
    ] = None,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Show a job: its progress, its results, and the lines that need attention."""
    from services.cli.gateway import open_gateway
    from services.cli.jobs import noteworthy, print_job, read_job, save_results

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = read_job(gateway, job)
        if report is not None:
            save_results(gateway, job, report)
        results = noteworthy(gateway, found)
    if as_json:
        print_json({**found, "lines": results})
    else:
        print_job(found, results)


@jobs.command("undo")
def undo(job: Job, as_json: AsJson = False, url: Url = "") -> None:
    """Undo a push that has ended: each record becomes what it was before, unless it has changed since."""
    from services.cli.gateway import open_gateway
    from services.cli.jobs import act, follow, noteworthy, print_job

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        undoing = follow(gateway, act(gateway, job, "undo"), progress=not as_json)
        results = noteworthy(gateway, undoing)
    if as_json:
        print_json({**undoing, "lines": results})
    else:
        print_job(undoing, results)


@jobs.command("cancel")
def cancel(job: Job, url: Url = "") -> None:
    """Cancel a job that waits or runs. What it did stays, and can be undone."""
    from services.cli.gateway import open_gateway
    from services.cli.jobs import act

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = act(gateway, job, "cancel")
    print_message(f"{job} {found['state'] if found['state'] != 'running' else 'stops after its present lines'}")
