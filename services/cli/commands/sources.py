"""`cleio sources`: other registries and partner networks, and their records here."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from services.cli.errors import one_line_errors
from services.cli.groups import Group
from services.cli.options import AsJson, Language, TemplateFormat, Url
from services.cli.output import print_json

sources = typer.Typer(
    cls=Group,
    help="Other registries and partner networks, with their records.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Source = Annotated[str, typer.Argument(metavar="SOURCE", help="The source: ctgov, eclaire, cleio:<name> …")]


@sources.command("status")
def status(as_json: AsJson = False, url: Url = "") -> None:
    """List the sources: when each was fetched last, what it lists, its faults."""
    from services.cli.gateway import open_gateway
    from services.cli.synchronising import print_sources, read_sources

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = read_sources(gateway)
    if as_json:
        print_json(found)
    else:
        print_sources(found)


@sources.command("sync")
def sync(
    source: Source,
    once: Annotated[bool, typer.Option("--once", help="End at the first fault instead of waiting.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report what would change; change nothing.")] = False,
    full: Annotated[bool, typer.Option("--full", help="List everything, not only what changed.")] = False,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Fetch what changed since this day.")
    ] = None,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Fetch the records of a source now. The registry does the work: the command can be interrupted."""
    from services.cli.gateway import open_gateway
    from services.cli.synchronising import print_run, synchronise

    day = since.date() if since is not None else None
    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        state = synchronise(gateway, source, full=full, dry_run=dry_run, since=day, once=once, progress=not as_json)
    if as_json:
        print_json(state)
    else:
        print_run(state)


@sources.command("cancel")
def cancel(source: Source, url: Url = "") -> None:
    """End the run of a source. What was stored stays."""
    from services.cli.gateway import open_gateway

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        gateway.send("DELETE", f"/registry/v1/sources/{source}/sync")


@sources.command("records")
def records(
    source: Source,
    state: Annotated[str, typer.Argument(help="quarantine: could not be imported; missing: no longer there.")] = (
        "quarantine"
    ),
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Number of records.")] = 50,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """List records of a source that could not be imported, with the reason, or that it no longer has."""
    from services.cli.gateway import open_gateway
    from services.cli.synchronising import print_records, read_records

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        found = read_records(gateway, source, state, limit)
    if as_json:
        print_json(found)
    else:
        print_records(found)


@sources.command("push")
def push(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Trials: .csv, .xlsx or .ndjson, as `cleio sources template` shows.")
    ],
    source: Annotated[str, typer.Option(help="Your source: partner: and the id of your organisation.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report what would happen; change nothing.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="The file has all your trials: mark the others as missing; delete none.")
    ] = False,
    encoding: Annotated[str, typer.Option(help="Of a CSV file that is not in UTF-8: windows-1252.")] = "",
    lang: Annotated[Language, typer.Option(help="Language of the messages.")] = Language.FR,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Send the trials of a partner network, and wait for the result. Exit code 1 when a line cannot be read.

    After an interruption the import goes on: `cleio jobs list` shows it.
    """
    from services.cli.gateway import open_gateway
    from services.cli.jobs import follow, is_faulty, noteworthy, print_job
    from services.cli.jobs import push as send

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        options = {"dry_run": dry_run, "full": full}
        job = send(gateway, file, source, encoding=encoding, language=lang, options=options)
        job = follow(gateway, job, progress=not as_json)
        results = noteworthy(gateway, job)
    if as_json:
        print_json({**job, "lines": results})
    else:
        print_job(job, results)
    raise typer.Exit(1 if is_faulty(job) else 0)


@sources.command("template")
def template(
    kind: Annotated[TemplateFormat, typer.Option("--format", help="The format of the file.")] = TemplateFormat.CSV,
    lang: Annotated[Language, typer.Option(help="Language of the headings.")] = Language.FR,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write it; else standard output.")
    ] = None,
) -> None:
    """Write an example file for `cleio sources push`: every column, and one invented trial."""
    from services.registry.sources.partner.template import template as example

    content = example(kind.value, lang.value)
    if output is None:
        sys.stdout.buffer.write(content)
    else:
        output.write_bytes(content)


@sources.command("reread")
def reread(
    source: Annotated[
        str, typer.Option(help="Only the records of this source, such as ctgov or partner:pedstart; absent: all.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report what would change; change nothing.")] = False,
    as_json: AsJson = False,
    url: Url = "",
) -> None:
    """Read stored records again and merge all trials, after a release with a better reader or other rules.

    What the present rules have read and merged is left out. After an interruption run it again: it continues.
    """
    from services.cli.gateway import open_gateway
    from services.cli.rereading import reread_all, show
    from services.registry.sources.readers import READERS

    with one_line_errors(), open_gateway(url, authentication="required") as gateway:
        report = reread_all(gateway, [source] if source else list(READERS), dry_run=dry_run, progress=not as_json)
    show(report, as_json=as_json, dry_run=dry_run)
