"""Short texts of the eligibility language, each with its form."""

from typing import Annotated

from pydantic import StringConstraints

from shared.values.forms import described

Token = Annotated[
    str,
    StringConstraints(
        pattern=described(
            r"^[A-Za-z0-9][A-Za-z0-9_.:+\-/]{0,127}$",
            fr="au plus 128 caractères : lettres, chiffres et _ . : + - /, p. ex. HP:0003236",
            en="at most 128 characters: letters, digits and _ . : + - /, e.g. HP:0003236",
        )
    ),
]
Gene = Annotated[
    str,
    StringConstraints(
        pattern=described(
            r"^[A-Za-z0-9][A-Za-z0-9\-]{0,19}$",
            fr="un symbole de gène HGNC, p. ex. DMD",
            en="an HGNC gene symbol, e.g. DMD",
        )
    ),
]
Hgvs = Annotated[
    str,
    StringConstraints(
        pattern=described(
            r"^[A-Za-z0-9_.:()>*=+\-\[\];?]{3,128}$",
            fr="une variation HGVS, p. ex. c.6292C>T",
            en="an HGVS variant, e.g. c.6292C>T",
        )
    ),
]
Unit = Annotated[
    str,
    StringConstraints(
        pattern=described(
            r"^[A-Za-z0-9%*/.\[\]{}_']{1,32}$", fr="une unité UCUM, p. ex. mg/dL", en="a UCUM unit, e.g. mg/dL"
        )
    ),
]
