"""Formulas of `computed` leaves (`docs/eligibility.md` §5): inputs, unit and the codes of recorded results."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from shared.values.wire import Label

FormulaName = Literal["bmi", "bsa_mosteller", "egfr_ckd_epi_2021", "egfr_schwartz_2009"]


class Input(NamedTuple):
    """A measurement that a formula reads: its codes, and the UCUM unit in which the formula wants it."""

    codes: tuple[str, ...]
    unit: str


class Formula(NamedTuple):
    """A formula. ``recorded``: the codes of its result as a laboratory or a device reports it.

    ``from_years``, ``until_years``: the ages for which it holds, the last one excluded; None: no bound.
    ``needs_sex``: whether the sex changes the result. ``source``: where it was published.
    """

    label: Label
    inputs: Mapping[str, Input]
    unit: str
    recorded: tuple[str, ...]
    source: str
    from_years: int | None = None
    until_years: int | None = None
    needs_sex: bool = False

    @property
    def needs_age(self) -> bool:
        return self.from_years is not None


_WEIGHT = ("CLEIO:body-weight",)
_HEIGHT = ("CLEIO:body-height",)
_CREATININE = Input(("CLEIO:creatinine",), "mg/dL")
_EGFR = "mL/min/{1.73_m2}"

FORMULAS: Final[Mapping[str, Formula]] = {
    "bmi": Formula(
        Label(fr="indice de masse corporelle", en="body mass index"),
        {"weight": Input(_WEIGHT, "kg"), "height": Input(_HEIGHT, "m")},
        "kg/m2",
        ("CLEIO:body-mass-index",),
        "WHO Technical Report Series 894 (2000)",
    ),
    "bsa_mosteller": Formula(
        Label(fr="surface corporelle selon Mosteller", en="body surface area by Mosteller"),
        {"weight": Input(_WEIGHT, "kg"), "height": Input(_HEIGHT, "cm")},
        "m2",
        (),
        "Mosteller, N Engl J Med 1987;317:1098",
    ),
    "egfr_ckd_epi_2021": Formula(
        Label(fr="DFG estimé selon CKD-EPI 2021", en="estimated GFR by CKD-EPI 2021"),
        {"creatinine": _CREATININE},
        _EGFR,
        ("LOINC:98979-8",),
        "Inker et al., N Engl J Med 2021;385:1737-1749",
        from_years=18,
        needs_sex=True,
    ),
    "egfr_schwartz_2009": Formula(
        Label(fr="DFG estimé selon Schwartz (2009)", en="estimated GFR by Schwartz (2009)"),
        {"height": Input(_HEIGHT, "cm"), "creatinine": _CREATININE},
        _EGFR,
        ("LOINC:50384-7",),
        "Schwartz et al., J Am Soc Nephrol 2009;20:629-637",
        from_years=1,
        until_years=18,
    ),
}
