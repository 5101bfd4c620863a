"""`cleio geo`: load communes, départements and regions, list them, and take the last load back."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.errors import fail, one_line_errors
from services.cli.groups import Group
from services.cli.options import AsJson
from services.cli.output import print_json, print_table

geography = typer.Typer(
    cls=Group,
    help="Communes and départements, for coverage and distances.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@geography.command("load")
def load(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE...",
            help="Communes (CSV: code_insee, nom, type, departement, region, population, codes_postaux, lat, lon), "
            "départements and regions (JSON); also as .gz, .xz or .zst.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report what the files say; change nothing.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Remove the files that were loaded last.")] = False,
    as_json: AsJson = False,
) -> None:
    """Store files of a geography. Of each kind the file that was loaded last is in use.

    A running registry uses them within seconds.
    """
    from services.cli.geography import read_files, store_files, undo_last

    if undo:
        with one_line_errors():
            removed = undo_last()
        typer.echo(f"removed {', '.join(one.name for one in removed)}" if removed else "nothing is loaded")
        return
    if not paths:
        fail("name at least one file, or --undo")
    with one_line_errors():
        files = read_files(paths, progress=not as_json)
        if not dry_run:
            store_files(files)
    rows = [
        {
            "file": one.path.name,
            "kind": one.kind,
            "rows": len(one.rows),
            "inhabitants": one.inhabitants,
            "without_coordinates": one.unlocated,
        }
        for one in files
    ]
    if as_json:
        print_json({"loaded": not dry_run, "files": rows})
        return
    for row in rows:
        people = f", {row['inhabitants']} inhabitants, {row['without_coordinates']} without coordinates"
        typer.echo(f"{row['file']}: {row['rows']} {row['kind']}{people if row['kind'] == 'communes' else ''}")
    typer.echo("nothing was stored (dry run)" if dry_run else "stored; a running registry uses it within seconds")


@geography.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the loaded files, the first one loaded first."""
    from services.cli.geography import list_files

    with one_line_errors():
        loaded = list_files()
    if as_json:
        print_json(
            [{"version": one.version, "kind": one.kind, "file": one.name, "sha256": one.sha256} for one in loaded]
        )
        return
    print_table(
        ("VERSION", "LOADED", "KIND", "ROWS", "SHA-256", "FILE"),
        [
            (str(one.version), f"{one.loaded_at:%Y-%m-%d %H:%M}", one.kind, str(one.rows), one.sha256[:16], one.name)
            for one in loaded
        ],
    )
