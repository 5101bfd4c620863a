"""The named formulas of `computed` leaves (`docs/eligibility.md` §5, computed)."""

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Final, NamedTuple

from shared.criteria.formulas import FormulaName

_EXACT = Context(prec=28, rounding=ROUND_HALF_EVEN)
_DIGITS = Context(prec=8, rounding=ROUND_HALF_EVEN)


class Values(NamedTuple):
    """The inputs of a formula by name, in its units and above zero; age in whole years."""

    inputs: Mapping[str, Decimal]
    age: int
    is_female: bool


def compute(formula: FormulaName, inputs: Mapping[str, Fraction], age: int, *, is_female: bool) -> Fraction:
    """Return the value of a formula in its unit, with eight significant digits.

    ``inputs``: by name, in the units of the formula, above zero; ``age``: in whole years.
    """
    exact = {name: _EXACT.divide(Decimal(one.numerator), Decimal(one.denominator)) for name, one in inputs.items()}
    return Fraction(_DIGITS.plus(_EQUATIONS[formula](Values(exact, age, is_female))))


def _bmi(given: Values) -> Decimal:
    height = given.inputs["height"]
    return _EXACT.divide(given.inputs["weight"], _EXACT.multiply(height, height))


def _bsa_mosteller(given: Values) -> Decimal:
    product = _EXACT.multiply(given.inputs["height"], given.inputs["weight"])
    return _EXACT.sqrt(_EXACT.divide(product, Decimal(3600)))


def _egfr_ckd_epi_2021(given: Values) -> Decimal:
    kappa, alpha = ("0.7", "-0.241") if given.is_female else ("0.9", "-0.302")
    share = _EXACT.divide(given.inputs["creatinine"], Decimal(kappa))
    power = Decimal(alpha) if share < 1 else Decimal("-1.200")
    value = _EXACT.multiply(Decimal(142), _EXACT.power(share, power))
    value = _EXACT.multiply(value, _EXACT.power(Decimal("0.9938"), given.age))
    return _EXACT.multiply(value, Decimal("1.012")) if given.is_female else value


def _egfr_schwartz_2009(given: Values) -> Decimal:
    height = _EXACT.multiply(Decimal("0.413"), given.inputs["height"])
    return _EXACT.divide(height, given.inputs["creatinine"])


_EQUATIONS: Final[Mapping[FormulaName, Callable[[Values], Decimal]]] = {
    "bmi": _bmi,
    "bsa_mosteller": _bsa_mosteller,
    "egfr_ckd_epi_2021": _egfr_ckd_epi_2021,
    "egfr_schwartz_2009": _egfr_schwartz_2009,
}
