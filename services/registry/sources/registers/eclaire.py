"""Reads the records of ECLAIRE, the French register: a FHIR R4 ResearchStudy with its Group and Locations `contained`.

The live server departs from its own guide and from FHIR in many ways; all that are known are accepted.
`eclaire_record.records` makes the records from a Bundle.
"""

import re
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from services.registry.model.design import MAX_ARMS, MAX_OUTCOMES, Arm, Intervention, Outcome
from services.registry.model.trial import (
    MAX_ITEMS,
    MAX_LINE,
    MAX_TEXT,
    Condition,
    Identifier,
    Location,
    Milestone,
    Phase,
    Product,
    Sponsor,
    StudyType,
)
from services.registry.sources.places import CentreRule, country_code
from services.registry.sources.problems import InvalidStudyError
from services.registry.sources.product_reader import Intervention as ProductWords
from services.registry.sources.product_reader import read_product
from services.registry.sources.reader import SourceReading
from services.registry.sources.reading import Reader, Section
from services.registry.sources.registers import eclaire_codes as codes
from services.registry.sources.registers import fhir
from services.registry.sources.registers.conditions import say_conditions
from services.registry.sources.registers.dates import milestone, partial_date
from services.registry.sources.registers.eclaire_population import enrolment, say_eligibility
from services.registry.sources.registers.numbers import distinct, public_numbers
from services.registry.sources.registers.organisations import collaborators, member_sites, sponsor
from services.registry.sources.registers.phases import unknown_code
from services.registry.sources.registers.statements import Statements
from services.registry.sources.registers.texts import cut, in_its_language
from services.registry.terminology.terminology import Terminology
from shared.vocabulary.identifiers import recognise_identifier
from shared.vocabulary.recruitment import RecruitmentStatus

_STATE: Final = re.compile(r"<li>\s*etat:\s*(\w+)\s*</li>")
# The server has sent `recruiting` for studies whose recruitment waits, says its own narrative.
_PENDING: Final = re.compile(r"<li>\s*statut_recrutement:\s*Recrutement en attente\s*</li>", re.IGNORECASE)
# The directory's own sentence on the time that a participant spends in the study.
_DURATION: Final = re.compile(r"La durée de participation est de\s*:?\s*([1-9][0-9]{0,3})\s*mois\b", re.IGNORECASE)
_VOLATILE: Final = frozenset({"meta", "contact"})
_LEADS: Final = ("lead-sponsor", "sponsor")
_OTHERS: Final = frozenset({"sponsor", "collaborator", "funding-source"})
_TITLES: Final = (
    ("titles", ("plain-language", "human-use", "primary")),
    ("official_titles", ("official", "scientific")),
)


