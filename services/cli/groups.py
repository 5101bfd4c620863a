"""Command groups that run one of their commands by default."""

from typing import TYPE_CHECKING

from typer.core import TyperGroup

if TYPE_CHECKING:
    from typer._click.core import Context


def group_with_default(name: str, *, without_arguments: bool = False) -> type[TyperGroup]:
    """Make a group class whose command ``name`` runs when the first argument is not the name of a command.

    ``without_arguments``: also when there is no argument; otherwise that shows the help.
    """

    class GroupWithDefault(TyperGroup):
        def parse_args(self, ctx: "Context", args: list[str]) -> list[str]:
            if (args or without_arguments) and (not args or args[0] not in {*self.commands, "--help"}):
                args = [name, *args]
            return super().parse_args(ctx, args)

    return GroupWithDefault
