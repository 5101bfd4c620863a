"""`cleio feed`: the changes of trials, sites and centres."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.errors import fail, one_line_errors
from services.cli.groups import group_with_default
from services.cli.options import Url
from services.cli.output import print_message

feeds = typer.Typer(
    cls=group_with_default("read", without_arguments=True),
    help="Print and follow changes (options: cleio feed read --help).",
    rich_markup_mode=None,
)


@feeds.command("read")
def read(
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with new changes as they come, until Ctrl-C.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=1, help="Stop after this many changes.", show_default="all")
    ] = None,
    types: Annotated[
        str, typer.Option(help="Only these event types, such as trial.published,site.opened.", show_default="all")
    ] = "",
    condition: Annotated[str, typer.Option(help="Only trials of this disease, such as ORPHA:98896.")] = "",
    age_band: Annotated[str, typer.Option(help="Only trials of this age band.")] = "",
    departement: Annotated[str, typer.Option(help="Only sites in this département, such as 59.")] = "",
    atmp_class: Annotated[str, typer.Option(help="Only this product class, such as gene_therapy.")] = "",
    centre: Annotated[str, typer.Option(help="Only this centre, such as fr-necker.")] = "",
    trial: Annotated[str, typer.Option(help="Only this trial, by any of its numbers.")] = "",
    cursor: Annotated[
        str,
        typer.Option(help="Start after this position, as printed at the end of a former run.", show_default="start"),
    ] = "",
    cursor_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Start after the position in this file, and store the new one there."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one CloudEvent a line as JSON.")] = False,
    url: Url = "",
) -> None:
    """Print the changes of trials, sites and centres, oldest first.

    At the end the position where to continue is printed on standard error.

    Sends CLEIO_TOKEN if it is set; without it only public changes are shown. After a restore of the system the position
    is no longer valid: load the export again and start at its cursor.
    """
    import json

    from services.cli.feed import read_batches, read_cursor, write_cursor
    from services.cli.gateway import open_gateway

    if cursor and cursor_file is not None:
        fail("use either --cursor or --cursor-file")
    filters = {
        "types": types,
        "condition": condition,
        "age_band": age_band,
        "departement": departement,
        "atmp_class": atmp_class,
        "centre": centre,
        "trial": trial,
    }
    filters = {name: value for name, value in filters.items() if value}
    with one_line_errors(), open_gateway(url, authentication="optional") as gateway:
        position = read_cursor(cursor_file) if cursor_file is not None else cursor
        try:
            for batch in read_batches(gateway, filters, position, follow=follow, limit=limit, report=print_message):
                for event in batch.events:
                    typer.echo(json.dumps(event, ensure_ascii=False) if as_json else _line(event))
                # Only now: after an interruption in between, these events are printed again.
                position = batch.cursor
                if cursor_file is not None:
                    write_cursor(cursor_file, position)
        except KeyboardInterrupt:
            pass
        if cursor_file is None:
            print_message(f"continue with --cursor {position}")


def _line(event: Mapping[str, Any]) -> str:
    data = event.get("data", {})
    details = [f"version {data['version']}"] if data.get("version") is not None else []
    details[:0] = [number for number in (data.get("identifier") or data.get("trial"),) if number]
    details += [f"{data['from']} → {data['to']}"] if data.get("from") and data.get("to") else []
    changed = data.get("changed") or []
    details += [", ".join(changed[:6]) + (" …" if len(changed) > 6 else "")] if changed else []
    if data.get("op") == "delete":
        details.append("no longer visible")
    return f"{event['time'][:19]}Z  {event['type']:<24}{event['subject']:<32}{'; '.join(details)}".rstrip()


@feeds.command("new-generation")
def new_generation(
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="The service that has the feed: registry.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen; change nothing.")] = False,
) -> None:
    """Make every consumer of a feed load its copy again: run it after a fail-over to a promoted standby.

    A promoted standby may lack the last changes, which consumers have already read. A new generation refuses their
    cursors (410), so that they load the export again. The service may be running on PostgreSQL; stop it on SQLite.
    """
    import asyncio

    from services.cli.feed_history import begin_generation

    with one_line_errors():
        made = asyncio.run(begin_generation(service, dry_run=dry_run))
    typer.echo(f"{service}: the feed is at generation {made.before.generation}, entry {made.before.seq}")
    if dry_run:
        typer.echo(f"dry run: generation {made.number} would begin, and every consumer would load its copy again")
    else:
        typer.echo(f"generation {made.number} has begun: every consumer loads its copy again")
