"""Reads the records of CTIS, the register of the EU regulation 536/2014, in both shapes: until June 2024 and since.

A record is the answer of `retrieve`, or a row of the answer of `search`. A row lets one suppose what is in it as free
text, so that it never replaces what `retrieve` says. The trial is named by its EU CT number without the last part,
which counts its submissions.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.registry.model.trial import (
    MAX_ITEMS,
    MAX_LINE,
    Enrolment,
    Identifier,
    Milestone,
    Phase,
    Sponsor,
)
from services.registry.sources import ctgov_codes
from services.registry.sources.places import CentreRule
from services.registry.sources.problems import InvalidStudyError
from services.registry.sources.reader import SourceReading
from services.registry.sources.reading import Reader, Section
from services.registry.sources.registers import ctis_codes as codes
from services.registry.sources.registers import ctis_population as population
from services.registry.sources.registers import ctis_texts as texts
from services.registry.sources.registers.conditions import say_conditions
from services.registry.sources.registers.ctis_countries import Countries
from services.registry.sources.registers.ctis_products import interventions, product
from services.registry.sources.registers.dates import latest, milestone, partial_date
from services.registry.sources.registers.numbers import distinct, public_numbers, sponsor_code
from services.registry.sources.registers.organisations import collaborators
from services.registry.sources.registers.phases import phase_in_words, unknown_code
from services.registry.sources.registers.statements import Statements
from services.registry.terminology.terminology import Terminology
from shared.vocabulary.identifiers import recognise_identifier

_SUBMISSION: Final = re.compile(r"-[0-9]{2}$")
# What is read; the rest (evaluations, questions of the authorities, results) is no part of a trial here.
_PARTS: Final = (
    *("ctNumber", "ctStatus", "ctPublicStatusCode", "trialCountries", "startDateEU", "lastUpdated"),
    *("lastPublicationUpdate", "totalNumberEnrolled", "trialPhase", "ageGroup", "gender", "documents"),
    *("authorizedApplication", "authorizedPartI", "authorizedPartsII", "memberStatesConcerned", "eudraCtInfo"),
)


# The texts of a row.
_ROW: Final = ("ctTitle", "conditions")


class CtisReader:
    """The reader of CTIS."""

    source: Final = "ctis"
    version: Final = 1

    def source_id(self, record: Any) -> str:
        """Return the EU CT number without its last part: all submissions of a trial are one record.

        :raises InvalidStudyError: the record is not an object or has no EU CT number.
        """
        if not isinstance(record, dict):
            raise InvalidStudyError.at("", "not_an_object", "un objet est attendu", "an object is expected")
        number = recognise_identifier(Section(Reader(), "", record).line("ctNumber", 100) or "")
        if number is None or number[0] != "euct":
            raise InvalidStudyError.at(
                "/ctNumber", "euct_number", "un numéro EU CT est attendu", "an EU CT number is expected"
            )
        return _SUBMISSION.sub("", number[1])

    def parts(self, record: Any) -> Any:
        """Return what counts in a record."""
        names = (
            _PARTS if record.get("authorizedPartI") or "authorizedApplication" in record else (*_PARTS, "applications")
        )
        names = (*names, *_ROW) if _is_row(record) else names
        return {name: record[name] for name in names if name in record}

    def dated(self, record: Any) -> str | None:
        """Return the day on which the record was last updated or published, whichever is later."""
        given = Section(Reader(), "", record)
        return latest(partial_date(given, "lastUpdated"), partial_date(given, "lastPublicationUpdate"))

    def read(self, record: Any, terminology: Terminology, centres: Sequence[CentreRule] = ()) -> SourceReading:
        """Read a record with a valid number."""
        return _Record(record).read(terminology, centres, self.dated(record))


def _is_row(record: Mapping[str, Any]) -> bool:
    """Return whether this is a row of the answer of `search`."""
    return "ctTitle" in record and not {"authorizedApplication", "authorizedPartI", "applications"} & record.keys()


class _Record:
    """The places of a record where the two shapes differ."""

    def __init__(self, record: Any) -> None:
        self.reader = Reader()
        self.top = Section(self.reader, "", record)
        is_new = "authorizedApplication" in self.top.given
        application = self.top.section("authorizedApplication") if is_new else self.top
        self.part_one = application.section("authorizedPartI")
        self.parts_two = application.sections("authorizedPartsII", 100)
        if not is_new and not self.part_one.given:
            for latest_application in self.top.sections("applications", 1000)[-1:]:
                self.part_one = latest_application.section("partI")
                self.parts_two = latest_application.sections("partIIInfo", 100)
        self.states = application.sections("memberStatesConcerned", 100)
        self.eudract = application.section("eudraCt") if is_new else self.top.section("eudraCtInfo")
        details = self.part_one.section("trialDetails")
        self.names = details.section("clinicalTrialIdentifiers")
        self.information = details.section("trialInformation")

    def read(self, terminology: Terminology, centres: Sequence[CentreRule], dated: str | None) -> SourceReading:
        said = Statements(self.reader)
        said.say("identifiers", self._identifiers)
        texts.say_titles(said, self.names)
        titles = texts.titles(self.names)
        is_row = _is_row(self.top.given)
        if is_row:
            titles = [text for key in _ROW if (text := self.top.line(key, MAX_LINE)) is not None]
            said.suppose("titles.en", self.top.line("ctTitle", MAX_LINE))
        conditions = texts.conditions(self.part_one, self.information)
        say_conditions(said, conditions, titles, terminology, (self.part_one, "medicalConditions"))
        products = self.part_one.sections("products", MAX_ITEMS)
        said.say("product", lambda: product(products, titles))
        said.say("interventions", lambda: interventions(products), (self.part_one, "products"))
        said.say("phase", self._phase)
        said.say("study_type", lambda: "interventional")
        countries = Countries(self.top, self.part_one, self.parts_two, self.states)
        countries.say(said, centres)
        sponsors = self.part_one.sections("sponsors", 100)
        said.say("sponsor", lambda: _sponsor(sponsors), (self.part_one, "sponsors"))
        said.say("collaborators", lambda: self._collaborators(sponsors), (self.part_one, "sponsors"))
        said.say("enrolment", self._enrolment)
        said.say("dates.start", self._start)
        said.say("dates.completion", self._completion)
        said.say("dates.last_update", lambda: Milestone(date=dated, type="actual") if dated is not None else None)
        if not is_row:  # ages and sex would replace the criteria too
            population.say_eligibility(said, self.top, self.information)
        end_points = self.information.section("endPoint")
        for kind in ("primary", "secondary"):
            texts.say_outcomes(said, f"{kind}_outcomes", end_points, f"{kind}EndPoints")
        said.say("documents", lambda: texts.documents(self.top), (self.top, "documents"))
        return said.reading(dated)

    def _identifiers(self) -> list[Identifier]:
        secondary = self.names.section("secondaryIdentifyingNumbers")
        named = (secondary.section(key) for key in ("nctNumber", "isrctnNumber", "whoUniversalTrialNumber"))
        others = secondary.sections("additionalRegistries", 100)
        return distinct(
            [
                *public_numbers(self.top, "ctNumber"),
                *public_numbers(self.eudract, "eudraCtCode"),
                *(number for section in (*named, *others) for number in public_numbers(section, "number")),
                *sponsor_code(self.names, "shortTitle"),
            ]
        )

    def _phase(self) -> Phase | None:
        category = self.information.section("trialCategory")
        code = category.code("trialPhase")
        if code is None:
            return phase_in_words(self.top, "trialPhase")
        if code not in codes.PHASE:
            unknown_code(category, "trialPhase")
        return codes.PHASE.get(code)

    def _collaborators(self, sponsors: list[Section]) -> list[str]:
        supporters = self.information.sections("sourceOfMonetarySupport", 100)
        names = [one.section("organisation").line("name", MAX_LINE) for one in sponsors]
        names += [one.line("organisationName", MAX_LINE) for one in supporters]
        return collaborators(_sponsor(sponsors), names)

    def _enrolment(self) -> Enrolment | None:
        """Return the number planned in the EU and, if given, in the rest of the world."""
        inside = self.top.code("totalNumberEnrolled")
        outside = self.part_one.whole_number("rowSubjectCount") or 0
        if inside is None:
            return None
        if not inside.isdecimal() or int(inside) + outside > 1_000_000_000:
            unknown_code(self.top, "totalNumberEnrolled")
            return None
        return Enrolment(count=int(inside) + outside, type="estimated")

    def _start(self) -> Milestone | None:
        periods = [
            partial_date(period, "trialStartDate")
            for part in self.parts_two
            for period in part.section("mscInfo").sections("trialPeriod", 100)
        ]
        first = min((day for day in periods if day is not None), default=None)
        started = milestone(self.top, "startDateEU", "actual")
        if started is None and first is not None:
            return Milestone(date=first, type="actual")
        duration = self.information.section("trialDuration")
        return started or milestone(duration, "estimatedRecruitmentStartDate", "estimated")

    def _completion(self) -> Milestone | None:
        duration = self.information.section("trialDuration")
        everywhere = milestone(duration, "estimatedGlobalEndDate", "estimated")
        return everywhere or milestone(duration, "estimatedEndDate", "estimated")


def _sponsor(sponsors: list[Section]) -> Sponsor | None:
    leads = [one for one in sponsors if one.given.get("primary") is True] or sponsors[:1]
    for lead in leads:
        organisation = lead.section("organisation")
        name = organisation.line("name", MAX_LINE)
        if name is not None:
            return Sponsor(name=name, kind=_sponsor_kind(organisation, name))
    return None


def _sponsor_kind(organisation: Section, name: str) -> Any:
    if organisation.given.get("commercial") is True:
        return "industry"
    kind = organisation.line("type", 200) or ""
    if kind.startswith(("Hospital", "Educational")):
        return "academic"
    return ctgov_codes.sponsor_kind("OTHER", name) if organisation.given.get("commercial") is False else None