class EclaireReader:
    """The reader of ECLAIRE."""

    source: Final = "eclaire"
    version: Final = 2

    def source_id(self, record: Any) -> str:
        """Return the official number: an EU CT, EudraCT or ID-RCB number, or what the agency gave.

        :raises InvalidStudyError: the record is not a ResearchStudy or has no number.
        """
        if not isinstance(record, dict) or record.get("resourceType") != "ResearchStudy":
            raise InvalidStudyError.at(
                "", "not_a_study", "une ResearchStudy est attendue", "a ResearchStudy is expected"
            )
        top = Section(Reader(), "", record)
        official = [one.line("value", 100) for one in _numbers(top) if one.given.get("use") == "official"]
        number = next((text for text in [*official, top.line("id", 100)] if text is not None), None)
        if number is None:
            raise InvalidStudyError.at("/identifier", "no_number", "un numéro est attendu", "a number is expected")
        known = recognise_identifier(number)
        return number if known is None else known[1]

    def parts(self, record: Any) -> Any:
        """Return what counts in a record."""
        return {name: value for name, value in record.items() if name not in _VOLATILE}

    def dated(self, record: Any) -> str | None:
        """Return the day that the server computes from the dates of decisions."""
        return partial_date(Section(Reader(), "", record).section("meta"), "lastUpdated")

    def read(self, record: Any, terminology: Terminology, centres: Sequence[CentreRule] = ()) -> SourceReading:
        """Read a record with a number."""
        reader = Reader()
        top = Section(reader, "", record)
        said = Statements(reader)
        contained = top.each("contained", MAX_ITEMS)
        groups = [one for one in contained if one.given.get("resourceType") == "Group"]
        said.say("identifiers", lambda: _identifiers(top, self.source_id(record)))
        titles = _say_titles(said, top)
        _say_conditions(said, top, titles, terminology)
        arms = top.each("arm", MAX_ARMS)
        _say_arms(said, top, arms, titles)
        said.say("phase", lambda: _phase(top), (top, "phase"))
        said.say("study_type", lambda: _study_type(top))
        said.say("status", lambda: _status(top)[0])
        found, words = _status(Section(Reader(), "", record))
        said.say("source_status", lambda: words)
        places = _locations(contained)
        said.say("countries", lambda: _countries(top), (top, "location"))
        said.say("locations", lambda: places, (top, "contained"))
        said.say("sites", lambda: member_sites(places, found or "unknown", centres), (top, "contained"))
        parties = fhir.extensions(top, "associatedparty")
        said.say("sponsor", lambda: _sponsor(parties))
        said.say("collaborators", lambda: collaborators(_sponsor(parties), _names(parties, _OTHERS)))
        said.say("enrolment", lambda: enrolment(groups))
        said.say("participation.duration", lambda: _duration(Section(Reader(), "", record)))
        _say_dates(said, top)
        for path, kind in (("primary_outcomes", "primary"), ("secondary_outcomes", "secondary")):
            said.say(path, partial(_outcomes, top, kind))
        say_eligibility(said, groups)
        return said.reading(self.dated(record))


def _numbers(top: Section) -> list[Section]:
    return top.each("identifier", 100)


def _identifiers(top: Section, own: str) -> list[Identifier]:
    """Return the numbers. An official number of another kind, such as that of a device study, is kept as it is."""
    known = recognise_identifier(own)
    kind, value = known if known is not None else ("sponsor", own)
    others = [number for one in _numbers(top) for number in public_numbers(one, "value")]
    return distinct([Identifier(type=kind, value=value), *others])


def _say_titles(said: Statements, top: Section) -> list[str]:
    """Say titles, acronym and summary. Most titles are French; those of the sponsors may be English."""
    title = fhir.line(top, "title", MAX_TEXT)
    labels = {
        kind: text
        for one in fhir.extensions(top, "label")
        if (kind := _first_code(fhir.part(one, "type"), "valueCodeableConcept")) is not None
        and (value := fhir.part(one, "value")) is not None
        and (text := fhir.line(value, "valueString", MAX_TEXT)) is not None
    }
    shown: dict[str, str] = {}
    for path, kinds in _TITLES:
        text = next((labels[kind] for kind in kinds if kind in labels), title if path == "titles" else None)
        if text is not None and text not in shown.values():
            shown[path] = text
    if "titles" in shown and title not in {None, shown["titles"]}:
        shown.setdefault("official_titles", title or "")
    for path, text in shown.items():
        bilingual = in_its_language(cut(text, MAX_LINE), "fr")
        said.say(f"{path}.fr", partial(getattr, bilingual, "fr"))
        said.say(f"{path}.en", partial(getattr, bilingual, "en"))
    acronym = labels.get("acronym") or labels.get("short-title")
    said.say("acronym", lambda: acronym if acronym is not None and len(acronym) <= 200 else None)
    _say_summary(said, top)
    return [cut(text, MAX_LINE) for text in shown.values()]


