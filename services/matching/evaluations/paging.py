"""Cursors of a match. A cursor is a snapshot and a position in its results: it contains nothing about the patient."""

import re

from services.matching.evaluations.problems import OutdatedCursorError
from shared.values.problems import Fault, InvalidCursorError
from shared.values.wire import Label

_CURSOR = re.compile(r"([0-9a-f]{16})-([1-9][0-9]{0,5})", re.ASCII)
_UNREADABLE = Fault(
    pointer="/query/cursor",
    code="unreadable",
    detail=Label(
        fr="attendu : la valeur de `next` d'une réponse précédente",
        en="expected: the value of `next` of an earlier answer",
    ),
)


def start_of(cursor: str | None, snapshot: str) -> int:
    """Return the position of the first result of a page; ``snapshot``: the id of the current one.

    :raises InvalidCursorError: 400, the text is not a cursor.
    :raises OutdatedCursorError: 410, the trials have changed since the cursor was given.
    """
    if cursor is None:
        return 0
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise InvalidCursorError(errors=[_UNREADABLE])
    if found[1] != snapshot:
        raise OutdatedCursorError
    return int(found[2])


def cursor_of(snapshot: str, position: int) -> str:
    """Return the cursor of the page that begins at a position."""
    return f"{snapshot}-{position}"
