"""Reads criteria, ages, sex and populations from an EUCTR record."""

import re
from collections.abc import Mapping
from typing import Final

from services.registry.model.design import Population
from services.registry.model.trial import MAX_ELIGIBILITY_TEXT, Eligibility, TrialSex
from services.registry.sources.registers import ages
from services.registry.sources.registers.euctr_form import Form
from services.registry.sources.registers.statements import Statements
from services.registry.sources.registers.texts import headed_text

_SIGN: Final = re.compile(r"[<>≤≥]")
_SIGN_LOST: Final = re.compile(r"(?<=\w) {2,}[0-9]")
_BANDS: Final[Mapping[str, ages.Band]] = {
    "f111": ages.IN_UTERO,
    "f112": ages.PRETERM,
    "f113": ages.NEWBORN,
    "f114": ages.INFANT,
    "f115": ages.CHILD,
    "f116": ages.ADOLESCENT,
    "f12": ages.ADULT,
    "f13": ages.ELDERLY,
}
_POPULATIONS: Final[Mapping[str, Population]] = {
    "f331": "no-using-contraception",
    "f332": "using-contraception",
    "f333": "pregnant",
    "f334": "nursing",
    "f335": "emergency-situation",
    "f336": "incap-consent",
    "f337": "other",
}


def say_eligibility(said: Statements, form: Form) -> None:
    """Say the criteria, the ages as far as the bands say, the sex and the kinds of participants."""
    said.say_group(
        "eligibility",
        {
            "text": lambda: headed_text(*form.member("e3"), _criteria(form, "e3"), _criteria(form, "e4")),
            ("minimum_age", "maximum_age"): lambda: ages.age_limits(_bands(form)),
            "sex": lambda: _sex(form),
            "healthy_volunteers": lambda: form.yes("f31"),
            "populations": lambda: [kind for code, kind in _POPULATIONS.items() if form.yes(code)],
        },
        Eligibility(),
    )


def _criteria(form: Form, code: str) -> str | None:
    """Return a text of criteria, with a warning where the export has lost the signs before numbers (``<``, ``≥``)."""
    text = form.text(code, MAX_ELIGIBILITY_TEXT)
    if text is not None and _SIGN_LOST.search(text) and not _SIGN.search(text):
        section, key = form.member(code)
        section.reader.warn(
            f"{section.pointer}/{key}",
            "signs_lost",
            "ce texte a sans doute perdu ses signes de comparaison",
            "this text has probably lost its comparison signs",
        )
    return text


def _bands(form: Form) -> list[ages.Band]:
    found = [band for code, band in _BANDS.items() if form.yes(code)]
    # Some old records answer only whether there are minors.
    minors = not any(band.order <= ages.ADOLESCENT.order for band in found) and form.yes("f11")
    return [ages.MINOR, *found] if minors else found


def _sex(form: Form) -> TrialSex | None:
    female, male = form.yes("f21"), form.yes("f22")
    if female and male:
        return "all"
    return "female" if female else "male" if male else None
