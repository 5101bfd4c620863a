"""Reads a unit as laboratories and prescriptions write it, and returns it in UCUM. Pure.

``UI/L``, ``G/L``, ``µmol/L`` with either micro sign, ``10^9/L``, ``/mm3`` and ``mmol·L⁻¹`` become ``[IU]/L``,
``10*9/L``, ``umol/L``, ``10*9/L``, ``/uL`` and ``mmol/L``.
"""

import re

from shared.criteria.units import measure

LONGEST = 64

_PLAIN = str.maketrans({"µ": "u", "μ": "u", "×": "x", "∙": ".", "·": ".", "⋅": ".", "−": "-", "⁄": "/"})
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_RAISED_RUN = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+")
_POWER_OF_TEN = re.compile(r"^(?:x|\*)?\.?10(?:\*\*|\*|\^|[eE](?=[0-9]))?\(?\+?(-?[0-9]{1,2})\)?(?=[/.]|$)")
_POWER_IN_WORDS = re.compile(r"^(?:[xX]\.?)?1?[eE]\+?([0-9]{1,2})(?=/)")
_SURFACE = re.compile(r"(?:/|\.)\(?\{?1[.,]73(?:_| )?m(?:\^|\*)?2\}?\)?", re.IGNORECASE)
_NEGATIVE_POWER = re.compile(r"\.?([A-Za-z]+)\^?-1(?![0-9])")
_UNIT_OF_24_HOURS = re.compile(r"/24 ?h(?:eures|ours)?$", re.IGNORECASE)
_COUNTED = r"cells?|cellules?|elements?|éléments?|copies|cop|cp|leucocytes|hematies|hématies|plaquettes|nombre"
_COUNT = re.compile(rf"^(?:{_COUNTED})(?=/)", re.IGNORECASE)
_UNIT_LETTERS = re.compile(r"^([munpfkM]?)\[?(?:[Ii][Uu]|[Uu][Ii])\]?$")
_DOTTED_UNIT = re.compile(r"(?:U\.I|I\.U)\.?")

# Whole units that are no products of terms.
_WHOLE = {
    "%": "%",
    "p100": "%",
    "pourcent": "%",
    "percent": "%",
    "percentage": "%",
    "(score)": "{score}",
    "°": "deg",
    "degré": "deg",
    "degrés": "deg",
    "°c": "Cel",
    "degc": "Cel",
    "cel": "Cel",
    "mmhg": "mm[Hg]",
    "bpm": "/min",
    "batt/min": "/min",
    "points": "{score}",
    "point": "{score}",
    "pts": "{score}",
    "score": "{score}",
    "inr": "{INR}",
    "ratio": "{ratio}",
    "log10copies/ml": "{log10_copies}/mL",
}
# Terms of a product, as written with their case, and then without regard to case.
_TERMS = {"G": "10*9", "T": "10*12", "Gpt": "10*9", "Tpt": "10*12", "Mpt": "10*6", "M": "10*6", "K": "10*3"}
_FOLDED_TERMS = {
    "giga": "10*9",
    "tera": "10*12",
    "téra": "10*12",
    "[u]": "U",
    "mm3": "uL",
    "mm^3": "uL",
    "mm*3": "uL",
    "cm3": "mL",
    "cc": "mL",
    "dm3": "L",
    "litre": "L",
    "l": "L",
    "mcg": "ug",
    "mcl": "uL",
    "mcmol": "umol",
    "gr": "g",
    "j": "d",
    "jr": "d",
    "jour": "d",
    "jours": "d",
    "day": "d",
    "days": "d",
    "24h": "d",
    "semaine": "wk",
    "semaines": "wk",
    "sem": "wk",
    "week": "wk",
    "weeks": "wk",
    "mois": "mo",
    "month": "mo",
    "months": "mo",
    "an": "a",
    "ans": "a",
    "année": "a",
    "années": "a",
    "year": "a",
    "years": "a",
    "heure": "h",
    "heures": "h",
    "hr": "h",
    "mn": "min",
    "minute": "min",
    "minutes": "min",
    "sec": "s",
    "m^2": "m2",
    "m*2": "m2",
    "meq": "meq",
    "mosm": "mosm",
    "mosmol": "mosm",
}


