"""Texts and lines of a trial, and how long they may be."""

from typing import Annotated, Final

from pydantic import StringConstraints

from shared.values.forms import described

MAX_ITEMS: Final = 1000
MAX_LINE: Final = 600
MAX_TEXT: Final = 10_000
MAX_ELIGIBILITY_TEXT: Final = 60_000

# A line has no control characters; a text may have tabs and line ends. PostgreSQL refuses NUL.
_LINE = described(
    r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$",
    fr="une ligne de texte sans caractère de contrôle",
    en="one line of text without control characters",
)
_TEXT = described(
    r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$",
    fr="un texte sans caractère de contrôle",
    en="a text without control characters",
)

Line = Annotated[str, StringConstraints(min_length=1, max_length=MAX_LINE, pattern=_LINE)]
ShortLine = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_LINE)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT, pattern=_TEXT)]
EligibilityText = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ELIGIBILITY_TEXT, pattern=_TEXT)]
PublicNumber = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=_LINE)]
