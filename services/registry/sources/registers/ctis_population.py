"""Reads criteria, ages and sex from a CTIS record."""

from services.registry.model.trial import Eligibility, TrialSex
from services.registry.sources.reading import Section
from services.registry.sources.registers import ages
from services.registry.sources.registers import ctis_codes as codes
from services.registry.sources.registers.phases import unknown_code
from services.registry.sources.registers.statements import Statements
from services.registry.sources.registers.texts import criteria_text

_WORDS = {"in utero": "1", "0-17 years": "2", "18-64 years": "3", "65+ years": "4"}


def say_eligibility(said: Statements, top: Section, information: Section) -> None:
    """Say the criteria, the ages as far as the bands say, the sex and the kinds of participants."""
    subjects = information.section("populationOfTrialSubjects")
    said.say_group(
        "eligibility",
        {
            "text": lambda: _text(information.section("eligibilityCriteria")),
            ("minimum_age", "maximum_age"): lambda: ages.age_limits(_bands(top, subjects)),
            "sex": lambda: _sex(top, subjects),
            "healthy_volunteers": lambda: _healthy(subjects),
        },
        Eligibility(),
    )


def _text(module: Section) -> str | None:
    kinds = [
        [
            text
            for one in module.sections(f"principal{kind}Criteria", 1000)
            if (text := one.text(f"principal{kind}Criteria", 60_000)) is not None
        ]
        for kind in ("Inclusion", "Exclusion")
    ]
    return criteria_text(module, "principalInclusionCriteria", *kinds)


def _bands(top: Section, subjects: Section) -> list[ages.Band]:
    """Return the bands, of each group the finer ones where the record has them."""
    fine: dict[str, list[ages.Band]] = {}
    for one in subjects.sections("ageRangeSecondaryIds", 100):
        key = "ctAgeRangeCode" if "ctAgeRangeCode" in one.given else "ctAgeRange"
        band = codes.AGE_RANGE.get(one.code(key) or "")
        if band is None:
            unknown_code(one, key)
        else:
            fine.setdefault(_group(one), []).append(band)
    found = []
    for one in subjects.sections("ageRanges", 100):
        group = _group(one)
        if group in codes.AGE_GROUP:
            found += fine.get(group) or [codes.AGE_GROUP[group]]
        else:
            unknown_code(one, "ageRangeCategory")
    if not found:
        words = [word.strip().lower() for word in (top.line("ageGroup", 200) or "").split(",")]
        found = [codes.AGE_GROUP[_WORDS[word]] for word in words if word in _WORDS]
    return found


def _group(one: Section) -> str:
    return one.code("ageRangeCategoryCode" if "ageRangeCategoryCode" in one.given else "ageRangeCategory") or ""


def _sex(top: Section, subjects: Section) -> TrialSex | None:
    female, male = (subjects.flag(key) for key in ("isFemaleSubjects", "isMaleSubjects"))
    if female is None and male is None:
        words = {word.strip().lower() for word in (top.line("gender", 200) or "").split(",")}
        female, male = "female" in words, "male" in words
    if female and male:
        return "all"
    return "female" if female else "male" if male else None


def _healthy(subjects: Section) -> bool | None:
    """Return whether healthy volunteers take part: the group 1; 2 are patients."""
    groups = {one.code("code") for one in subjects.sections("clinicalTrialGroups", 100)}
    return "1" in groups if groups & {"1", "2"} else None
