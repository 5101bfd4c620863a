"""Reads the records of a partner network: JSON objects with the members of ``columns.json``.

Texts as in the columns of a file; several values as a list. A member that is absent says nothing; an empty one says
that there is nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.registry.model.design import MAX_DOCUMENTS, MAX_KEYWORDS, TrialDocument
from services.registry.model.trial import (
    MAX_ELIGIBILITY_TEXT,
    MAX_ITEMS,
    MAX_LINE,
    MAX_TEXT,
    Condition,
    Eligibility,
    Enrolment,
    Identifier,
    Location,
    Sponsor,
)
from services.registry.sources.ctgov_codes import sponsor_kind
from services.registry.sources.partner.contacts import CONTACT, contact
from services.registry.sources.partner.participation import say_participation
from services.registry.sources.partner.products import say_product
from services.registry.sources.partner.values import SHORT, code, duration, flag, known, quiet, texts, whole_number
from services.registry.sources.places import CentreRule, country_code
from services.registry.sources.problems import InvalidStudyError
from services.registry.sources.reader import SourceReading
from services.registry.sources.reading import Reader, Section
from services.registry.sources.registers.conditions import say_conditions
from services.registry.sources.registers.dates import milestone, partial_date
from services.registry.sources.registers.numbers import distinct
from services.registry.sources.registers.organisations import member_sites
from services.registry.sources.registers.phases import phase_in_words
from services.registry.sources.registers.statements import Statements
from services.registry.sources.registers.texts import headed_text
from services.registry.terminology.terminology import Terminology
from shared.vocabulary.identifiers import recognise_identifier
from shared.vocabulary.recruitment import RecruitmentStatus

PREFIX: Final = "partner:"
MAX_NUMBER: Final = 100
_CODED: Final = re.compile(r"([A-Za-z0-9-]{2,12}):\s?([A-Za-z0-9_.\-/]{1,64})(?:\s+(.+))?")
_ADDRESS: Final = re.compile(r"https?://[^\s\x00-\x1f\x7f\"<>\\^`{|}]{1,990}")


def is_partner(source: str) -> bool:
    """Return whether a source is a partner network's own."""
    return source.startswith(PREFIX)


@dataclass(frozen=True, slots=True)
class PartnerReader:
    """The reader of one partner network. ``source``: ``partner:`` and the id of its organisation."""

    source: str
    version: int = 1

    def source_id(self, record: Any) -> str:
        """Return the partner's number of the trial; a public number in the form of its registry.

        :raises InvalidStudyError: the record is not an object or has no such number.
        """
        if not isinstance(record, dict):
            raise InvalidStudyError.at("", "not_an_object", "un objet est attendu", "an object is expected")
        written = Section(Reader(), "", record).code("number")
        if written is None or len(written) > MAX_NUMBER:
            raise InvalidStudyError.at(
                "/number",
                "number_missing",
                f"votre numéro de l'essai est obligatoire, au plus {MAX_NUMBER} caractères",
                f"your number of the trial is required, at most {MAX_NUMBER} characters",
            )
        public = recognise_identifier(written)
        return written if public is None else public[1]

    def parts(self, record: Any) -> Any:
        """Return the whole record: it has known members only."""
        return record

    def dated(self, record: Any) -> str | None:
        """Return the day on which the partner last changed the record, if it gives one."""
        return partial_date(Section(Reader(), "", record), "updated")

    def read(self, record: Any, terminology: Terminology, centres: Sequence[CentreRule] = ()) -> SourceReading:
        """Read a record with a valid number."""
        reader = Reader()
        top = Section(reader, "", record)
        said = Statements(reader)
        said.say("identifiers", lambda: _identifiers(top, self.source_id(record)))
        for path, key, limit in (
            ("titles.fr", "title_fr", MAX_LINE),
            ("titles.en", "title_en", MAX_LINE),
            ("official_titles.fr", "official_title_fr", MAX_LINE),
            ("official_titles.en", "official_title_en", MAX_LINE),
            ("acronym", "acronym", SHORT),
        ):
            said.say(path, lambda key=key, limit=limit: top.line(key, limit), (top, key))  # type: ignore[misc]
        for language in ("fr", "en"):
            key = f"summary_{language}"
            said.say(f"summary.{language}", lambda key=key: top.text(key, MAX_TEXT), (top, key))  # type: ignore[misc]
        titles = [one for key in ("title_fr", "title_en") if (one := quiet(top).line(key, MAX_LINE)) is not None]
        said.say("keywords", lambda: texts(top, "keywords", SHORT, MAX_KEYWORDS), (top, "keywords"))
        given = texts(top, "conditions", MAX_LINE, 200)
        codes = dict(_coded(text) for text in given)
        say_conditions(
            said, codes, titles, terminology, (top, "conditions"), change=lambda found: _with_codes(found, codes)
        )
        say_product(said, top, titles)
        said.say("phase", lambda: code(top, "phase") or phase_in_words(top, "phase"), (top, "phase"))
        said.say("study_type", lambda: known(top, "study_type"), (top, "study_type"))
        said.say("status", lambda: known(top, "status"))
        said.say("source_status", lambda: quiet(top).line("status", SHORT), (top, "status"))
        said.say("why_stopped", lambda: top.text("why_stopped", MAX_TEXT), (top, "why_stopped"))
        said.say("sponsor", lambda: _sponsor(top), (top, "sponsor"))
        said.say("collaborators", lambda: texts(top, "collaborators", MAX_LINE, MAX_ITEMS), (top, "collaborators"))
        said.say("enrolment", lambda: _enrolment(top), (top, "enrolment"))
        said.say("dates.start", lambda: milestone(top, "start"), (top, "start"))
        said.say("dates.completion", lambda: milestone(top, "completion"), (top, "completion"))
        said.say("dates.last_update", lambda: milestone(top, "updated", "actual"), (top, "updated"))
        said.say("countries", lambda: _countries(top), (top, "countries"))
        places = _places(top)
        status: RecruitmentStatus = known(quiet(top), "status") or "unknown"
        said.say("locations", lambda: places, (top, "centres"), (top, "cities"))
        said.say("sites", lambda: member_sites(places, status, centres), (top, "centres"), (top, "cities"))
        said.say("contact", lambda: contact(top), *((top, key) for key in CONTACT))
        say_participation(said, top)
        said.say("documents", lambda: _links(top), (top, "links"))
        said.say_group(
            "eligibility",
            {
                "text": lambda: _criteria(top),
                "minimum_age": lambda: duration(top, "minimum_age"),
                "maximum_age": lambda: duration(top, "maximum_age"),
                "sex": lambda: known(top, "sex"),
                "healthy_volunteers": lambda: flag(top, "healthy_volunteers"),
            },
            Eligibility(),
        )
        return said.reading(self.dated(record))


