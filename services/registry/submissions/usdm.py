"""Reads a digital protocol (USDM 4 of CDISC and TransCelerate) as the content of a dossier. Pure.

What it gives is a proposal to the sponsor: nothing is published from it without people. Codes of CDISC and their words
are reviewed data (``usdm_codes.json``).
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, Final

from pydantic import ValidationError

from services.registry.model.design import MAX_ARMS, MAX_DESCRIPTION, MAX_OUTCOMES
from services.registry.model.texts import MAX_ELIGIBILITY_TEXT, MAX_LINE
from services.registry.sources.reading import Reader, Section
from services.registry.submissions.content import SubmissionContent, SubmissionTrial, without_personal_texts
from services.registry.submissions.problems import FieldRefusedError
from services.registry.submissions.schemas import SubmissionFinding
from services.registry.submissions.usdm_texts import UsdmTexts
from services.registry.submissions.usdm_visits import read_visits
from shared.values.problems import Fault
from shared.vocabulary.identifiers import recognise_identifier

# More than any real protocol has.
MAX_CRITERIA: Final = 1_000
MAX_TEXT: Final = 100_000
_LEVELS: Final = frozenset({"primary", "secondary"})
_HEADINGS: Final = {"inclusion": "Inclusion Criteria:", "exclusion": "Exclusion Criteria:"}


def read_usdm(document: Mapping[str, Any]) -> tuple[SubmissionContent, list[SubmissionFinding]]:
    """Return a prefilled content, and what was not understood, with places in the document.

    :raises FieldRefusedError: 422, it has no version of a study.
    """
    reader = Reader()
    study = Section(reader, "", dict(document)).section("study")
    versions = study.sections("versions", 100)
    if not versions:
        raise FieldRefusedError.at(
            "/study/versions", "usdm_version_missing", "une version de l'étude est attendue (USDM 4)",
            "a version of the study is expected (USDM 4)",
        )  # fmt: skip
    version = versions[0]
    designs = version.sections("studyDesigns", 100)
    design = designs[0] if designs else Section(reader, f"{version.pointer}/studyDesigns/0", {})
    for found, what in ((versions, "versions"), (designs, "studyDesigns")):
        if len(found) > 1:
            reader.warn(f"/study/{what}", "first_only", "seul le premier élément est lu", "only the first item is read")
    said = _Protocol(reader, version, design, UsdmTexts(dict(document)))
    content = _checked(said.content(study), reader)
    return content, [_finding(one) for one in reader.warnings]


class _Protocol:
    """A version of a study and its design."""

    def __init__(self, reader: Reader, version: Section, design: Section, texts: UsdmTexts) -> None:
        self.reader = reader
        self.version = version
        self.design = design
        self.texts = texts

    def content(self, study: Section) -> dict[str, Any]:
        """Return what it says, as the JSON of a content."""
        titles = self._titles()
        code, identifiers = self._numbers()
        trial = {
            "identifiers": identifiers,
            "acronym": titles.get("acronym"),
            "titles": {"en": titles.get("public") or titles.get("brief")},
            "official_titles": {"en": titles.get("official") or titles.get("scientific")},
            "conditions": self._conditions(),
            "study_type": self._code("study_type", self.design, "studyType"),
            "phase": self._code("phase", self.design, "studyPhase"),
            "design": {
                "intervention_model": self._code("intervention_model", self.design, "model"),
                "masking": self._code("masking", self.design, "blindingSchema"),
                "purpose": self._first("purpose", "intentTypes"),
            },
            "arms": self._arms(),
            "interventions": self._interventions(),
            "sponsor": self._sponsor(),
            "participation": read_visits(self.design),
            "eligibility": self._eligibility(),
            **self._outcomes(),
            **self._enrolment(),
        }
        title = titles.get("brief") or titles.get("official") or study.line("name", MAX_LINE)
        return {"title": title, "protocol_code": code, "trial": trial}

    def _titles(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for one in self.version.sections("titles", 50):
            kind, text = self._code("title", one, "type"), one.line("text", MAX_LINE)
            if kind is not None and text is not None and text.upper().strip(".") not in _codes()["placeholder"]:
                found.setdefault(kind, text)
        return found

    def _numbers(self) -> tuple[str | None, list[dict[str, str]]]:
        """Return the sponsor's code of the protocol, and the numbers of public registers."""
        sponsors = {_id(one, "id") for one in self._organisations() if _is_sponsor(one)} - {None}
        code, numbers = None, {}
        for one in self.version.sections("studyIdentifiers", 100):
            text = one.line("text", 100)
            if text is None:
                continue
            if (public := recognise_identifier(text)) is not None:
                numbers[public] = {"type": public[0], "value": public[1]}
            elif _id(one, "scopeId") in sponsors:
                code = code or text
            else:
                self.reader.warn(
                    f"{one.pointer}/text", "number_not_known", "ce numéro n'a la forme d'aucun registre connu",
                    "this number has the form of no known register",
                )  # fmt: skip
        return code, list(numbers.values())

    def _organisations(self) -> list[Section]:
        return self.version.sections("organizations", 500)

    def _sponsor(self) -> dict[str, Any] | None:
        for one in self._organisations():
            name = one.line("label", MAX_LINE) or one.line("name", MAX_LINE)
            if _is_sponsor(one) and name is not None:
                return {"name": name}
        return None

    def _conditions(self) -> list[dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for one in self.design.sections("indications", 100):
            text = one.line("description", MAX_LINE) or one.line("label", MAX_LINE)
            codes = [
                f"{system}:{code.given['code']}"
                for code in one.sections("codes", 20)
                if (system := _codes()["system"].get(str(code.given.get("codeSystem")).upper())) is not None
                and isinstance(code.given.get("code"), str)
            ]
            if text is not None:
                found.setdefault(text, {"text": text, "code": codes[0] if codes else None})
        return list(found.values())

    def _eligibility(self) -> dict[str, Any]:
        population = self.design.section("population")
        ages = population.section("plannedAge")
        sexes = {self._code_of("sex", one) for one in population.sections("plannedSex", 5)} - {None}
        return {
            "text": self._criteria(),
            "minimum_age": self._age(ages, "minValue"),
            "maximum_age": self._age(ages, "maxValue"),
            "sex": "all" if len(sexes) > 1 else next(iter(sexes), None),
            "healthy_volunteers": population.flag("includesHealthySubjects"),
        }

    def _criteria(self) -> str | None:
        items = {_id(one, "id"): one for one in self.version.sections("eligibilityCriterionItems", MAX_CRITERIA)}
        lines: dict[str, list[str]] = {kind: [] for kind in _HEADINGS}
        for one in in_chain(self.design.sections("eligibilityCriteria", MAX_CRITERIA)):
            kind, item = self._code("category", one, "category"), items.get(_id(one, "criterionItemId") or "")
            text = item.text("text", MAX_TEXT) if item is not None else None
            if kind is None or item is None or text is None:
                self.reader.warn(
                    one.pointer, "criterion_not_read", "ce critère n'a pas de texte ou de catégorie connue",
                    "this criterion has no text or no known category",
                )  # fmt: skip
                continue
            lines[kind].append(self._plain(item, text))
        parts = [
            "\n\n".join([heading, *(f"* {line}" for line in lines[kind])])
            for kind, heading in _HEADINGS.items()
            if lines[kind]
        ]
        whole = "\n\n".join(parts)
        if len(whole) > MAX_ELIGIBILITY_TEXT:
            self.reader.warn(
                f"{self.design.pointer}/eligibilityCriteria", "too_long", f"au plus {MAX_ELIGIBILITY_TEXT} caractères",
                f"at most {MAX_ELIGIBILITY_TEXT} characters",
            )  # fmt: skip
            return None
        return whole or None

    def _plain(self, item: Section, text: str) -> str:
        """Return the text of a criterion, and report placeholders that lead nowhere."""
        before = len(self.texts.unresolved)
        plain = self.texts.plain(text, _id(item, "dictionaryId"))
        for name in dict.fromkeys(self.texts.unresolved[before:]):
            self.reader.warn(
                f"{item.pointer}/text", "placeholder_unresolved",
                f"le dictionnaire ne résout pas « {name[:60]} » : compléter le texte entre crochets",
                f"the dictionary does not resolve “{name[:60]}”: complete the text in brackets",
            )  # fmt: skip
        return plain

    def _age(self, ages: Section, end: str) -> str | None:
        if ages.given.get(end) is None:
            return None
        quantity = ages.section(end)
        value, unit = quantity.given.get("value"), self._code("unit", quantity, "unit")
        if isinstance(value, bool) or not isinstance(value, int | float) or unit is None or not 0 <= value < 1_000:
            return None
        if value != int(value):
            self.reader.warn(
                f"{quantity.pointer}/value", "age_not_whole", "un âge en nombre entier est attendu",
                "an age in whole numbers is expected",
            )  # fmt: skip
            return None
        return f"P{int(value)}{unit}"

    def _enrolment(self) -> dict[str, Any]:
        value = self.design.section("population").section("plannedEnrollmentNumber").given.get("value")
        whole = isinstance(value, int | float) and not isinstance(value, bool) and value == int(value) and value >= 0
        return {"enrolment": {"count": int(value), "type": "estimated"}} if whole and value is not None else {}

    def _arms(self) -> list[dict[str, Any]]:
        return [
            {
                "label": label,
                "kind": self._code("arm", one, "type"),
                "description": self._short(one, "description"),
            }
            for one in self.design.sections("arms", MAX_ARMS)
            if (label := one.line("label", MAX_LINE) or one.line("name", MAX_LINE)) is not None
        ]

    def _interventions(self) -> list[dict[str, Any]]:
        return [
            {
                "name": name,
                "kind": self._code("intervention", one, "type"),
                "description": self._short(one, "description"),
            }
            for one in self.version.sections("studyInterventions", MAX_ARMS)
            if (name := one.line("label", MAX_LINE) or one.line("name", MAX_LINE)) is not None
        ]

    def _outcomes(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {"primary_outcomes": [], "secondary_outcomes": []}
        for objective in self.design.sections("objectives", 200):
            for one in objective.sections("endpoints", 200):
                text, level = one.text("text", MAX_TEXT), self._code("level", one, "level")
                if text is not None and level in _LEVELS and len(found[f"{level}_outcomes"]) < MAX_OUTCOMES:
                    plain = " ".join(self.texts.plain(text, _id(one, "dictionaryId")).split())
                    found[f"{level}_outcomes"].append({"measure": _shortened(plain, MAX_LINE)})
        return {name: [one for one in items if one["measure"]] for name, items in found.items()}

    def _short(self, one: Section, key: str) -> str | None:
        text = one.text(key, MAX_TEXT)
        return _shortened(self.texts.plain(text), MAX_DESCRIPTION) or None if text is not None else None

    def _first(self, kind: str, key: str) -> str | None:
        return next((code for one in self.design.sections(key, 20) if (code := self._code_of(kind, one))), None)

    def _code(self, kind: str, parent: Section, key: str) -> str | None:
        return self._code_of(kind, parent.section(key)) if parent.given.get(key) is not None else None

    def _code_of(self, kind: str, one: Section) -> str | None:
        """Return our code for one of CDISC, possibly inside an alias code; None, with a warning, if it has none."""
        coded = one.section("standardCode") if "standardCode" in one.given else one
        code, decode = coded.given.get("code"), coded.given.get("decode")
        known = _codes()[kind]
        found: str | None = known.get(str(code)) or known.get(str(decode).strip().lower())
        if found is None and kind != "title":
            self.reader.warn(
                coded.pointer, "code_not_known", "ce code n'a pas d'équivalent ici : compléter le champ",
                "this code has no equivalent here: complete the field",
            )  # fmt: skip
        return found


def in_chain(criteria: Sequence[Section]) -> list[Section]:
    """Return criteria in the order of their chain (``nextId``, ``previousId``); those in no chain as they are written.

    A chain that comes back to itself is followed once.
    """
    by_id: dict[str, Section] = {}
    for one in criteria:
        # One without an id of its own is in no chain.
        own = _id(one, "id")
        by_id[own if own is not None and own not in by_id else one.pointer] = one
    after = {name: following for name, one in by_id.items() if (following := _id(one, "nextId")) in by_id}
    followers = set(after.values())
    for name, one in by_id.items():
        previous = _id(one, "previousId")
        if previous in by_id and name not in followers:
            after.setdefault(previous, name)
    followers = set(after.values())
    placed: dict[str, Section] = {}
    for start in [*(name for name in by_id if name not in followers), *by_id]:
        place: str | None = start
        while place is not None and place not in placed:
            placed[place] = by_id[place]
            place = after.get(place)
    return list(placed.values())


def _id(one: Section, key: str) -> str | None:
    value = one.given.get(key)
    return value if isinstance(value, str) else None


def _checked(content: dict[str, Any], reader: Reader) -> SubmissionContent:
    """Return the content without what its model refuses, or what names a person; both are reported."""
    trial = {name: value for name, value in content["trial"].items() if value is not None}
    while True:
        try:
            draft = SubmissionTrial.model_validate(trial)
            break
        except ValidationError as error:
            for name in {str(one["loc"][0]) for one in error.errors(include_url=False)}:
                trial.pop(name, None)
                reader.warn("/study", "not_understood", f"{name} : non compris", f"{name}: not understood")
    plain = without_personal_texts(draft)
    for name in SubmissionTrial.model_fields:
        if getattr(plain, name) != getattr(draft, name):
            reader.warn(
                "/study", "identifier_removed",
                f"{name} : contient ce qui ressemble à l'identifiant ou à la coordonnée d'une personne ; non repris",
                f"{name}: contains what looks like an identifier or contact of a person; not taken over",
            )  # fmt: skip
    given = {name: content[name] for name in ("title", "protocol_code") if content[name] is not None}
    try:
        return SubmissionContent.model_validate({**given, "trial": plain})
    except ValidationError:
        return SubmissionContent(trial=plain)


def _is_sponsor(organisation: Section) -> bool:
    kind = organisation.given.get("type")
    code, decode = (kind.get("code"), kind.get("decode")) if isinstance(kind, dict) else (None, None)
    return code == "C70793" or "sponsor" in str(decode).lower()


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _finding(one: Fault) -> SubmissionFinding:
    return SubmissionFinding(pointer=one.pointer, code=one.code, severity="warning", blocks=False, detail=one.detail)


@cache
def _codes() -> dict[str, dict[str, Any]]:
    text = (resources.files("services.registry.submissions") / "usdm_codes.json").read_text("utf-8")
    return json.loads(text)  # type: ignore[no-any-return]
