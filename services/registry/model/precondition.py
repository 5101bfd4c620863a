"""Precondition of a write, from `If-Match` or `If-None-Match`."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Precondition:
    """``creates``: there must be nothing yet. Otherwise there must be this version, or any version if it is None."""

    creates: bool = False
    version: int | None = None


CREATES: Final = Precondition(creates=True)
