"""Reads the records of ISRCTN, as JSON (`isrctn_record.records` converts its XML).

The register gives no recruitment status but a stop: it follows from the dates of recruitment and the day on which the
record was retrieved. That status counts as a part of the record, so a record whose date has passed is read again.
"""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from services.registry.model.design import MAX_ARMS, MAX_DESCRIPTION, Intervention, Outcome
from services.registry.model.trial import (
    MAX_ELIGIBILITY_TEXT,
    MAX_ITEMS,
    MAX_LINE,
    MAX_TEXT,
    Eligibility,
    Enrolment,
    Identifier,
    Location,
    Milestone,
    Product,
    Sponsor,
    StudyType,
    TrialSex,
)
from services.registry.sources import ctgov_codes
from services.registry.sources.places import CentreRule, country_code
from services.registry.sources.problems import InvalidStudyError
from services.registry.sources.product_reader import Intervention as ProductWords
from services.registry.sources.product_reader import read_product
from services.registry.sources.reader import SourceReading
from services.registry.sources.reading import Reader, Section
from services.registry.sources.registers import ages
from services.registry.sources.registers.conditions import say_conditions
from services.registry.sources.registers.dates import milestone, partial_date
from services.registry.sources.registers.isrctn_status import retrieved, status
from services.registry.sources.registers.numbers import distinct, public_numbers, sponsor_code
from services.registry.sources.registers.organisations import collaborators, member_sites, sponsor
from services.registry.sources.registers.phases import phase_in_words, unknown_code
from services.registry.sources.registers.statements import Statements
from services.registry.sources.registers.texts import cut, headed_text, shortened
from services.registry.terminology.terminology import Terminology
from shared.vocabulary.identifiers import recognise_identifier
from shared.vocabulary.recruitment import RecruitmentStatus

_AGE_RANGES: Final[Mapping[str, tuple[ages.Band, ...]]] = {
    "neonate": (ages.NEWBORN,),
    "child": (ages.MINOR,),
    "adult": (ages.ADULT, ages.ELDERLY),
    "senior": (ages.ELDERLY,),
    "mixed": (),
    "all": (),
    "other": (),
    "not specified": (),
}
_SEX: Final[Mapping[str, TrialSex]] = {"ALL": "all", "BOTH": "all", "MALE": "male", "FEMALE": "female"}
_STUDY_TYPE: Final[Mapping[str, StudyType]] = {"INTERVENTIONAL": "interventional", "OBSERVATIONAL": "observational"}
_KINDS: Final = {
    "drug": "drug",
    "device": "device",
    "behavioural": "behavioral",
    "genetic": "genetic",
    "biological/vaccine": "biological",
    "procedure/surgery": "procedure",
    "supplement": "dietary_supplement",
    "other": "other",
    "mixed": None,
    "not specified": None,
    "": None,
}
_PARTS: Final = (
    *("isrctn", "isrctn_dateAssigned", "lastUpdated", "trialDescription", "externalRefs", "trialDesign"),
    *("participants", "conditions", "interventions", "sponsor", "funder"),
)
_NUMBER: Final = re.compile(r"[0-9]{8}")
_COUNT: Final = re.compile(r"[0-9]{1,9}")