def _say_summary(said: Statements, top: Section) -> None:
    for one in fhir.extensions(top, "descriptionsummary")[:1]:
        key = next((key for key in ("valueMarkdown", "valueString") if key in one.given), "valueMarkdown")
        text = one.text(key, MAX_TEXT)
        language = in_its_language(text, "fr") if text is not None and len(text) <= MAX_LINE else None
        is_english = language is not None and language.en is not None
        said.say("summary.en" if is_english else "summary.fr", partial(str, text) if text else lambda: None)


def _first_code(section: Section | None, key: str) -> str | None:
    return None if section is None else next(iter(fhir.codes(section.section(key))), None)


def _say_conditions(said: Statements, top: Section, titles: Sequence[str], terminology: Terminology) -> None:
    """Say the conditions. A code of a known system counts where the text of its element is not recognised."""
    elements = top.each("condition", 200)
    texts = [(one, fhir.concept_text(one, MAX_LINE)) for one in elements]
    coded: dict[str, str] = {}
    for one, text in texts:
        for coding in fhir.codings(one):
            system = codes.CONDITION_SYSTEMS.get((coding.line("system", 200) or "").rstrip("/"))
            code = coding.line("code", 50)
            if system is not None and code is not None and text is not None:
                concept = terminology.concept(f"{system}:{code}")
                if concept is not None:
                    coded.setdefault(text, concept.code)
    with_codes = partial(_with_codes, coded)
    say_conditions(said, [text for _, text in texts], titles, terminology, (top, "condition"), change=with_codes)


def _with_codes(coded: dict[str, str], found: list[Condition]) -> list[Condition]:
    return [
        one.model_copy(update={"code": coded[one.text]}) if one.code is None and one.text in coded else one
        for one in found
    ]


def _say_arms(said: Statements, top: Section, arms: Sequence[Section], titles: Sequence[str]) -> None:
    def text_of(one: Section, name: str, limit: int) -> str | None:
        section = fhir.part(one, name)
        text = None if section is None else fhir.line(section, "valueString", 100_000)
        return None if text is None else cut(text, limit)

    treatments = [
        (arm, name, text_of(one, "description", 1000))
        for arm in arms
        for one in fhir.extensions(arm, "armintervention")
        if (name := text_of(one, "name", MAX_LINE)) is not None
    ]
    found = [
        Arm(label=label, interventions=[name for of, name, _ in treatments if of is arm][:MAX_ARMS])
        for arm in arms
        if (label := fhir.line(arm, "name", MAX_LINE)) is not None
    ]
    said.say("arms", lambda: found, (top, "arm"))
    given = {name: Intervention(name=name, description=text) for _, name, text in reversed(treatments)}
    said.say("interventions", lambda: list(reversed(given.values()))[:MAX_ARMS])
    product = read_product([ProductWords(None, name) for name in reversed(given)], titles)
    if given and product != Product():
        said.say("product", lambda: product)
    elif product.atmp_class is not None:
        said.suppose("product", product)


def _phase(top: Section) -> Phase | None:
    for one in fhir.codings(top.section("phase")):
        code = (one.line("code", 200) or "").lower()
        found = codes.PHASE.get(code)
        if found is not None:
            return found
        unknown_code(one, "code")
    return None


def _study_type(top: Section) -> StudyType | None:
    given = [code.lower() for one in top.each("category", 100) for code in fhir.codes(one)]
    found = [codes.STUDY_TYPE[code] for code in given if code in codes.STUDY_TYPE]
    return found[0] if len(set(found)) == 1 else None


