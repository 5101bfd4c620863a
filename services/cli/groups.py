"""Command groups: their help is never cut off, and one may run a command by default."""

from typing import TYPE_CHECKING

from typer.core import TyperGroup

if TYPE_CHECKING:
    from typer._click.core import Context
    from typer._click.formatting import HelpFormatter

# Longer than any first sentence.
WHOLE = 1000


class Group(TyperGroup):
    """A group whose help wraps long descriptions; the base class cuts them off."""

    def format_commands(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        """Write a line for each command with the first sentence of its help."""
        del ctx
        shown = {name: one for name, one in self.commands.items() if not one.hidden}
        if shown:
            with formatter.section("Commands"):
                formatter.write_dl([(name, one.get_short_help_str(WHOLE)) for name, one in shown.items()])


def group_with_default(name: str, *, without_arguments: bool = False) -> type[Group]:
    """Make a group class whose command ``name`` runs when the first argument is not the name of a command.

    ``without_arguments``: also when there is no argument; otherwise that shows the help.
    """

    class GroupWithDefault(Group):
        def parse_args(self, ctx: "Context", args: list[str]) -> list[str]:
            if (args or without_arguments) and (not args or args[0] not in {*self.commands, "--help"}):
                args = [name, *args]
            return super().parse_args(ctx, args)

    return GroupWithDefault
