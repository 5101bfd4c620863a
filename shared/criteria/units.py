"""Exact conversion between the UCUM units of laboratory results and doses.

Factors are fractions: nothing is rounded.
"""

import re
from collections.abc import Collection, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from shared.vocabulary.durations import DAYS_PER_MONTH

Dimension = tuple[tuple[str, int], ...]


class Measure(NamedTuple):
    """A unit as a factor over base units, and the powers of those base units, sorted by name."""

    factor: Fraction
    dimension: Dimension


class Analyte(NamedTuple):
    """A measured code: one usual unit, and what lets other dimensions convert.

    ``molar_mass``: in g/mol, where mass and amount of substance convert. ``activity``: 1 IU/mL is 100 %, as for
    coagulation factors.
    """

    unit: str
    molar_mass: Fraction | None = None
    activity: bool = False


_PREFIXES = {"k": 3, "h": 2, "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15, "M": 6}
_BASE: Mapping[str, tuple[Fraction, Mapping[str, int]]] = {
    "g": (Fraction(1), {"g": 1}),
    "mol": (Fraction(1), {"mol": 1}),
    "eq": (Fraction(1), {"eq": 1}),
    "osm": (Fraction(1), {"osm": 1}),
    "L": (Fraction(1), {"L": 1}),
    "l": (Fraction(1), {"L": 1}),
    "m": (Fraction(1), {"m": 1}),
    "s": (Fraction(1), {"s": 1}),
    "kat": (Fraction(1), {"kat": 1}),
    "U": (Fraction(1, 60_000_000), {"kat": 1}),  # one micromole a minute
    "Pa": (Fraction(1), {"Pa": 1}),
    "Hz": (Fraction(1), {"s": -1}),
    # The international unit of an enzyme is U. Of all other substances laboratories write U for the same unit.
    "[IU]": (Fraction(1, 60_000_000), {"kat": 1}),
    "[iU]": (Fraction(1, 60_000_000), {"kat": 1}),
    "[U]": (Fraction(1, 60_000_000), {"kat": 1}),
}
_SPECIAL: Mapping[str, tuple[Fraction, Mapping[str, int]]] = {
    "1": (Fraction(1), {}),
    "%": (Fraction(1, 100), {}),
    "[lb_av]": (Fraction("453.59237"), {"g": 1}),
    "[in_i]": (Fraction("0.0254"), {"m": 1}),
    "[ft_i]": (Fraction("0.3048"), {"m": 1}),
    "Cel": (Fraction(1), {"Cel": 1}),
    "deg": (Fraction(1), {"deg": 1}),
    "[arb'U]": (Fraction(1), {"arb": 1}),
    "mm[Hg]": (Fraction(133_322_387_415, 10**9), {"Pa": 1}),
    "{1.73_m2}": (Fraction(1), {"1.73_m2": 1}),
    "m2": (Fraction(1), {"m": 2}),
    "min": (Fraction(60), {"s": 1}),
    "h": (Fraction(3600), {"s": 1}),
    "d": (Fraction(86_400), {"s": 1}),
    "wk": (Fraction(7 * 86_400), {"s": 1}),
    "mo": (86_400 * DAYS_PER_MONTH, {"s": 1}),
    "a": (Fraction(86_400 * 1461, 4), {"s": 1}),  # 365.25 days
}
_FULL_ACTIVITY = Fraction(1000, 60_000_000)  # 1 IU/mL
_POWER_OF_TEN = re.compile(r"10(?:\*|\^)(-?\d{1,2})", re.ASCII)
_TERM = re.compile(r"([./]?)((?:[^./{}]|\{[^{}]*\})+)")
_ANNOTATION = re.compile(r"\{[^{}]*\}")

_CREATININE, _BILIRUBIN, _GLUCOSE = Fraction("113.12"), Fraction("584.66"), Fraction("180.156")
_URATE, _CALCIUM, _CHOLESTEROL = Fraction("168.11"), Fraction("40.078"), Fraction("386.65")
ANALYTES: Mapping[str, Analyte] = {
    **dict.fromkeys(("LOINC:2160-0", "LOINC:14682-9", "CLEIO:creatinine"), Analyte("umol/L", _CREATININE)),
    **dict.fromkeys(("LOINC:1975-2", "LOINC:14631-6", "CLEIO:bilirubin-total"), Analyte("umol/L", _BILIRUBIN)),
    **dict.fromkeys(("LOINC:1968-7", "LOINC:14629-0", "CLEIO:bilirubin-direct"), Analyte("umol/L", _BILIRUBIN)),
    **dict.fromkeys(("LOINC:2345-7", "LOINC:14749-6"), Analyte("mmol/L", _GLUCOSE)),
    **dict.fromkeys(("LOINC:3084-1", "LOINC:14933-6"), Analyte("umol/L", _URATE)),
    **dict.fromkeys(("LOINC:17861-6", "LOINC:2000-8"), Analyte("mmol/L", _CALCIUM)),
    **dict.fromkeys(("LOINC:2093-3", "LOINC:14647-2"), Analyte("mmol/L", _CHOLESTEROL)),
    **dict.fromkeys(
        ("LOINC:1742-6", "CLEIO:alt", "LOINC:1920-8", "CLEIO:ast", "LOINC:2324-2", "CLEIO:ggt", "LOINC:2157-6"),
        Analyte("U/L"),
    ),
    **dict.fromkeys(("LOINC:718-7", "CLEIO:haemoglobin", "LOINC:1751-7"), Analyte("g/L")),
    **dict.fromkeys(
        ("LOINC:777-3", "LOINC:26515-7", "CLEIO:platelets", "LOINC:6690-2", "LOINC:26464-8", "LOINC:751-8"),
        Analyte("10*9/L"),
    ),
    **dict.fromkeys(
        ("LOINC:26499-4", "LOINC:731-0", "LOINC:26474-7", "CLEIO:neutrophils", "CLEIO:lymphocytes"), Analyte("10*9/L")
    ),
    **dict.fromkeys(("LOINC:62238-1", "LOINC:98979-8", "LOINC:33914-3", "CLEIO:egfr"), Analyte("mL/min/{1.73_m2}")),
    # Activities of the coagulation factors VIII and IX.
    **dict.fromkeys(
        ("LOINC:3209-4", "LOINC:3204-5", "LOINC:3187-2", "CLEIO:fviii-activity", "CLEIO:fix-activity"),
        Analyte("%", activity=True),
    ),
    **dict.fromkeys(
        ("LOINC:10230-1", "LOINC:8806-2", "CLEIO:lvef", "LOINC:19870-5", "CLEIO:fvc-predicted"), Analyte("%")
    ),
}


def measure(unit: str) -> Measure | None:
    """Return factor and dimension of a UCUM unit such as ``ukat/L`` or ``10*3/uL``; None if it is unknown."""
    factor, powers = Fraction(1), dict[str, int]()
    terms = _TERM.findall(unit)
    if not terms or "".join(operator + term for operator, term in terms) != unit or terms[0][0] == ".":
        return None
    divided = False
    for operator, term in terms:
        divided = divided or operator == "/"
        known = _term(term)
        if known is None or (
            divided and operator == "."
        ):  # a product after a division is often not meant as UCUM reads it
            return None
        sign = -1 if operator == "/" else 1
        factor *= known[0] ** sign
        for base, power in known[1].items():
            powers[base] = powers.get(base, 0) + sign * power
    return Measure(factor, tuple(sorted((base, power) for base, power in powers.items() if power)))


@lru_cache(maxsize=1024)
def _measure_of_criteria(unit: str) -> Measure | None:
    """Return `measure` of a unit in criteria. Units of patients must not come here: the cache outlives the call."""
    return measure(unit)


def conversion(given: str, wanted: str, analyte: Analyte | None = None) -> Fraction | None:
    """Return the factor from ``given`` to ``wanted``; None if they have different dimensions.

    ``given`` may be the unit of a patient and is not cached; ``wanted`` is that of a criterion. With the molar mass of
    an analyte, mass and amount of substance convert into each other; with ``activity``, IU/mL and %.
    """
    target = _measure_of_criteria(wanted)
    if target is None:
        return None
    return Fraction(1) if given == wanted else _factor(measure(given), target, analyte)


def conversion_between(given: str, wanted: str, analyte: Analyte | None = None) -> Fraction | None:
    """Return `conversion` where both units are of a patient: nothing is cached."""
    return _factor(measure(given), measure(wanted), analyte)


def _factor(source: Measure | None, target: Measure | None, analyte: Analyte | None) -> Fraction | None:
    if source is None or target is None:
        return None
    if source.dimension == target.dimension:
        return source.factor / target.factor
    if analyte is None:
        return None
    source, target = _bridged(source, analyte), _bridged(target, analyte)
    return source.factor / target.factor if source.dimension == target.dimension else None


def is_bare(unit: str | None) -> bool:
    """Return whether a unit is none, one, or an annotation only, as for scores and titres."""
    return unit is None or unit == "1" or _ANNOTATION.fullmatch(unit) is not None


def analyte_of(codes: Collection[str]) -> Analyte | None:
    """Return what the analytes of all codes share; None if one is unknown or they differ."""
    found = {ANALYTES[code][1:] if code in ANALYTES else None for code in codes}
    shared = next(iter(found)) if len(found) == 1 else None
    return None if shared is None else Analyte("", *shared)


def _term(term: str) -> tuple[Fraction, Mapping[str, int]] | None:
    if term in _SPECIAL:
        return _SPECIAL[term]
    bare = _ANNOTATION.sub("", term)
    if not bare:
        return Fraction(1), {}
    if bare in _SPECIAL:
        return _SPECIAL[bare]
    if power := _POWER_OF_TEN.fullmatch(bare):
        return Fraction(10) ** int(power[1]), {}
    if bare in _BASE:
        return _BASE[bare]
    if bare[0] in _PREFIXES and bare[1:] in _BASE:
        factor, powers = _BASE[bare[1:]]
        return factor * Fraction(10) ** _PREFIXES[bare[0]], powers
    return None


def _bridged(unit: Measure, analyte: Analyte) -> Measure:
    """Return the same unit with amounts as masses, and activities per volume as shares of the normal one."""
    powers, factor = dict(unit.dimension), unit.factor
    if analyte.molar_mass is not None and (moles := powers.pop("mol", 0)):
        powers["g"] = powers.get("g", 0) + moles
        factor *= analyte.molar_mass**moles
    dimension = tuple(sorted((base, power) for base, power in powers.items() if power))
    if analyte.activity and dimension == (("L", -1), ("kat", 1)):
        return Measure(factor / _FULL_ACTIVITY, ())
    return Measure(factor, dimension)