def _status(top: Section) -> tuple[RecruitmentStatus | None, str | None]:
    """Return the status, and the words of the source for it. None: it gives none or, with a warning, an unknown one."""
    status = top.line("status", 200)
    narrative = top.section("text").line("div", 1_000_000) or ""
    written = _STATE.search(narrative)
    state = written[1] if written is not None else None
    concept = next((one.section("valueCodeableConcept") for one in fhir.extensions(top, "recruitmentstatus")), None)
    recruitment = next(iter(fhir.codes(concept)), None) if concept is not None else None
    if recruitment == "recruiting" and _PENDING.search(narrative):
        recruitment = "upcoming"
    words = ", ".join(text for text in (state, status, recruitment) if text) or None
    if status is None:
        return None, words
    if status not in codes.STATUS:
        unknown_code(top, "status")
        return None, words
    found = codes.STATE.get((state or "").lower(), codes.STATUS[status])
    if found not in {None, "not_yet_recruiting"} or recruitment is None or concept is None:
        return found or "unknown", words
    if recruitment not in codes.RECRUITMENT:
        unknown_code(concept, "coding")
    return codes.RECRUITMENT.get(recruitment), words


def _countries(top: Section) -> list[str]:
    found = []
    for one in top.each("location", 300):
        for coding in fhir.codings(one):
            code = coding.line("code", 200)
            country = country_code(code) if code is not None else None
            if country is not None:
                found.append(country)
            elif code is not None:
                coding.reader.warn(
                    f"{coding.pointer}/code", "unknown_country", "nom de pays inconnu", "unknown country name"
                )
    return list(dict.fromkeys(found))


def _locations(contained: Sequence[Section]) -> list[Location]:
    found: dict[Location, None] = {}
    for one in contained:
        if one.given.get("resourceType") == "Location":
            address = one.section("address")
            place = Location(
                facility=fhir.line(one, "name", MAX_LINE),
                city=fhir.line(address, "city", 200),
                postcode=fhir.line(address, "postalCode", 200),
                country=country_code(address.line("country", 200) or ""),
            )
            if place.facility is not None or place.city is not None:
                found[place] = None
    return list(found)


def _names(parties: Sequence[Section], roles: frozenset[str]) -> list[str | None]:
    return [
        fhir.line(name, "valueString", MAX_LINE)
        for one in parties
        if _first_code(fhir.part(one, "role"), "valueCodeableConcept") in roles
        and (name := fhir.part(one, "name")) is not None
    ]


def _sponsor(parties: Sequence[Section]) -> Sponsor | None:
    for role in _LEADS:
        for one in parties:
            name = next(iter(_names([one], frozenset({role}))), None)
            if name is not None:
                kind = _first_code(fhir.part(one, "classifier"), "valueCodeableConcept")
                found = sponsor(name, commercial=kind == "industry")
                # Without a classifier only the name can show it.
                is_known = kind is not None or (found is not None and found.kind == "academic")
                return found if is_known else Sponsor(name=name)
    return None


def _duration(top: Section) -> str | None:
    found = _DURATION.search(top.text("description", MAX_TEXT) or "")
    return None if found is None else f"P{found[1]}M"


def _say_dates(said: Statements, top: Section) -> None:
    recruitment = next((one.section("valuePeriod") for one in fhir.extensions(top, "recruitmentperiod")), None)
    if recruitment is not None:
        said.say("dates.start", lambda: milestone(recruitment, "start"))
    said.say("dates.completion", lambda: milestone(top.section("period"), "end"))
    said.say("dates.last_update", lambda: milestone(top.section("meta"), "lastUpdated", "actual"))
    said.say("dates.first_posted", lambda: _registered(top))


def _registered(top: Section) -> Milestone | None:
    official = (one for one in _numbers(top) if one.given.get("use") == "official")
    return next((day for one in official if (day := milestone(one.section("period"), "start", "actual"))), None)


def _outcomes(top: Section, kind: str) -> list[Outcome]:
    found = []
    for one in fhir.extensions(top, "outcomemeasure"):
        # The example of the guide writes `value` for `name`.
        name = fhir.part(one, "name") or fhir.part(one, "value")
        text = None if name is None else fhir.line(name, "valueString", 10_000)
        if text is not None and _first_code(fhir.part(one, "type"), "valueCodeableConcept") == kind:
            found.append(Outcome(measure=cut(text, MAX_LINE)))
    return found[:MAX_OUTCOMES]
