"""What commands print: results on standard output for programs, messages for people on standard error."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import typer


def print_message(line: str) -> None:
    """Print a line for people on standard error."""
    typer.echo(line, err=True)


def print_json(document: Any) -> None:
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False, default=str))


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print aligned columns without borders, readable by people and by grep or awk."""
    widths = [max(len(row[index]) for row in (head, *rows)) for index in range(len(head))]
    for row in (head, *rows):
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_result(document: Any, line: str, *, as_json: bool) -> None:
    """Print the whole ``document`` as JSON, or else only ``line``: the value that the next command needs."""
    if as_json:
        print_json(document)
    else:
        typer.echo(line)


def print_fields(document: Mapping[str, Any]) -> None:
    """Print one field a line; fields without a value are left out."""
    for name, value in document.items():
        if value is not None:
            typer.echo(f"{name:<14}{', '.join(value) if isinstance(value, list) else value}")
