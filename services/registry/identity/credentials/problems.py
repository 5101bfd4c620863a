"""Errors about the rights of clients and members."""

from shared.values.problems import InvalidBodyError
from shared.values.wire import Label


class ScopeBeyondError(InvalidBodyError):
    code = "scope_beyond"
    title = Label(
        fr="Ce type d'organisation ne peut pas recevoir ce droit, ou vous ne l'avez pas vous-même",
        en="This kind of organisation cannot have this right, or you do not have it yourself",
    )
