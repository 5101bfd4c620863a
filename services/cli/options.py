"""Options and forms of output that commands share."""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

Url = Annotated[str, typer.Option(help="Address of the gateway.", show_default="http://127.0.0.1:$CLEIO_PORT")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text for people.")]


def program() -> str:
    """What the next command calls this program."""
    return sys.argv[0] if Path(sys.argv[0]).name == "cleio" and shutil.which("cleio") is None else "cleio"


def words(given: Sequence[str]) -> list[str]:
    """What was given with an option that takes several: repeated, or with commas or spaces between."""
    return [word for text in given for word in text.replace(",", " ").split()]


def print_json(document: Any) -> None:
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


def print_columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table as plain lines, for eyes, grep and awk alike."""
    widths = [max(len(row[index]) for row in (head, *rows)) for index in range(len(head))]
    for row in (head, *rows):
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_result(document: Any, line: str, *, as_json: bool) -> None:
    """What a program reads: the whole ``document``, or the one ``line`` of it that the next command needs."""
    if as_json:
        print_json(document)
    else:
        typer.echo(line)


def print_fields(document: Mapping[str, Any]) -> None:
    """One thing, a field a line; what is not there is left out."""
    for name, value in document.items():
        if value is not None:
            typer.echo(f"{name:<14}{', '.join(value) if isinstance(value, list) else value}")
