"""`cleio terminology`: load releases of terminologies, list them, and take the last one back."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.errors import fail, one_line_errors
from services.cli.groups import Group
from services.cli.options import AsJson
from services.cli.output import print_json

terminology = typer.Typer(
    cls=Group, help="Releases of terminologies beside the built-in set.", no_args_is_help=True, rich_markup_mode=None
)


@terminology.command("load")
def load(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE...",
            help="MONDO (JSON, OBO, SSSOM), Orphadata packets, HPO (OBO, Babelon), ICD-10 (ClaML, XML), lists of ATC, "
            "LOINC, HGNC, CCAM, UCD or CIP with ATC, a code map; also as .gz, .xz or .zst.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report what the files say; change nothing.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Remove the release that was loaded last.")] = False,
    as_json: AsJson = False,
) -> None:
    """Store what release files say beside the built-in terminology.

    Running services use it within seconds: the registry announces the new version on the feed, and matching follows.
    """
    from services.cli.terminology import read_releases, store_releases, undo_last

    if undo:
        with one_line_errors():
            removed = undo_last()
        typer.echo(f"removed {removed.name}" if removed else "nothing is loaded")
        return
    if not paths:
        fail("name at least one file, or --undo")
    with one_line_errors():
        releases = read_releases(paths, progress=not as_json)
        if not dry_run:
            store_releases(releases)
    rows = [
        {
            "file": one.path.name,
            "kind": one.kind,
            "codes": len(one.draft.codes),
            "new": one.new,
            "links": len(one.draft.same) + len(one.draft.broader),
            "unreadable": one.draft.unreadable,
        }
        for one in releases
    ]
    if as_json:
        print_json({"loaded": not dry_run, "releases": rows})
        return
    for row in rows:
        typer.echo(
            f"{row['file']}: {row['kind']}, {row['codes']} codes ({row['new']} new), {row['links']} links, "
            f"{row['unreadable']} rows not understood"
        )
    typer.echo("nothing was stored (dry run)" if dry_run else "stored; running services use it within seconds")


@terminology.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the loaded releases, the first one loaded first."""
    from services.cli.terminology import list_releases

    with one_line_errors():
        loaded = list_releases()
    if as_json:
        print_json([{"file": one.name, "kind": one.kind, "sha256": one.sha256, "codes": one.codes} for one in loaded])
        return
    for one in loaded:
        typer.echo(f"{one.loaded_at:%Y-%m-%d %H:%M}  {one.kind:<16} {one.codes:>8}  {one.sha256[:16]}  {one.name}")
