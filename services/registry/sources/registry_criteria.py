"""Derives criteria of registry grade: age, sex and conditions; every other line is a question."""

import hashlib
import re
from typing import Any, Final

from services.registry.model.trial import Condition, TrialInput, preferred_identifier
from services.registry.scope import diseases
from services.registry.sources.eligibility_lines import EligibilityLine, eligibility_lines
from services.registry.terminology.conditions import MappedCondition, map_condition
from services.registry.terminology.terminology import Terminology

_MAX_LABEL: Final = 2000
# The language allows 500 criteria; some are kept for age, sex and indication.
_MAX_LINES: Final = 490
_AGE_PARTS: Final = re.compile(r"([0-9]+)([YMWD])")
_UNITS: Final = {
    "Y": ("an", "ans", "year", "years"),
    "M": ("mois", "mois", "month", "months"),
    "W": ("semaine", "semaines", "week", "weeks"),
    "D": ("jour", "jours", "day", "days"),
}
_INFERRED: Final = {
    "title": ("déduit du titre", "inferred from the title"),
    "mesh": ("terme MeSH du registre", "MeSH term of the registry"),
}
_SEX: Final = {"male": ("sexe masculin", "male"), "female": ("sexe féminin", "female")}


def registry_criteria(trial: TrialInput, terminology: Terminology) -> dict[str, Any]:
    """Return the criteria document (JSON) that can be derived from a trial's registry fields.

    A condition without a code makes the indication a question to a clinician, so it is never "not met". The eligibility
    text is split into ``human`` criteria; where it does not say whether one includes or excludes, its kind is
    ``unclear``. Without a text there is one ``human`` criterion.
    """
    name = _document_name(trial)
    criteria: list[dict[str, Any]] = [_indication(trial, name, terminology)]
    eligibility = trial.eligibility
    if eligibility.minimum_age is not None or eligibility.maximum_age is not None:
        criteria.append(_age(eligibility.minimum_age, eligibility.maximum_age))
    if eligibility.sex in _SEX:
        fr, en = _SEX[eligibility.sex]
        criteria.append(_criterion("sex", "include", fr, en, {"type": "sex", "value": eligibility.sex}))
    lines = eligibility_lines(eligibility.text) if eligibility.text is not None else []
    criteria.extend(_human_lines(_at_most(lines, _MAX_LINES), name))
    if not lines:
        criteria.append(
            _criterion(
                "no-text",
                "include",
                "Le registre ne donne pas les critères : les demander au promoteur",
                "The registry gives no criteria: ask the sponsor",
                _human(f"q:eligibility-{name}"),
            )
        )
    document: dict[str, Any] = {"trial": name, "grade": "registry", "criteria": criteria}
    if trial.cohorts:
        document["cohorts"] = [{"id": cohort.id, "label": cohort.label.model_dump()} for cohort in trial.cohorts][:100]
    return document


def _document_name(trial: TrialInput) -> str:
    """Return the trial's public identifier without characters that the language does not allow in a name."""
    return re.sub(r"[^A-Za-z0-9_.\-/]", "-", preferred_identifier(trial.identifiers)).lstrip("_.-/")[:60] or "trial"


def _criterion(name: str, kind: str, fr: str, en: str, expression: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": name,
        "kind": kind,
        "text": {"fr": _short(fr), "en": _short(en)},
        "source": {"ref": "registry"},
        "expr": expression,
    }


def _human(question: str) -> dict[str, Any]:
    return {"type": "human", "question": question, "role": "clinician"}


def _short(text: str) -> str:
    return text if len(text) <= _MAX_LABEL else text[: _MAX_LABEL - 1].rstrip() + "…"