def _identifiers(top: Section, number: str) -> list[Identifier]:
    """Return the numbers. A number that is no public one is a code, as the sponsor's."""
    own = recognise_identifier(number)
    found = [Identifier(type="sponsor", value=number) if own is None else Identifier(type=own[0], value=own[1])]
    for pointer, text in top.each_line("registry_numbers", SHORT, 50):
        public = recognise_identifier(text)
        if public is None:
            top.reader.warn(
                pointer,
                "unknown_number",
                "ce n'est pas un numéro NCT, EU CT, EudraCT, ISRCTN, ID-RCB ou UTN",
                "this is no NCT, EU CT, EudraCT, ISRCTN, ID-RCB or UTN number",
            )
        else:
            found.append(Identifier(type=public[0], value=public[1]))
    code = top.line("sponsor_code", MAX_NUMBER)
    if code is not None and recognise_identifier(code) is None:
        found.append(Identifier(type="sponsor", value=code))
    return distinct(found)


def _coded(text: str) -> tuple[str, str | None]:
    """Return (text, code) of a condition. A code without a text is its own text."""
    found = _CODED.fullmatch(text)
    if found is None:
        return text, None
    code = f"{found[1].upper().replace('-', '')}:{found[2]}"
    return (found[3] or code), code


def _with_codes(found: list[Condition], codes: dict[str, str | None]) -> list[Condition]:
    """Give the conditions the codes that the partner states; a text that stands for several has one condition."""
    stated = {text: Condition(code=code, text=text) for text, code in codes.items() if code is not None}
    kept = [one for one in found if one.text not in stated or one.inferred is not None]
    return [*stated.values(), *kept]


def _sponsor(top: Section) -> Sponsor | None:
    name, kind = top.line("sponsor", MAX_LINE), known(top, "sponsor_kind")
    return None if name is None else Sponsor(name=name, kind=kind or sponsor_kind(None, name))


def _enrolment(top: Section) -> Enrolment | None:
    count = whole_number(top, "enrolment", 999_999_999)
    return None if count is None else Enrolment(count=count, type="estimated")


def _countries(top: Section) -> list[str]:
    found = []
    for pointer, text in top.each_line("countries", SHORT, 260):
        country = country_code(text)
        if country is None:
            top.reader.warn(
                pointer,
                "unknown_country",
                "nom de pays inconnu : indiquez le code à deux lettres, p. ex. FR",
                "unknown country name: give the code of two letters, e.g. FR",
            )
        else:
            found.append(country)
    return list(dict.fromkeys(found))


def _places(top: Section) -> list[Location]:
    """Return the places: in France, or in the one country that the record names."""
    centres = [text for _, text in top.each_line("centres", MAX_LINE, MAX_ITEMS)]
    cities = [text for _, text in top.each_line("cities", SHORT, MAX_ITEMS)]
    if centres and cities and len(centres) != len(cities):
        top.reader.warn(
            "/cities",
            "cities_count",
            "il faut autant de villes que de centres, dans le même ordre",
            "there must be as many cities as centres, in the same order",
        )
        cities = []
    countries = _countries(quiet(top))
    country = "FR" if not countries or "FR" in countries else countries[0] if len(countries) == 1 else None
    count = max(len(centres), len(cities))
    places = zip([*centres, *[None] * count][:count], [*cities, *[None] * count][:count], strict=True)
    return list(dict.fromkeys(Location(facility=name, city=city, country=country) for name, city in places))


def _links(top: Section) -> list[TrialDocument]:
    found = []
    for pointer, text in top.each_line("links", 1000, MAX_DOCUMENTS):
        if _ADDRESS.fullmatch(text):
            found.append(TrialDocument(label=text[:MAX_LINE], url=text))
        else:
            top.reader.warn(
                pointer,
                "address_form",
                "une adresse http ou https est attendue",
                "an http or https address is expected",
            )
    return found


def _criteria(top: Section) -> str | None:
    texts = [top.text(key, MAX_ELIGIBILITY_TEXT) for key in ("inclusion", "exclusion")]
    return headed_text(top, "inclusion", *texts, otherwise="fr")