class IsrctnReader:
    """The reader of ISRCTN."""

    source: Final = "isrctn"
    version: Final = 1

    def source_id(self, record: Any) -> str:
        """Return the ISRCTN number.

        :raises InvalidStudyError: the record is not an object or has no ISRCTN number.
        """
        if not isinstance(record, dict):
            raise InvalidStudyError.at("", "not_an_object", "un objet est attendu", "an object is expected")
        number = _own_number(Section(Reader(), "", record))
        if number is None:
            raise InvalidStudyError.at(
                "/isrctn", "isrctn_number", "un numéro ISRCTN est attendu", "an ISRCTN number is expected"
            )
        return number

    def parts(self, record: Any) -> Any:
        """Return what counts in a record, with the status on the day of its retrieval."""
        parts = {name: record[name] for name in _PARTS if name in record}
        return parts | {"status": _quiet_status(Section(Reader(), "", record))}

    def dated(self, record: Any) -> str | None:
        """Return the day of the last update, which the JSON of some exports does not have."""
        return partial_date(Section(Reader(), "", record), "lastUpdated")

    def read(self, record: Any, terminology: Terminology, centres: Sequence[CentreRule] = ()) -> SourceReading:
        """Read a record with a valid number."""
        reader = Reader()
        top = Section(reader, "", record)
        said = Statements(reader)
        description, references = top.section("trialDescription"), top.section("externalRefs")
        people, design = top.section("participants"), top.section("trialDesign")
        said.say("identifiers", lambda: _identifiers(top, references))
        plain, scientific = (shortened(description, key, MAX_LINE, line=True) for key in ("title", "scientificTitle"))
        titles = [title for title in (plain, scientific) if title is not None]
        said.say("titles.en", lambda: titles[0] if titles else None, (description, "title"))
        said.say("official_titles.en", lambda: scientific if plain not in {None, scientific} else None)
        said.say("acronym", lambda: description.line("acronym", 200), (description, "acronym"))
        said.say("summary.en", lambda: _summary(description), (description, "plainEnglishSummary"))
        say_conditions(said, _conditions(top), titles, terminology, (top, "conditions"))
        given = top.section("interventions").each("intervention", MAX_ARMS)
        _say_interventions(said, given, titles)
        said.say("phase", lambda: next((found for one in given if (found := phase_in_words(one, "phase"))), None))
        said.say("study_type", lambda: ctgov_codes.look_up(design, "primaryStudyDesign", _STUDY_TYPE))
        _say_status(said, top, design)
        said.say("countries", lambda: _countries(people), (people, "recruitmentCountries"))
        places = _locations(people)
        said.say("locations", lambda: places, (people, "trialCentres"))
        said.say(
            "sites",
            lambda: member_sites(places, _quiet_status(top)[0] or "unknown", centres),
            (people, "trialCentres"),
        )
        sponsors = top.each("sponsor", 100)
        said.say("sponsor", lambda: _sponsor(sponsors), (top, "sponsor"))
        said.say("collaborators", lambda: _collaborators(top, sponsors), (top, "funder"))
        said.say("enrolment", lambda: _enrolment(people), (people, "targetEnrolment"))
        day = retrieved(top) or partial_date(top, "lastUpdated")
        said.say("dates.start", lambda: _dated(people, "recruitmentStart", day), (people, "recruitmentStart"))
        said.say("dates.completion", lambda: _dated(design, "overallEndDate", day), (design, "overallEndDate"))
        said.say("dates.first_posted", lambda: milestone(top, "isrctn_dateAssigned", "actual"))
        said.say("dates.last_update", lambda: milestone(top, "lastUpdated", "actual"))
        for path, key in (("primary_outcomes", "primaryOutcome"), ("secondary_outcomes", "secondaryOutcome")):
            said.say(path, partial(_outcomes, description, key), (description, key))
        _say_eligibility(said, people)
        return said.reading(self.dated(record))


def _own_number(top: Section) -> str | None:
    written = top.code("isrctn") or ""
    number = f"ISRCTN{written}" if _NUMBER.fullmatch(written) else written
    found = recognise_identifier(number)
    return found[1] if found is not None and found[0] == "isrctn" else None


def _identifiers(top: Section, references: Section) -> list[Identifier]:
    """Return the numbers. An NCT number is this trial's only in its own member, not among the secondary numbers."""
    secondary = references.section("secondaryNumbers").each_line("secondaryNumber", MAX_LINE, 100)
    found = [recognise_identifier(text) for _, text in secondary]
    return distinct(
        [
            Identifier(type="isrctn", value=_own_number(top) or ""),
            *public_numbers(references, "eudraCTNumber", "clinicalTrialsGovNumber"),
            *(Identifier(type=one[0], value=one[1]) for one in found if one is not None and one[0] != "nct"),
            *sponsor_code(references, "protocolSerialNumber"),
        ]
    )


def _summary(description: Section) -> str | None:
    text = shortened(description, "plainEnglishSummary", MAX_TEXT)
    return None if text is None or text.startswith("Not provided") else text


def _conditions(top: Section) -> list[str | None]:
    given = top.section("conditions").each("condition", 100)
    texts = [line for one in given if (line := one.line("description", MAX_TEXT)) and len(line) <= MAX_LINE]
    return list(texts) or [one.line("diseaseClass2", MAX_LINE) for one in given]


def _say_interventions(said: Statements, given: Sequence[Section], titles: Sequence[str]) -> None:
    def kind(one: Section) -> Any:
        written = one.line("interventionType", 200) or ""
        if written.lower() not in _KINDS:
            unknown_code(one, "interventionType")
        return _KINDS.get(written.lower())

    named = [(one, name) for one in given if (name := shortened(one, "drugNames", MAX_LINE, line=True)) is not None]
    words = [ProductWords((kind(one) or "").upper() or None, name) for one, name in named]
    product = read_product(words, titles)
    if words:
        said.say("product", lambda: product if product != Product() else None)
    elif product.atmp_class is not None:
        said.suppose("product", product)
    said.say(
        "interventions",
        lambda: [
            Intervention(name=name, kind=kind(one), description=shortened(one, "description", MAX_DESCRIPTION))
            for one, name in named
        ],
    )


