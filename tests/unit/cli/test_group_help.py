"""The help of each group shows each of its commands, and what it does, whole."""

from collections.abc import Iterator

from typer._click.core import Command
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from services.cli.app import app

COLUMNS = 100


def _groups(command: Command, *words: str) -> Iterator[tuple[str, ...]]:
    if isinstance(command, TyperGroup):
        yield words
        for name, one in command.commands.items():
            yield from _groups(one, *words, name)


def test_no_line_of_a_group_is_cut_off() -> None:
    groups = list(_groups(get_command(app)))
    assert len(groups) > 20
    run = CliRunner().invoke
    cut = [
        line
        for words in groups
        for line in run(app, [*words, "--help"], terminal_width=COLUMNS).stdout.partition("Commands:")[2].splitlines()
        if line.endswith(("...", "…")) or len(line) > COLUMNS
    ]
    assert cut == []
