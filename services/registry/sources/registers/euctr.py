"""Reads the records of EUCTR, the register of the directive 2001/20/EC: one record for each trial and country.

Records are flat (`euctr_record.flat` converts the other form). The register does not say whether an ongoing trial
recruits, nor where; its French texts have often lost their accented letters.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.registry.model.design import MAX_ARMS, Design, Outcome
from services.registry.model.design import Intervention as TrialIntervention
from services.registry.model.trial import (
    MAX_LINE,
    MAX_TEXT,
    Enrolment,
    Identifier,
    Phase,
    Sponsor,
)
from services.registry.sources.places import CentreRule, country_code
from services.registry.sources.problems import InvalidStudyError
from services.registry.sources.reader import SourceReading
from services.registry.sources.reading import Reader, Section
from services.registry.sources.registers import euctr_products as products
from services.registry.sources.registers.conditions import say_conditions
from services.registry.sources.registers.dates import milestone
from services.registry.sources.registers.euctr_form import Form
from services.registry.sources.registers.euctr_population import say_eligibility
from services.registry.sources.registers.numbers import distinct, public_numbers, sponsor_code
from services.registry.sources.registers.organisations import collaborators, sponsor
from services.registry.sources.registers.phases import phase_of, unknown_code
from services.registry.sources.registers.statements import Statements
from services.registry.sources.registers.texts import in_its_language, shortened
from services.registry.terminology.terminology import Terminology
from shared.vocabulary.identifiers import recognise_identifier
from shared.vocabulary.recruitment import RecruitmentStatus

# By the first words. "Ongoing" does not say whether it recruits, and a transitioned trial goes on in CTIS.
STATUS: Final[Mapping[str, RecruitmentStatus]] = {
    "ongoing": "unknown",
    "restarted": "unknown",
    "completed": "completed",
    "prematurely ended": "terminated",
    "temporarily halted": "suspended",
    "suspended by ca": "suspended",
    "not authorised": "refused",
    "prohibited by ca": "terminated",
    "gb - no longer in eu/eea": "unknown",
    "trial now transitioned": "unknown",
}
_MAX_COUNT: Final = 1_000_000_000
_NAME_WORDS: Final = 6
_SPACES: Final = re.compile(r"[\s,;]+")
_VOLATILE: Final = frozenset({"record_last_import"})


class EuctrReader:
    """The reader of EUCTR."""

    source: Final = "euctr"
    version: Final = 1

    def source_id(self, record: Any) -> str:
        """Return the EudraCT number and, after a hyphen, the country of the record.

        :raises InvalidStudyError: the record is not an object or has no EudraCT number.
        """
        if not isinstance(record, dict):
            raise InvalidStudyError.at("", "not_an_object", "un objet est attendu", "an object is expected")
        form = Form(Section(Reader(), "", record))
        number = recognise_identifier(form.line("a2", 100) or "")
        if number is None or number[0] != "eudract":
            raise InvalidStudyError.at(
                f"/{form.key('a2')}", "eudract_number", "un numéro EudraCT est attendu", "an EudraCT number is expected"
            )
        country = _member_state(form)
        return number[1] if country is None else f"{number[1]}-{country}"

    def parts(self, record: Any) -> Any:
        """Return what counts in a record: the answers of the form, and of the results what is read."""
        answers = {name: value for name, value in record.items() if not isinstance(value, dict)}
        results = record.get("trialInformation")
        read = ("recruitmentStartDate", "usctnIdentifier")
        found = {name: results[name] for name in read if name in results} if isinstance(results, dict) else {}
        return {name: value for name, value in answers.items() if name not in _VOLATILE} | {"trialInformation": found}

    def dated(self, record: Any) -> str | None:  # noqa: ARG002 (of the protocol)
        """Return None: the register does not say when a record was changed."""
        return None

    def read(self, record: Any, terminology: Terminology, centres: Sequence[CentreRule] = ()) -> SourceReading:  # noqa: ARG002 (of the protocol)
        """Read a record with a valid number. It names no places, so ``centres`` is not used."""
        reader = Reader()
        form = Form(Section(reader, "", record))
        said = Statements(reader)
        results = form.top.section("trialInformation")
        said.say("identifiers", lambda: _identifiers(form, results))
        titles = _say_titles(said, form)
        said.say("acronym", lambda: _acronym(form), form.member("a32"))
        say_conditions(said, _conditions(form), titles, terminology, form.member("e11"))
        imps = form.rows("dimp")
        said.say("product", lambda: products.product(imps, titles))
        said.say("interventions", lambda: _interventions(imps), (form.top, "dimp"))
        said.say("phase", lambda: _phase(form))
        said.say("study_type", lambda: "interventional")
        said.say_group("design", _design(form), Design())
        _say_status(said, form)
        said.say("countries", lambda: _countries(form))
        sponsors = form.rows("b1_sponsor")
        said.say("sponsor", lambda: _sponsor(sponsors))
        said.say("collaborators", lambda: _collaborators(sponsors))
        said.say("enrolment", lambda: _enrolment(form), form.member("f422"))
        said.say("dates.start", lambda: milestone(results, "recruitmentStartDate", "actual"))
        end = "p_date_of_the_global_end_of_the_trial"
        said.say("dates.completion", lambda: milestone(form.top, end, "actual"), (form.top, end))
        said.say("dates.first_posted", lambda: milestone(*form.member("x6"), "actual"))
        said.say("primary_outcomes", lambda: _outcomes(form, "e51", "e511"), form.member("e51"))
        said.say("secondary_outcomes", lambda: _outcomes(form, "e52", "e521"), form.member("e52"))
        say_eligibility(said, form)
        return said.reading(None)


def _member_state(form: Form) -> str | None:
    """Return the country of the record: "Belgium - FPS Health-DGM"."""
    name = (form.line("a1", 200) or "").partition(" - ")[0].strip()
    return "GB" if name == "UK" else country_code(name) if name else None


def _identifiers(form: Form, results: Section) -> list[Identifier]:
    numbers = [number for code in ("a2", "a51", "a52", "a53") for number in public_numbers(*form.member(code))]
    return distinct(
        [*numbers, *public_numbers(results, "usctnIdentifier"), *sponsor_code(*form.member("a41"))],
    )


def _say_titles(said: Statements, form: Form) -> list[str]:
    """Say the title in plain language, or the full one. Return both in the language of the application."""
    full, plain = (shortened(*form.member(code), MAX_LINE, line=True) for code in ("a3", "a31"))
    title = plain or full
    said.say("titles.en", lambda: in_its_language(title, "en").en, form.member("a31"), form.member("a3"))
    said.say("titles.fr", lambda: in_its_language(title, "en").fr or form.french("a31") or form.french("a3"))
    if full is not None and full != title:
        said.say("official_titles.en", lambda: in_its_language(full, "en").en)
        said.say("official_titles.fr", lambda: in_its_language(full, "en").fr or form.french("a3"))
    return [text for text in (plain, full) if text is not None]


def _acronym(form: Form) -> str | None:
    """Return the abbreviated title if it is as short as an acronym."""
    text = form.line("a32", MAX_TEXT)
    return text if text is not None and len(text) <= 40 and len(text.split()) <= 4 else None


def _conditions(form: Form) -> list[str | None]:
    """Return the condition in the words of the sponsor, else in plain language, else the MedDRA terms."""
    for code in ("e11", "e111"):
        text = form.line(code, MAX_TEXT)
        if text is not None and len(text) <= MAX_LINE:
            return [text]
    terms = [one.line("e12_term", MAX_LINE) for one in form.top.each("e12_meddra_classification", 100)]
    return [*terms, form.top.line("e12_term", MAX_LINE)]


def _interventions(imps: Sequence[Form]) -> list[TrialIntervention]:
    names = dict.fromkeys(name for one in imps if (name := products.name(one)) is not None)
    return [TrialIntervention(name=name) for name in names][:MAX_ARMS]


def _phase(form: Form) -> Phase | None:
    ticked = frozenset(number for number in (1, 2, 3, 4) if form.yes(f"e7{number}"))
    found = phase_of(ticked)
    if ticked and found is None:
        unknown_code(*form.member("e71"))
    return found


def _design(form: Form) -> dict[Any, Any]:
    return {
        "allocation": lambda: _allocation(form),
        "intervention_model": lambda: "crossover" if form.yes("e816") else "parallel" if form.yes("e815") else None,
        "masking": lambda: next(
            (kind for code, kind in (("e812", "none"), ("e813", "single"), ("e814", "double")) if form.yes(code)), None
        ),
        "purpose": lambda: _only(
            [
                kind
                for code, kind in (("e63", "treatment"), ("e62", "prevention"), ("e61", "diagnostic"))
                if form.yes(code)
            ]
        ),
    }


def _allocation(form: Form) -> str | None:
    """Return the allocation. A trial that is not randomised may have one arm only, so without any assignment."""
    if form.yes("e811"):
        return "randomized"
    return "non_randomized" if form.yes("e815") else None


def _only(kinds: list[str]) -> str | None:
    return kinds[0] if len(kinds) == 1 else None


def _say_status(said: Statements, form: Form) -> None:
    """Say the status in the country of the record, with the country in the words of the source."""
    # Some exports have the text of the page after the status.
    written = (form.text("x5", MAX_TEXT) or "").strip().splitlines()
    if not written:
        return
    words = written[0].strip()
    country = _member_state(form)
    said.say("status", lambda: _status(form, words))
    said.say("source_status", lambda: f"{words[:150]} ({country})" if country else words[:150])


def _status(form: Form, words: str) -> RecruitmentStatus | None:
    status = STATUS.get(words.lower())
    if status is None:
        unknown_code(*form.member("x5"))
    return status


def _countries(form: Form) -> list[str]:
    """Return the country of the record and those where sites are planned, named one after the other."""
    found = [_member_state(form)]
    names = [name for name in _SPACES.split(form.line("e863", MAX_TEXT) or "") if name]
    while names:
        lengths = range(min(_NAME_WORDS, len(names)), 0, -1)
        length = next((count for count in lengths if country_code(" ".join(names[:count]))), 0)
        found.append(country_code(" ".join(names[:length])) if length > 1 or len(names[0]) > 2 else None)
        names = names[max(length, 1) :]
    return list(dict.fromkeys(country for country in found if country is not None))


def _sponsor(sponsors: Sequence[Form]) -> Sponsor | None:
    found = (sponsor(one.line("b11", MAX_LINE), commercial=_is_commercial(one)) for one in sponsors)
    return next((one for one in found if one is not None), None)


def _is_commercial(one: Form) -> bool:
    return (one.line("b31", 200) or "").lower() == "commercial"


def _collaborators(sponsors: Sequence[Form]) -> list[str]:
    """Return the other sponsors and those who support them."""
    names = [one.line("b11", MAX_LINE) for one in sponsors]
    for one in sponsors:
        supports = one.top.each("b4_sources_of_monetary_or_material_support", 100)
        names += [part.line("b41", MAX_LINE) for part in (one, *map(Form, supports))]
    return collaborators(_sponsor(sponsors), names)


def _enrolment(form: Form) -> Enrolment | None:
    """Return the number planned in the whole trial, else in the EEA, else in the country."""
    for code in ("f422", "f421", "f41"):
        section, key = form.member(code)
        count = section.code(key)
        if count is None:
            continue
        if not count.isdecimal() or int(count) > _MAX_COUNT:
            unknown_code(section, key)
            continue
        return Enrolment(count=int(count), type="estimated")
    return None


def _outcomes(form: Form, measure: str, time_frame: str) -> list[Outcome]:
    """Return the outcomes as one: they are one text, numbered in many ways."""
    text = shortened(*form.member(measure), MAX_LINE, line=True)
    when = shortened(*form.member(time_frame), MAX_LINE, line=True)
    return [] if text is None else [Outcome(measure=text, time_frame=when)]
