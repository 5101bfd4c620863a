"""The next questions as forms: each with the fields that answer it. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.portal.pages.formats import Formats
from services.portal.workbench.inputs import Input, inputs_of
from services.portal.workbench.state import is_whole_day
from services.portal.workbench.view import duration_in_words

Wanted = Mapping[str, Any]
Names = Mapping[str, Mapping[str, str]]
# With this many questions an answer is quickly found; the others are a click away.
FIRST = 8
# Codes of one wanted fact that a form offers.
MOST_CODES = 20


@dataclass(frozen=True, slots=True)
class QuestionView:
    """A question, how old an answer may be, and the fields that answer it, by wanted fact with its name.

    The name is empty where there is one fact.
    """

    question: Mapping[str, Any]
    place: int
    within: str
    facts: Sequence[tuple[str, Sequence[Input]]]


def codes_of_questions(answer: Mapping[str, Any]) -> list[str]:
    """Return the codes that name the wanted facts of the questions."""
    return [code for one in answer["ask_next"] for wanted in one["facts"] for code in wanted["codes"][:MOST_CODES]]


def questions_view(
    answer: Mapping[str, Any], record: Mapping[str, Any], names: Names, formats: Formats
) -> list[QuestionView]:
    """Return the questions with their fields. Fields of the patient that the record has are left out."""
    found = []
    for place, question in enumerate(answer["ask_next"]):
        facts = [
            (_name(wanted, question, names, formats), inputs)
            for number, wanted in enumerate(_without_twins(question["facts"]))
            if wanted
            and not _has(record, wanted["field"])
            and (inputs := inputs_of(wanted, f"q{place}f{number}-", str(answer["as_of"]), names, formats))
        ]
        within = next((wanted["within"] for wanted in question["facts"] if wanted["within"]), "")
        found.append(QuestionView(question, place, duration_in_words(within, formats), _named(facts)))
    return [one for one in found if one.facts]


def _has(record: Mapping[str, Any], field: str | None) -> bool:
    """Return whether the record gives a field of the patient; a year of birth is no birth date."""
    value = record.get(field or "")
    return is_whole_day(str(value)) if field == "birth_date" else bool(value)


def _named(facts: Sequence[tuple[tuple[str, str], Sequence[Input]]]) -> list[tuple[str, Sequence[Input]]]:
    """Return the facts with a name each; of one name for several, each with what sets it apart."""
    if len(facts) == 1:
        return [("", facts[0][1])]
    times = Counter(name for (name, _), _ in facts)
    return [(f"{name} ({apart})" if apart and times[name] > 1 else name, inputs) for (name, apart), inputs in facts]


def _without_twins(facts: Sequence[Wanted]) -> list[Wanted | None]:
    """Return the wanted facts, one variant for each gene: one report answers what several criteria ask of it."""
    found: list[Wanted | None] = []
    genes: dict[str, int] = {}
    for wanted in facts:
        shape = wanted["variant"]
        first = genes.get(shape["gene"]) if shape else None
        if first is None:
            if shape:
                genes[shape["gene"]] = len(found)
            found.append(wanted)
            continue
        kept = found[first]
        assert kept is not None
        found[first] = {**kept, "variant": _both(kept["variant"], shape)}
        found.append(None)
    return found


def _both(one: Wanted, other: Wanted) -> Wanted:
    asked = {name: one[name] or other[name] for name in ("exons", "copies", "frame", "amenable_to", "hgvs")}
    types = (
        [*one["types"], *(code for code in other["types"] if code not in one["types"])]
        if (one["types"] and other["types"])
        else None
    )
    return {**one, **asked, "types": types}


def _name(wanted: Wanted, question: Mapping[str, Any], names: Names, formats: Formats) -> tuple[str, str]:
    """Return the name of a wanted fact, and what sets it apart from another one of that name."""
    if wanted["kind"] == "answer":
        own = question["text"] if wanted["question"] == question["code"] else wanted.get("text")
        code = str(wanted["question"]).replace("-", " ")
        return formats.label(own) or code, code
    if wanted["variant"]:
        return f"{formats.word('fact_kind', 'variant')} {wanted['variant']['gene']}", ""
    if not wanted["codes"]:
        return formats.word("patient_field", wanted["field"]), ""
    name = formats.label(names.get(wanted["codes"][0])) or str(wanted["codes"][0])
    relative = formats.word("relative", wanted["relative"])
    return f"{name}, {relative}" if relative else name, ", ".join(wanted["codes"][:1])
