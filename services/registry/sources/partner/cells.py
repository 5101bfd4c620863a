"""A fault of a cell."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CellFault:
    """What is wrong with a cell or line. ``column``: its name; empty: the whole line."""

    column: str
    code: str
