"""Reads a ClinicalTrials.gov API v2 record as a trial (`protocolSection`; documentation of 2026-03-26, API 2.0.5).

Any module may be missing. A value of the wrong type or form is left out and reported with its JSON Pointer, never
quoted.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.registry.model.trial import (
    MAX_ELIGIBILITY_TEXT,
    MAX_ITEMS,
    MAX_LINE,
    MAX_TEXT,
    BilingualSummary,
    BilingualText,
    Eligibility,
    Enrolment,
    Identifier,
    Location,
    Milestone,
    Sponsor,
    TrialDates,
    TrialInput,
    TrialSex,
    TrialSite,
)
from services.registry.sources import ctgov_codes as codes
from services.registry.sources.ctgov_details import details, position
from services.registry.sources.places import CentreRule, country_code, member_centre
from services.registry.sources.problems import InvalidStudyError
from services.registry.sources.product_reader import Intervention, read_product
from services.registry.sources.reading import Reader, Section
from services.registry.sources.record_conditions import MeshTerm, record_conditions
from services.registry.terminology.terminology import Terminology
from shared.values.problems import Fault
from shared.vocabulary.identifiers import IDENTIFIER_PATTERNS, recognise_identifier
from shared.vocabulary.recruitment import RecruitmentStatus, more_open, site_status

__all__ = ["READER_VERSION", "InvalidStudyError", "StudyReading", "read_study"]

# Increase it when the same record would be read differently, so that unchanged records are read again.
READER_VERSION: Final = 5
_SHORT: Final = 200
# Bounds of lists that take time to read. Real records stay far below; what is beyond is left out with a warning.
MAX_INTERVENTIONS: Final = 100
MAX_OTHER_NAMES: Final = 100
MAX_CONDITIONS: Final = 200
_OTHER_PARTS: Final = (
    ("derivedSection", "conditionBrowseModule", "meshes"),
    ("documentSection", "largeDocumentModule", "largeDocs"),
)
# Places that are read; fewer are kept.
_MAX_PLACES: Final = 20_000
_NUMBER: Final = IDENTIFIER_PATTERNS["nct"]
_MESH: Final = re.compile(r"D([0-9]{6,9})")
_PUBLIC_NUMBER: Final = re.compile(
    r"(?<![0-9A-Za-z-])(?:[0-9]{4}-[0-9A]{6}-[0-9]{2}(?:-[0-9]{2})?|ISRCTN ?[0-9]{8}|U1111-[0-9]{4}-[0-9]{4})(?![0-9-])"
)


@dataclass(frozen=True, slots=True)
class StudyReading:
    """A record as read: its trial, and a warning for everything that was left out."""

    source_id: str
    trial: TrialInput
    warnings: tuple[Fault, ...]


def study_number(record: Any) -> str:
    """Return the NCT number of a v2 study record.

    :raises InvalidStudyError: the record is not an object or has no NCT number.
    """
    if not isinstance(record, dict):
        raise InvalidStudyError.at("", "not_an_object", "un objet est attendu", "an object is expected")
    identification = Section(Reader(), "", record).section("protocolSection").section("identificationModule")
    number = identification.line("nctId", _SHORT)
    if number is None or not _NUMBER.fullmatch(number):
        raise InvalidStudyError.at(
            "/protocolSection/identificationModule/nctId",
            "nct_number",
            "un numéro NCT est attendu",
            "an NCT number is expected",
        )
    return number


def read_parts(record: dict[str, Any]) -> dict[str, Any]:
    """Return what is read of a record: `protocolSection`, the MeSH terms of the conditions and the documents."""
    parts = {"protocolSection": record["protocolSection"]}
    for path in _OTHER_PARTS:
        value: Any = record
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if value:
            parts = parts | {path[0]: {path[1]: {path[2]: value}}}
    return parts


def read_study(record: Any, terminology: Terminology, centres: Sequence[CentreRule] = ()) -> StudyReading:
    """Read a v2 study record as a trial. ``centres``: how locations of member centres are recognised.

    :raises InvalidStudyError: the record is not an object or has no NCT number.
    """
    number = study_number(record)
    reader = Reader()
    record_section = Section(reader, "", record)
    protocol = record_section.section("protocolSection")
    identification = protocol.section("identificationModule")
    brief, official = identification.line("briefTitle", MAX_LINE), identification.line("officialTitle", MAX_LINE)
    description = protocol.section("descriptionModule")
    status = protocol.section("statusModule")
    design = protocol.section("designModule")
    source_status = status.line("overallStatus", _SHORT)
    overall = codes.look_up(status, "overallStatus", codes.STATUS) or "unknown"
    locations, sites = _locations(protocol, overall, centres)
    trial = TrialInput(
        identifiers=_identifiers(identification, number),
        acronym=identification.line("acronym", _SHORT),
        titles=BilingualText(en=brief or official),
        official_titles=BilingualText(en=official if brief is not None and official != brief else None),
        summary=BilingualSummary(en=description.text("briefSummary", MAX_TEXT)),
        conditions=record_conditions(
            [text for _, text in protocol.section("conditionsModule").lines("conditions", MAX_LINE, MAX_CONDITIONS)],
            _meshes(record_section.section("derivedSection").section("conditionBrowseModule")),
            [title for title in (brief, official) if title is not None],
            terminology,
        ),
        product=read_product(
            _interventions(protocol.section("armsInterventionsModule")),
            [title for title in (brief, official) if title is not None],
        ),
        phase=codes.phase(design),
        study_type=codes.look_up(design, "studyType", codes.STUDY_TYPE),
        status=overall,
        source_status=source_status,
        why_stopped=status.text("whyStopped", MAX_TEXT),
        countries=list(dict.fromkeys(location.country for location in locations if location.country is not None)),
        sponsor=_sponsor(protocol.section("sponsorCollaboratorsModule").section("leadSponsor")),
        collaborators=_collaborators(protocol.section("sponsorCollaboratorsModule")),
        enrolment=_enrolment(design.section("enrollmentInfo")),
        dates=_dates(status),
        locations=_kept(protocol, locations),
        sites=sites,
        eligibility=_eligibility(protocol.section("eligibilityModule")),
        **details(record_section, number),
    )
    return StudyReading(number, trial, tuple(reader.warnings))


def study_date(record: Any) -> str | None:
    """Return the day on which the source last changed a v2 study record; None if it gives none."""
    status = Section(Reader(), "", record).section("protocolSection").section("statusModule")
    posted = codes.partial_date(status.section("lastUpdatePostDateStruct"), "date")
    return posted or codes.partial_date(status, "lastUpdateSubmitDate")


def _identifiers(identification: Section, number: str) -> list[Identifier]:
    found = [Identifier(type="nct", value=number)]
    for _, alias in identification.lines("nctIdAliases", _SHORT, 50):
        if _NUMBER.fullmatch(alias):
            found.append(Identifier(type="nct", value=alias))
    sponsor_code = identification.section("orgStudyIdInfo").line("id", 100)
    if sponsor_code is not None:
        public = recognise_identifier(sponsor_code)
        if public is None:
            found.append(Identifier(type="sponsor", value=sponsor_code))
        elif public[0] != "nct":
            found.append(Identifier(type=public[0], value=public[1]))
    for secondary in identification.sections("secondaryIdInfos", 200):
        text = secondary.line("id", MAX_LINE)
        for written in _PUBLIC_NUMBER.findall(text or ""):
            public = recognise_identifier(written.replace(" ", ""))
            if public is not None:
                found.append(Identifier(type=public[0], value=public[1]))
        if text is not None and _NUMBER.search(text):
            # The number of a parent or extension study: another trial, so never an identifier of this one.
            identification.reader.warn(
                f"{secondary.pointer}/id",
                "other_trial",
                "le numéro d'un autre essai n'est pas gardé comme identifiant",
                "the number of another trial is not kept as an identifier",
            )
    return list(dict.fromkeys(found))[:100]


def _meshes(module: Section) -> list[MeshTerm]:
    """Return the MeSH terms of the conditions; never their ``ancestors``, which are wider."""
    found = []
    for mesh in module.sections("meshes", MAX_CONDITIONS):
        number, term = _MESH.fullmatch(mesh.line("id", _SHORT) or ""), mesh.line("term", MAX_LINE)
        if term is not None:
            found.append(MeshTerm(None if number is None else mesh_code(number[1]), term))
    return found


def mesh_code(digits: str) -> str:
    """Return the code of a descriptor. Some exports pad the six digits of older descriptors to nine."""
    number = int(digits)
    return f"MESH:D{number:06}" if number < 1_000_000 else f"MESH:D{number:09}"


def _interventions(module: Section) -> list[Intervention]:
    found = []
    for item in module.sections("interventions", MAX_INTERVENTIONS):
        name = item.line("name", MAX_LINE)
        if name is not None:
            found.append(
                Intervention(
                    item.line("type", _SHORT),
                    name,
                    tuple(other for _, other in item.lines("otherNames", MAX_LINE, MAX_OTHER_NAMES)),
                )
            )
    return found


def _sponsor(lead: Section) -> Sponsor | None:
    name = lead.line("name", MAX_LINE)
    return Sponsor(name=name, kind=codes.sponsor_kind(lead.line("class", _SHORT), name)) if name is not None else None


def _collaborators(module: Section) -> list[str]:
    names = (item.line("name", MAX_LINE) for item in module.sections("collaborators", MAX_ITEMS))
    return list(dict.fromkeys(name for name in names if name is not None))


def _enrolment(info: Section) -> Enrolment | None:
    count = info.whole_number("count")
    if count is None:
        return None
    if count > 1_000_000_000:
        info.reader.warn(
            f"{info.pointer}/count",
            "too_large",
            "au plus 1 000 000 000 participants",
            "at most 1,000,000,000 participants",
        )
        return None
    return Enrolment(count=count, type=codes.look_up(info, "type", codes.DATE_TYPE))


def _dates(status: Section) -> TrialDates:
    last = _milestone(status.section("lastUpdatePostDateStruct"))
    submitted = codes.partial_date(status, "lastUpdateSubmitDate")
    verified = codes.partial_date(status, "statusVerifiedDate")
    return TrialDates(
        start=_milestone(status.section("startDateStruct")),
        primary_completion=_milestone(status.section("primaryCompletionDateStruct")),
        completion=_milestone(status.section("completionDateStruct")),
        last_update=last or (Milestone(date=submitted, type="actual") if submitted is not None else None),
        first_posted=_milestone(status.section("studyFirstPostDateStruct")),
        verified=Milestone(date=verified, type="actual") if verified is not None else None,
    )


def _milestone(struct: Section) -> Milestone | None:
    day = codes.partial_date(struct, "date")
    return Milestone(date=day, type=codes.look_up(struct, "type", codes.DATE_TYPE)) if day is not None else None


def _locations(
    protocol: Section, overall: RecruitmentStatus, centres: Sequence[CentreRule]
) -> tuple[list[Location], list[TrialSite]]:
    module = protocol.section("contactsLocationsModule")
    # Some exports name the array `locations_nested`.
    given = module.sections("locations", _MAX_PLACES) or module.sections("locations_nested", _MAX_PLACES)
    locations: dict[Location, None] = {}
    sites: dict[str, TrialSite] = {}
    for item in given:
        facility, city = item.line("facility", MAX_LINE), item.line("city", _SHORT)
        written = item.line("country", _SHORT)
        country = country_code(written) if written is not None else None
        if written is not None and country is None:
            item.reader.warn(
                f"{item.pointer}/country", "unknown_country", "nom de pays inconnu", "unknown country name"
            )
        state = codes.look_up(item, "status", codes.STATUS)
        if facility is None and city is None and country is None:
            continue
        place = Location(
            facility=facility,
            city=city,
            state=item.line("state", _SHORT),
            postcode=item.line("zip", _SHORT),
            country=country,
            position=position(item),
            status=state,
        )
        locations[place] = None
        centre = member_centre(facility, city, centres) if country == "FR" else None
        if centre is not None:
            sites[centre] = _site(centre, sites.get(centre), state or site_status(overall))
    return list(locations), list(sites.values())


def _kept(protocol: Section, places: list[Location]) -> list[Location]:
    """Return the places, or those that fit, the French ones first."""
    if len(places) <= MAX_ITEMS:
        return places
    protocol.reader.warn(
        f"{protocol.pointer}/contactsLocationsModule/locations",
        "too_many",
        f"seuls {MAX_ITEMS} lieux sont conservés, ceux de France d'abord",
        f"only {MAX_ITEMS} places are kept, those of France first",
    )
    return sorted(places, key=lambda one: one.country != "FR")[:MAX_ITEMS]


def _site(centre: str, before: TrialSite | None, status: RecruitmentStatus) -> TrialSite:
    """Of two locations of one centre, use the status of the more open one."""
    return TrialSite(centre=centre, status=status if before is None else more_open(before.status, status))


def _eligibility(module: Section) -> Eligibility:
    read_sex: TrialSex | None = codes.look_up(module, "sex", codes.SEX)
    return Eligibility(
        text=module.text("eligibilityCriteria", MAX_ELIGIBILITY_TEXT),
        minimum_age=codes.age(module, "minimumAge"),
        maximum_age=codes.age(module, "maximumAge"),
        sex=read_sex,
        healthy_volunteers=module.flag("healthyVolunteers"),
    )
