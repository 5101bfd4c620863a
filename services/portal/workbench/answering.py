"""From fields of a form to facts of a record: answers to questions, and facts that a clinician adds. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from services.portal.pages.formats import Formats
from services.portal.pages.rendering import LANGUAGES
from services.portal.workbench.inputs import ATTRIBUTES
from services.portal.workbench.state import is_whole_day
from services.portal.workbench.view import unit_in_words
from shared.values.wire import Label

Fields = Callable[[str], str]
Wanted = Mapping[str, Any]

_DAY = re.compile(r"^(\d{4})(-\d{2})?(-\d{2})?$")
_FRENCH_DAY = re.compile(r"^(?:(\d{1,2})[/. -])?(\d{1,2})[/. -](\d{4})$")
_NUMBER = re.compile(r"^(<=|>=|<|>|≤|≥)?\s*(-?\d+(?:[.,]\d+)?)$")
_AND = r"\s*(?:,|et|and)?\s*"
_AGE = re.compile(
    rf"P?(?:(\d{{1,3}})\s*(?:Y|ans?|years?|$))?{_AND}(?:(\d{{1,3}})\s*(?:M|mois|months?))?"
    rf"{_AND}(?:(\d{{1,3}})\s*(?:W|semaines?|weeks?))?{_AND}(?:(\d{{1,3}})\s*(?:D|jours?|days?))?",
    re.IGNORECASE,
)
_GESTATION = re.compile(r"^P?(\d{2})\s*(?:W|SA|weeks?)?(?:\s*\+?\s*([0-6])\s*(?:D|j|days?)?)?$", re.IGNORECASE)
_SIGNS = {"≤": "<=", "≥": ">="}
EXPOSURES = frozenset({"medication"})
_VARIANT_TEXTS = ("type", "zygosity", "frame", "hgvs")
_DESCRIBES = ("value", "type", "exon_from", "hgvs", "start", "code")
_VARIANT_NUMBERS = ("exon_from", "exon_to", "copies")

WRONG_DAY = Label(
    fr="Date non comprise. Écrivez JJ/MM/AAAA ou AAAA-MM-JJ ; l'année seule ou MM/AAAA si le jour n'est pas connu.",
    en="Date not understood. Write YYYY-MM-DD; the year alone or YYYY-MM where the day is not known.",
)
WRONG_NUMBER = Label(fr="Écrivez un nombre, par exemple 12,5.", en="Write a number, for example 12.5.")
WRONG_AGE = Label(
    fr="Écrivez un âge, par exemple « 7 ans » ou « 7 ans 4 mois ».",
    en='Write an age, for example "7 years" or "7 years 4 months".',
)
WRONG_GESTATION = Label(
    fr="Écrivez des semaines et des jours, par exemple « 30+4 ».", en='Write weeks and days, for example "30+4".'
)
NO_SUCH_DAY = Label(fr="Cette date n'existe pas.", en="There is no such day.")
WHOLE_DAY = Label(fr="Donnez le jour entier : JJ/MM/AAAA.", en="Give the whole day: YYYY-MM-DD.")
NOTHING_GIVEN = Label(fr="Donnez une réponse.", en="Give an answer.")


class NotUnderstoodError(ValueError):
    """A field that cannot be read: its name, and what form is wanted."""

    def __init__(self, name: str, wanted: Label) -> None:
        super().__init__(name)
        self.name = name
        self.wanted = wanted


def day_of(name: str, text: str) -> str:
    """Return a full or partial date as the API writes it; empty text is none.

    :raises NotUnderstoodError: it is no date.
    """
    if french := _FRENCH_DAY.match(text):
        day, month, year = french.groups()
        text = f"{year}-{month:0>2}" + (f"-{day:0>2}" if day else "")
    if text and not _DAY.match(text):
        raise NotUnderstoodError(name, WRONG_DAY)
    try:
        date.fromisoformat(f"{text}-01-01"[:10] if text else "2000-01-01")
    except ValueError:
        raise NotUnderstoodError(name, NO_SUCH_DAY) from None
    return text


def age_of(name: str, text: str) -> str:
    """Return an age as an ISO duration: ``7 ans 4 mois`` is ``P7Y4M``; empty text is none.

    :raises NotUnderstoodError: it is no age.
    """
    if not text:
        return ""
    found = _AGE.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        raise NotUnderstoodError(name, WRONG_AGE)
    return "P" + "".join(f"{number}{unit}" for number, unit in zip(found.groups(), "YMWD", strict=True) if number)


def gestation_of(name: str, text: str) -> str:
    """Return the length of a pregnancy as an ISO duration: ``30+4`` is ``P30W4D``; empty text is none.

    :raises NotUnderstoodError: it is none.
    """
    if not text:
        return ""
    found = _GESTATION.match(text.strip())
    if found is None:
        raise NotUnderstoodError(name, WRONG_GESTATION)
    weeks, days = found.groups()
    return f"P{weeks}W" + (f"{days}D" if days else "")


def facts_of_answer(wanted: Wanted, prefix: str, fields: Fields, as_of: str) -> dict[str, Any]:
    """Return what one wanted fact of a question was answered with: ``facts``, ``domains_complete`` or ``person``.

    ``prefix``: of the names of its fields. Empty: nothing was answered.

    :raises NotUnderstoodError: a field cannot be read.
    """
    if wanted.get("field"):
        return _person(wanted["field"], prefix, fields)
    if wanted["kind"] == "answer":
        answer = fields(f"{prefix}answer")
        fact = {"kind": "answer", "question": wanted["question"], "answer": answer, "date": as_of}
        return {"facts": [fact]} if answer in {"yes", "no"} else {}
    found: dict[str, Any] = {}
    facts = _facts(wanted, prefix, fields, as_of)
    if facts:
        found["facts"] = facts
    if wanted.get("domain") and fields(f"{prefix}complete"):
        found["domains_complete"] = [{"domain": wanted["domain"], "to": as_of}]
    return found


def facts_added(fields: Fields, code: str, as_of: str) -> list[dict[str, Any]]:
    """Return the facts of the panel *add to the record*: one of the code, and one of the gene, where given.

    :raises NotUnderstoodError: a field cannot be read.
    """
    status = "absent" if fields("new-status") == "absent" else "present"
    found = []
    wanted: dict[str, Any]
    if code:
        wanted = {"kind": fields("new-kind") or "condition", "codes": [code], "value": None, "variant": None}
        found.append(_one(wanted, "new-", fields, as_of, status))
    if gene := fields("new-gene").upper():
        wanted = {"kind": "variant", "codes": [], "value": None, "variant": {"gene": gene}}
        found.append(_one(wanted, "gene-", fields, as_of, "present"))
    return found


def _person(name: str, prefix: str, fields: Fields) -> dict[str, Any]:
    given = fields(f"{prefix}{name}")
    if name in {"birth_date", "dosing_date"}:
        given = day_of(f"{prefix}{name}", given)
    if name == "dosing_date" and given and not is_whole_day(given):
        raise NotUnderstoodError(f"{prefix}{name}", WHOLE_DAY)
    if name == "gestation":
        given = gestation_of(f"{prefix}{name}", given)
    return {"person": {name: given}} if given else {}


def _facts(wanted: Wanted, prefix: str, fields: Fields, as_of: str) -> list[dict[str, Any]]:
    if wanted.get("value") == "occurrences":
        days = [day_of(f"{prefix}dates", one) for one in re.split(r"[\s,;]+", fields(f"{prefix}dates")) if one]
        code = _chosen(wanted["codes"], fields(f"{prefix}code"))
        return [{"kind": wanted["kind"], "codes": [code], "date": day} for day in days]
    # Who gives a value, a type or a first day says that it is there.
    is_described = any(fields(f"{prefix}{name}") for name in _DESCRIBES)
    presence = fields(f"{prefix}presence") or ("present" if is_described else "")
    if presence not in {"present", "absent"}:
        return []
    earlier = _earlier(wanted, prefix, fields) if wanted.get("over") else []
    return [*earlier, _one(wanted, prefix, fields, as_of, presence)]


def _earlier(wanted: Wanted, prefix: str, fields: Fields) -> list[dict[str, Any]]:
    """Return the measurement of an earlier day, with which the present one is compared."""
    value, day = f"{prefix}earlier-value", f"{prefix}earlier-date"
    if not fields(value):
        return []
    if not fields(day):
        raise NotUnderstoodError(day, WRONG_DAY)
    given = {"value": fields(value), "unit": fields(f"{prefix}unit"), "date": fields(day)}
    return [_one(wanted, "", lambda name: given.get(name, ""), "", "present")]


def _chosen(codes: Sequence[str], chosen: str) -> str:
    return chosen if chosen in codes else codes[0]


def _one(wanted: Wanted, prefix: str, fields: Fields, as_of: str, status: str) -> dict[str, Any]:
    fact: dict[str, Any] = {"kind": wanted["kind"], "status": status}
    chosen = fields(f"{prefix}code")
    codes = list(wanted.get("codes") or [])
    if codes:
        # One code says that it is there; to deny them all takes every code.
        fact["codes"] = codes[:20] if status == "absent" else [_chosen(codes, chosen)]
    if wanted.get("variant"):
        fact["variant"] = _variant(wanted["variant"], prefix, fields) if status == "present" else _denied(wanted)
    if wanted.get("assay"):
        fact["assay"] = wanted["assay"]
    if wanted.get("relative"):
        fact["relative"] = wanted["relative"]
    if status == "present":
        fact |= {name: given for name in ATTRIBUTES if (given := fields(f"{prefix}{name}"))}
        fact |= _value(wanted, prefix, fields)
    return fact | _dates(wanted["kind"], prefix, fields, as_of, status)


def _dates(kind: str, prefix: str, fields: Fields, as_of: str, status: str) -> dict[str, str]:
    start, end = (day_of(f"{prefix}{name}", fields(f"{prefix}{name}")) for name in ("start", "end"))
    day = day_of(f"{prefix}date", fields(f"{prefix}date"))
    if status == "present" and (start or end or kind in EXPOSURES):
        return {name: value for name, value in (("start", start or day), ("end", end)) if value}
    return {"date": day or as_of}


def _value(wanted: Wanted, prefix: str, fields: Fields) -> dict[str, Any]:
    given = fields(f"{prefix}value")
    if not given:
        return {}
    if wanted.get("value") == "level":
        return {"value": given}
    comparator, number = number_of(f"{prefix}value", given)
    unit = _unit(wanted.get("unit"), fields(f"{prefix}unit"))
    if wanted.get("value") == "dose" or wanted["kind"] == "medication":
        return {"dose": {"value": number, "unit": unit, "per_kg": bool(wanted.get("per_kg"))}}
    found: dict[str, Any] = {"value": number}
    if unit:
        found["unit"] = unit
    if comparator:
        found["comparator"] = comparator
    for name in ("ref_low", "ref_high"):
        if limit := fields(f"{prefix}{name}"):
            found[name] = number_of(f"{prefix}{name}", limit)[1]
    return found


def _unit(wanted: str | None, given: str) -> str:
    """Return the unit that was given; the wanted one where the form shows that in words."""
    if wanted is None:
        return given
    spelled = {"", *(unit_in_words(wanted, Formats(language)) for language in LANGUAGES)}
    return wanted if given in spelled else given


def _variant(wanted: Wanted, prefix: str, fields: Fields) -> dict[str, Any]:
    found: dict[str, Any] = {"gene": wanted["gene"]}
    if wanted.get("origin") == "somatic":
        found["origin"] = "somatic"
    found |= {name: value for name in _VARIANT_TEXTS if (value := fields(f"{prefix}{name}"))}
    for name in _VARIANT_NUMBERS:
        if value := fields(f"{prefix}{name}"):
            found[name] = int(number_of(f"{prefix}{name}", value)[1])
    return found


def _denied(wanted: Wanted) -> dict[str, Any]:
    return {"gene": wanted["variant"]["gene"]}


def number_of(name: str, text: str) -> tuple[str, float]:
    """Return the comparator and the number of ``<5`` or ``12,5``.

    :raises NotUnderstoodError: it is no number.
    """
    found = _NUMBER.match(text)
    if found is None:
        raise NotUnderstoodError(name, WRONG_NUMBER)
    sign, number = found.groups()
    value = float(number.replace(",", "."))
    return _SIGNS.get(sign or "", sign or ""), int(value) if value.is_integer() else value
