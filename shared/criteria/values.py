"""The types of the values in expressions: domains, codes, numbers and their written forms."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from shared.values.forms import described
from shared.values.wire import Code

Domain = Literal["conditions", "procedures", "medications", "immunizations", "encounters", "observations"]
Relative = Literal["mother", "father", "sibling", "child", "other"]
VariantType = Literal[
    "deletion", "duplication", "insertion", "nonsense", "frameshift", "missense", "splice", "copy_number", "other"
]
Zygosity = Literal["homozygous", "heterozygous", "compound_heterozygous", "hemizygous", "mosaic"]
Origin = Literal["germline", "somatic"]
Frame = Literal["in", "out"]
Operator = Literal["<", "<=", ">", ">=", "="]
Inequality = Literal["<", "<=", ">", ">="]
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
Number = Annotated[int | float, Field(ge=-1e12, le=1e12, allow_inf_nan=False)]
Codes = Annotated[list[Code], Field(min_length=1, max_length=200)]
Exon = Annotated[int, Field(ge=1, le=999)]


def _has_check_digit(number: str) -> str:
    """Check the last digit of a number by the algorithm of Luhn.

    :raises PydanticCustomError: it does not fit the others.
    """
    digits = [int(digit) for digit in reversed(number)]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[1::2]]
    if (sum(digits[::2]) + sum(doubled)) % 10:
        raise PydanticCustomError("check_digit", "the check digit does not fit the number")
    return number


Rpps = Annotated[
    str,
    StringConstraints(
        pattern=described(r"^[0-9]{11}$", fr="les 11 chiffres d'un numéro RPPS", en="the 11 digits of an RPPS number")
    ),
    AfterValidator(_has_check_digit),
]
