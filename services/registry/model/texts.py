"""Texts and lines of a trial, and how long they may be."""

from typing import Annotated, Final

from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError

from shared.values.forms import described
from shared.values.personal_identifiers import shape_of

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


def _names_no_person(value: str) -> str:
    if (shape := shape_of(value)) is not None:
        raise PydanticCustomError(
            "identifier_forbidden",
            "this text contains what looks like {shape}: remove it, no person is named here",
            {"shape": _SHAPES_EN[shape], "fr": _FORBIDDEN_FR.format(_SHAPES_FR[shape])},
        )
    return value


_FORBIDDEN_FR: Final = "ce texte contient ce qui ressemble à {} : retirez-le, aucune personne n'est nommée ici"
_SHAPES_FR: Final = {
    "nir": "un numéro de sécurité sociale",
    "ins": "un identifiant national de santé",
    "email": "une adresse électronique",
    "phone": "un numéro de téléphone",
}
_SHAPES_EN: Final = {
    "nir": "a social security number",
    "ins": "a national health identifier",
    "email": "an e-mail address",
    "phone": "a telephone number",
}

# What people write about dossiers, places and referrals: what has the form of a personal identifier is refused.
ImpersonalLine = Annotated[Line, AfterValidator(_names_no_person)]
ImpersonalText = Annotated[
    str, StringConstraints(min_length=1, max_length=2000, pattern=_TEXT), AfterValidator(_names_no_person)
]