def _quiet_status(top: Section) -> tuple[RecruitmentStatus | None, str | None]:
    """Return the status without warnings."""
    return status(Section(Reader(), "", top.given))


def _say_status(said: Statements, top: Section, design: Section) -> None:
    said.say("status", lambda: status(top)[0])
    said.say("source_status", lambda: _quiet_status(top)[1])
    said.say("why_stopped", lambda: design.text("reasonAbandoned", MAX_TEXT), (design, "reasonAbandoned"))


def _countries(people: Section) -> list[str]:
    found = []
    for pointer, name in people.section("recruitmentCountries").each_line("country", 200, 300):
        country = country_code(name)
        if country is None:
            people.reader.warn(pointer, "unknown_country", "nom de pays inconnu", "unknown country name")
        else:
            found.append(country)
    return list(dict.fromkeys(found))


def _locations(people: Section) -> list[Location]:
    found: dict[Location, None] = {}
    for one in people.section("trialCentres").each("trialCentre", MAX_ITEMS):
        name, city = one.line("name", MAX_LINE), one.line("city", 200)
        postcode = one.line("zip", 200)
        country = country_code(one.line("country", 200) or "")
        if name is not None or city is not None:
            place = Location(
                facility=name, city=city, country=country, state=one.line("state", 200), postcode=_real(postcode)
            )
            found[place] = None
    return list(found)


def _real(text: str | None) -> str | None:
    return text if text is not None and any(mark.isalnum() for mark in text) else None


def _sponsor(sponsors: Sequence[Section]) -> Sponsor | None:
    found = (sponsor(one.line("organisation", MAX_LINE), commercial=_is_commercial(one)) for one in sponsors)
    return next((one for one in found if one is not None), None)


def _is_commercial(one: Section) -> bool:
    return (one.line("commercialStatus", 200) or "").lower() == "commercial"


def _collaborators(top: Section, sponsors: Sequence[Section]) -> list[str]:
    names = [one.line("organisation", MAX_LINE) for one in sponsors]
    names += [one.line("name", MAX_LINE) for one in top.each("funder", 100)]
    return collaborators(_sponsor(sponsors), names)


def _enrolment(people: Section) -> Enrolment | None:
    """Return the final number, else the planned one."""
    for key in ("totalFinalEnrolment", "targetEnrolment"):
        count = people.code(key)
        if count is not None and _COUNT.fullmatch(count):
            return Enrolment(count=int(count), type="actual" if key == "totalFinalEnrolment" else "estimated")
        if count is not None:
            unknown_code(people, key)
    return None


def _dated(section: Section, key: str, day: str | None) -> Milestone | None:
    """Return a date, which has happened if it is not after the day of retrieval."""
    found = partial_date(section, key)
    if found is None:
        return None
    return Milestone(date=found, type=None if day is None else "actual" if found <= day else "estimated")


def _outcomes(description: Section, key: str) -> list[Outcome]:
    """Return the outcomes as one: they are one text, numbered in many ways."""
    text = shortened(description, key, MAX_LINE, line=True)
    return [] if text is None else [Outcome(measure=cut(text, MAX_LINE))]


def _say_eligibility(said: Statements, people: Section) -> None:
    said.say_group(
        "eligibility",
        {
            "text": lambda: headed_text(
                people,
                "inclusion",
                people.text("inclusion", MAX_ELIGIBILITY_TEXT),
                people.text("exclusion", MAX_ELIGIBILITY_TEXT),
            ),
            ("minimum_age", "maximum_age"): lambda: _ages(people),
            "sex": lambda: ctgov_codes.look_up(people, "gender", _SEX),
            "healthy_volunteers": lambda: _healthy(people),
        },
        Eligibility(),
    )


def _ages(people: Section) -> tuple[str | None, str | None]:
    """Return the limits in words; where there are none, those of the range."""
    lowest, highest = ages.age_in_words(people, "lowerAgeLimit"), ages.age_in_words(people, "upperAgeLimit")
    written = (people.line("ageRange", 200) or "").lower()
    if written and written not in _AGE_RANGES:
        unknown_code(people, "ageRange")
    by_range = ages.age_limits(_AGE_RANGES.get(written, ()))
    return (lowest, highest) if lowest or highest else by_range


def _healthy(people: Section) -> bool | None:
    written = people.section("participantTypes").each_line("participantType", 200, 20)
    return any("healthy" in text.lower() for _, text in written) if written else None
