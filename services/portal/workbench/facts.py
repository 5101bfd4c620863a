"""The facts of a record in words, with names of codes from the terminology. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from services.portal.pages.formats import Formats
from services.portal.workbench.state import Fact, Record, State
from services.portal.workbench.view import exact, unit_in_words

Names = Mapping[str, Mapping[str, str]]


def codes_of(records: Iterable[Record]) -> list[str]:
    """Return the codes of the facts of records, each once."""
    found = [
        code
        for record in records
        for fact in record.get("facts", [])
        if isinstance(fact.get("codes"), list)
        for code in fact["codes"][:1]
        if isinstance(code, str)
    ]
    return list(dict.fromkeys(found))


def names_of_facts(state: State, names: Names, formats: Formats) -> dict[str, str]:
    """Return a name for each fact, by its id."""
    return {str(fact.get("id")): name_of(fact, state, names, formats) for fact in state.hypothetical.get("facts", [])}


def name_of(fact: Fact, state: State, names: Names, formats: Formats) -> str:
    """Return the name of what a fact says: of its code, its gene or its question."""
    if isinstance(variant := fact.get("variant"), dict):
        return f"{formats.word('fact_kind', 'variant')} {variant.get('gene', '')}".strip()
    if question := fact.get("question"):
        return formats.label(state.questions.get(question)) or str(question)
    codes = fact.get("codes") or []
    if not codes:
        return formats.word("fact_kind", str(fact.get("kind")))
    return formats.label(names.get(codes[0])) or str(codes[0])


def detail_of(fact: Fact, formats: Formats) -> str:
    """Write value, status and dates of a fact."""
    parts = [_variant(fact, formats), _value(fact, formats), formats.word("answer", fact.get("answer"))]
    if fact.get("status") not in {None, "present"}:
        parts.append(formats.word("fact_status", str(fact["status"])))
    return ", ".join(part for part in [*parts, _dates(fact, formats)] if part)


def _variant(fact: Fact, formats: Formats) -> str:
    variant = fact.get("variant")
    if not isinstance(variant, dict):
        return ""
    exons = "–".join(str(variant[name]) for name in ("exon_from", "exon_to") if name in variant)
    words = [formats.word(group, variant.get(name)) for group, name in (("variant_type", "type"),)]
    words.append(f"exons {exons}" if exons else "")
    words += [formats.word(name, variant.get(name)) for name in ("zygosity", "frame")]
    words.append(str(variant.get("hgvs") or ""))
    return " ".join(word for word in words if word)


def _value(fact: Fact, formats: Formats) -> str:
    dose = fact.get("dose")
    if isinstance(dose, dict):
        per_kg = "/kg" if dose.get("per_kg") else ""
        return f"{_number(dose.get('value'), formats)} {unit_in_words(dose.get('unit'), formats)}{per_kg}"
    if fact.get("value") is None:
        return ""
    parts = [fact.get("comparator"), _number(fact["value"], formats), unit_in_words(fact.get("unit"), formats)]
    return " ".join(part for part in parts if part)


def _number(value: Any, formats: Formats) -> str:
    return exact(value, formats) if isinstance(value, int | float | str) else ""


def _dates(fact: Fact, formats: Formats) -> str:
    if start := fact.get("start"):
        since = "depuis le" if formats.language == "fr" else "since"
        if end := fact.get("end"):
            return f"{formats.day(start)} – {formats.day(end)}"
        return f"{since} {formats.day(start)}"
    return formats.day(fact.get("date"))
