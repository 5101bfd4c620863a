"""The next questions as forms: which fields a wanted fact needs. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.portal.pages.codes import WORDS
from services.portal.pages.formats import Formats
from services.portal.workbench.view import duration_in_words, unit_in_words
from shared.values.wire import Label

Wanted = Mapping[str, Any]
Names = Mapping[str, Mapping[str, str]]
# With this many questions an answer is quickly found, and the page stays small.
SHOWN = 8


@dataclass(frozen=True, slots=True)
class Input:
    """A field of a form. ``options``: of a choice; empty: a text."""

    name: str
    label: str
    options: Sequence[tuple[str, str]] = ()
    value: str = ""
    numeric: bool = False
    is_check: bool = False


@dataclass(frozen=True, slots=True)
class QuestionView:
    """A question, how old an answer may be, and the fields that answer it, by wanted fact with its name.

    The name is empty where there is one fact.
    """

    question: Mapping[str, Any]
    place: int
    within: str
    facts: Sequence[tuple[str, Sequence[Input]]]


_TEXTS = {
    "presence": Label(fr="Réponse", en="Answer"),
    "answer": Label(fr="Réponse", en="Answer"),
    "date": Label(fr="Date du constat", en="Date of the finding"),
    "dates": Label(fr="Dates des épisodes, séparées par des espaces", en="Dates of the episodes, separated by spaces"),
    "start": Label(fr="Depuis le", en="Since"),
    "end": Label(fr="Jusqu'au (rien : en cours)", en="Until (nothing: ongoing)"),
    "value": Label(fr="Valeur", en="Value"),
    "ref_high": Label(fr="Limite supérieure du laboratoire", en="Upper limit of the laboratory"),
    "ref_low": Label(fr="Limite inférieure du laboratoire", en="Lower limit of the laboratory"),
    "type": Label(fr="Type de variant", en="Type of variant"),
    "exon_from": Label(fr="Premier exon", en="First exon"),
    "exon_to": Label(fr="Dernier exon", en="Last exon"),
    "zygosity": Label(fr="Zygotie", en="Zygosity"),
    "frame": Label(fr="Cadre de lecture", en="Reading frame"),
    "copies": Label(fr="Nombre de copies", en="Number of copies"),
    "hgvs": Label(fr="Expression HGVS", en="HGVS expression"),
    "birth_date": Label(fr="Date de naissance", en="Birth date"),
    "sex": Label(fr="Sexe", en="Sex"),
    "gestation": Label(fr="Terme de naissance (P30W4D)", en="Weeks of pregnancy at birth (P30W4D)"),
    "code": Label(fr="Précision", en="Which"),
    "complete": Label(
        fr="Tout ce qui est de cette nature est dans le dossier", en="All of this nature is in the record"
    ),
}
_YES_NO = (("yes", Label(fr="Oui", en="Yes")), ("no", Label(fr="Non", en="No")))
_PRESENCE = (("present", Label(fr="Oui", en="Yes")), ("absent", Label(fr="Non", en="No")))


def codes_of_questions(answer: Mapping[str, Any]) -> list[str]:
    """Return the codes that name the wanted facts of the questions shown."""
    return [code for one in answer["ask_next"][:SHOWN] for wanted in one["facts"] for code in wanted["codes"][:1]]


def questions_view(
    answer: Mapping[str, Any], record: Mapping[str, Any], names: Names, formats: Formats
) -> list[QuestionView]:
    """Return the first questions that can be answered here. Fields of the patient that the record has are left out."""
    found = []
    for place, question in enumerate(answer["ask_next"][:SHOWN]):
        facts = [
            (_name(wanted, names, formats), inputs)
            for number, wanted in enumerate(_without_twins(question["facts"]))
            if wanted
            and not record.get(wanted["field"] or "")
            and (inputs := _inputs(wanted, f"q{place}f{number}-", str(answer["as_of"]), formats))
        ]
        within = next((wanted["within"] for wanted in question["facts"] if wanted["within"]), "")
        if len(facts) == 1:
            facts = [("", facts[0][1])]
        found.append(QuestionView(question, place, duration_in_words(within, formats) if within else "", facts))
    return [one for one in found if one.facts]


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
    asked = {name: one[name] or other[name] for name in ("exons", "copies", "frame", "amenable_to")}
    types = (
        [*one["types"], *(code for code in other["types"] if code not in one["types"])]
        if (one["types"] and other["types"])
        else None
    )
    return {**one, **asked, "types": types}


def _name(wanted: Wanted, names: Names, formats: Formats) -> str:
    if wanted["codes"]:
        return formats.label(names.get(wanted["codes"][0])) or str(wanted["codes"][0])
    if wanted["variant"]:
        return f"{formats.word('fact_kind', 'variant')} {wanted['variant']['gene']}"
    if wanted["kind"] == "answer":
        return str(wanted["question"]).replace("-", " ")
    return ""


def _inputs(wanted: Wanted, prefix: str, as_of: str, formats: Formats) -> list[Input]:
    def text(name: str, value: str = "", unit: str = "", *, numeric: bool = False) -> Input:
        label = formats.label(_TEXTS[name].model_dump())
        return Input(prefix + name, f"{label} ({unit})" if unit else label, (), value, numeric)

    def choice(name: str, options: Sequence[tuple[str, Label]]) -> Input:
        words = [(code, formats.label(label.model_dump())) for code, label in options]
        return Input(prefix + name, formats.label(_TEXTS[name].model_dump()), words)

    def coded(name: str, group: str, codes: Sequence[str] | None) -> Input:
        words = [(code, formats.word(group, code)) for code in codes or WORDS[group]]
        return Input(prefix + name, formats.label(_TEXTS[name].model_dump()), words)

    if field := wanted["field"]:
        if field in {"birth_date", "gestation"}:
            return [text(field)]
        return [coded("sex", "patient_sex", None)] if field == "sex" else []
    if wanted["kind"] == "answer":
        return [choice("answer", _YES_NO)]
    if wanted["variant"]:
        shape = wanted["variant"]
        return [
            choice("presence", _PRESENCE),
            coded("type", "variant_type", shape["types"]),
            *([text("exon_from", numeric=True), text("exon_to", numeric=True)] if shape["exons"] else []),
            coded("zygosity", "zygosity", None),
            *([coded("frame", "frame", None)] if shape["frame"] or shape["amenable_to"] else []),
            *([text("copies", numeric=True)] if shape["copies"] else []),
            text("date", as_of),
        ]
    if wanted["value"] == "occurrences":
        return [text("dates"), *_complete(wanted, prefix, formats)]
    found: list[Input] = []
    if "absent" in wanted["statuses"]:
        found.append(choice("presence", _PRESENCE))
    if wanted["value"] == "level" and wanted["values"]:
        found.append(Input(f"{prefix}value", _label("value", formats), [(one, one) for one in wanted["values"]]))
    elif wanted["value"] in {"number", "dose", "level"}:
        per_kg = "/kg" if wanted["per_kg"] else ""
        found.append(text("value", unit=unit_in_words(wanted["unit"], formats) + per_kg, numeric=True))
    if wanted["reference_range"]:
        found += [text("ref_high", numeric=True), text("ref_low", numeric=True)]
    if wanted["value"] in {"first_day", "last_day"} or wanted["duration"] or wanted["kind"] == "medication":
        found += [text("start"), text("end")]
    else:
        found.append(text("date", as_of))
    return found


def _complete(wanted: Wanted, prefix: str, formats: Formats) -> list[Input]:
    if not wanted["domain"]:
        return []
    label = f"{_label('complete', formats)} ({formats.word('domain', wanted['domain'])})"
    return [Input(f"{prefix}complete", label, is_check=True)]


def _label(name: str, formats: Formats) -> str:
    return formats.label(_TEXTS[name].model_dump())