def _indication(trial: TrialInput, name: str, terminology: Terminology) -> dict[str, Any]:
    signs = diseases.table()
    targets = [
        condition for condition in trial.conditions if condition.role == "target" and signs.is_condition(condition.text)
    ]
    read = [
        MappedCondition("mapped", (condition.code,))
        if condition.code is not None
        else map_condition(condition.text, terminology)
        for condition in targets
    ]
    codes = list(dict.fromkeys(code for one in read for code in one.codes))[:100]
    leaves: list[dict[str, Any]] = [{"type": "has", "codes": codes}] if codes else []
    if not codes or any(one.partial or not one.codes for one in read):
        leaves.append(_human(f"q:indication-{name}"))
    fr, en = ("; ".join(dict.fromkeys(_named(one, french=french) for one in targets)) for french in (True, False))
    if not targets:
        fr, en = "L'indication de l'essai", "The trial's indication"
    criterion = _criterion("indication", "include", fr, en, leaves[0] if len(leaves) == 1 else {"any": leaves})
    return criterion | {"role": "indication"}


def _named(condition: Condition, *, french: bool) -> str:
    """Return the words of a condition, and how it was inferred."""
    if condition.inferred is None:
        return condition.text
    fr, en = _INFERRED[condition.inferred]
    return f"{condition.text} ({fr if french else en})"


def _age(minimum: str | None, maximum: str | None) -> dict[str, Any]:
    leaf: dict[str, Any] = {"type": "age"}
    fr, en = [], []
    if minimum is not None:
        leaf["min"] = minimum
        fr.append(f"au moins {_spoken(minimum, french=True)}")
        en.append(f"at least {_spoken(minimum, french=False)}")
    if maximum is not None:
        leaf["max"] = maximum
        leaf["max_unclear_until"] = one_unit_more(maximum)
        fr.append(f"au plus {_spoken(maximum, french=True)}")
        en.append(f"at most {_spoken(maximum, french=False)}")
    return _criterion("age", "include", f"Âge : {', '.join(fr)}", f"Age: {', '.join(en)}", leaf)


def one_unit_more(duration: str) -> str:
    """Return a duration plus one of its smallest unit: a maximum of 35 years is unclear until the 36th birthday."""
    *before, last = _AGE_PARTS.findall(duration)
    return "P" + "".join(f"{count}{unit}" for count, unit in before) + f"{int(last[0]) + 1}{last[1]}"


def _spoken(duration: str, *, french: bool) -> str:
    words = []
    for count, unit in _AGE_PARTS.findall(duration):
        one_fr, many_fr, one_en, many_en = _UNITS[unit]
        words.append(
            f"{count} {(many_fr if int(count) > 1 else one_fr) if french else (one_en if int(count) == 1 else many_en)}"
        )
    return " ".join(words)


def _at_most(lines: list[EligibilityLine], most: int) -> list[EligibilityLine]:
    """Shorten a list to ``most`` lines; the last one contains the text of all that follow."""
    if len(lines) <= most:
        return lines
    rest = lines[most - 1 :]
    return [
        *lines[: most - 1],
        EligibilityLine(None, " ".join(line.text for line in rest), rest[0].start, rest[-1].end),
    ]


def _human_lines(lines: list[EligibilityLine], name: str) -> list[dict[str, Any]]:
    """Return one criterion per line.

    A question's code depends on its words, not its place: answers survive a reordered text.
    """
    counts = {"I": 0, "E": 0, "L": 0}
    asked: dict[str, int] = {}
    criteria = []
    for line in lines:
        letter = {"include": "I", "exclude": "E", None: "L"}[line.kind]
        counts[letter] += 1
        digest = hashlib.sha256(f"{line.kind}|{' '.join(line.text.split())}".encode()).hexdigest()[:12]
        asked[digest] = asked.get(digest, 0) + 1
        question = f"q:{name}-{digest}" + (f"-{asked[digest]}" if asked[digest] > 1 else "")
        criterion = _criterion(
            f"{letter}{counts[letter]}", line.kind or "unclear", line.text, line.text, _human(question)
        )
        criterion["source"]["span"] = [line.start, line.end]
        criteria.append(criterion)
    return criteria