_WORD_PREFIXES = {"kilo": "k", "deci": "d", "centi": "c", "milli": "m", "micro": "u", "nano": "n", "pico": "p",
                  "femto": "f", "": ""}  # fmt: skip
_WORD_BASES = {"gram": "g", "gramme": "g", "liter": "L", "litre": "L", "mole": "mol", "meter": "m", "metre": "m",
               "international unit": "[IU]", "unit": "U", "equivalent": "eq", "katal": "kat"}  # fmt: skip
_NAMES = {
    **{
        f"{one}{base}": f"{prefix}{unit}"
        for one, prefix in _WORD_PREFIXES.items()
        for base, unit in _WORD_BASES.items()
    },
    "square meter": "m2",
    "cell": "",
    "day": "d",
    "hour": "h",
    "minute": "min",
    "week": "wk",
    "cubic millimeter": "uL",
}


def ucum(text: str) -> str | None:
    """Return a unit in UCUM; None where it is not understood.

    A unit that is UCUM already is returned as it is: ``g/L`` (grams) and ``G/L`` (10⁹) differ by their case.
    """
    if len(text) > LONGEST:
        return None
    if text.isascii() and measure(text) is not None:
        return text
    written = _RAISED_RUN.sub(lambda run: "^" + run.group().translate(_RAISED), text.strip()).translate(_PLAIN)
    if (whole := _WHOLE.get(written.replace(" ", "").casefold())) is not None:
        return whole
    found = [*_products(written), _named(written)]
    return next((one for one in found if measure(one) is not None), None)


def _products(written: str) -> list[str]:
    """Return what the text may mean, the reading that respects the case of letters first."""
    written, surface = _SURFACE.subn("/{1.73_m2}", written.replace(" /", "/").replace("/ ", "/"))
    compact = _UNIT_OF_24_HOURS.sub("/d", written).replace(" ", "" if surface else ".").replace("mm.Hg", "mm[Hg]")
    compact = _COUNT.sub("", _DOTTED_UNIT.sub("UI", compact))
    compact = _POWER_OF_TEN.sub(r"10*\1", compact)
    compact = _POWER_IN_WORDS.sub(r"10*\1", compact)
    compact = _NEGATIVE_POWER.sub(r"/\1", compact)
    if compact.startswith("10*") and re.match(r"10\*-?[0-9]+\.(?:cells?|cellules?)?/?", compact):
        compact = re.sub(r"^(10\*-?[0-9]+)\.(?:cells?|cellules?)", r"\1", compact)
    parts = re.split(r"([/.])", compact) if "{1.73_m2}" not in compact else _split_surface(compact)
    cased = "".join(part if part in "/." else _term(part) for part in parts)
    folded = "".join(part if part in "/." or part.startswith(("{", "10*")) else _folded(part) for part in parts)
    return [cased, folded]


def _named(written: str) -> str:
    """Return a unit written in English words: ``g/dL`` for "Gram per Deciliter"."""
    words = [word.strip().casefold() for word in re.split(r"\s+per\s+", written, flags=re.IGNORECASE)]
    units = [_NAMES.get(word, _NAMES.get(word.removesuffix("s"), "?")) for word in words]
    return "" if "?" in units or len(units) > 3 else "/".join(units)


def _split_surface(compact: str) -> list[str]:
    before, _, after = compact.partition("/{1.73_m2}")
    return [*re.split(r"([/.])", before), "/", "{1.73_m2}", *([after] if after else [])]


def _term(part: str) -> str:
    if part in _TERMS:
        return _TERMS[part]
    if part.casefold() in _FOLDED_TERMS:
        return _FOLDED_TERMS[part.casefold()]
    if (letters := _UNIT_LETTERS.fullmatch(part)) is not None:
        return f"{letters[1]}[IU]"
    return part


def _folded(part: str) -> str:
    known = _term(part)
    return "U" if part == "u" else known if known != part else part.lower()
