"""Pages of trials as JSON, CSV and NDJSON. Documents stay texts where a whole trial is asked for."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from services.registry.model.trial import Trial
from services.registry.trials.listing.service import Listed
from services.registry.trials.problems import UnknownFilterError
from shared.values.csv_text import csv_text
from shared.values.problems import Fault
from shared.values.wire import Label

JSON: Final = "application/json"
CSV: Final = "text/csv"
NDJSON: Final = "application/x-ndjson"
MEDIA_TYPES: Final = (JSON, CSV, NDJSON)

_COLUMNS: Final[dict[str, Callable[[Mapping[str, Any]], Any]]] = {
    "id": lambda trial: trial["id"],
    "identifier": lambda trial: trial["identifier"],
    "acronym": lambda trial: trial["acronym"],
    "title_fr": lambda trial: trial["titles"]["fr"],
    "title_en": lambda trial: trial["titles"]["en"],
    "status": lambda trial: trial["status"],
    "phase": lambda trial: trial["phase"],
    "conditions": lambda trial: " | ".join(one["text"] for one in trial["conditions"]),
    "condition_codes": lambda trial: " | ".join(one["code"] for one in trial["conditions"] if one["code"]),
    "product": lambda trial: trial["product"]["name"],
    "atmp_class": lambda trial: trial["product"]["atmp_class"],
    "vector": lambda trial: trial["product"]["vector"],
    "genes": lambda trial: " | ".join(trial["product"]["genes"]),
    "sponsor": lambda trial: (trial["sponsor"] or {}).get("name"),
    "countries": lambda trial: " | ".join(trial["countries"]),
    "centres": lambda trial: " | ".join(one["centre"] for one in trial["sites"]),
    "minimum_age": lambda trial: trial["eligibility"]["minimum_age"],
    "maximum_age": lambda trial: trial["eligibility"]["maximum_age"],
    "sex": lambda trial: trial["eligibility"]["sex"],
    "start": lambda trial: (trial["dates"]["start"] or {}).get("date"),
    "version": lambda trial: trial["version"],
    "updated_at": lambda trial: trial["updated_at"],
    "nearest_centre": lambda trial: (trial.get("nearest") or {}).get("centre"),
    "nearest_km": lambda trial: (trial.get("nearest") or {}).get("distance_km"),
}


def shown(listed: Listed, fields: str | None) -> list[str]:
    """Return the documents of a page with these fields (names with commas; None: all), and the nearest sites.

    :raises UnknownFilterError: 400, a trial has no such field.
    """
    documents = _projected(listed.documents, fields)
    if listed.nearest is None:
        return documents
    sites = (one.model_dump_json() if one else "null" for one in listed.nearest)
    return [f'{one[:-1]},"nearest":{site}}}' for one, site in zip(documents, sites, strict=True)]


def _projected(documents: Sequence[str], fields: str | None) -> list[str]:
    if fields is None:
        return list(documents)
    wanted = {"id", *fields.split(",")}
    if not wanted <= Trial.model_fields.keys():
        names = ", ".join(sorted(Trial.model_fields))
        detail = Label(fr=f"champ inconnu ; champs possibles : {names}", en=f"unknown field; possible ones: {names}")
        raise UnknownFilterError(errors=[Fault(pointer="/query/fields", code="unknown_fields", detail=detail)])
    parsed = map(json.loads, documents)
    return [
        json.dumps({name: value for name, value in one.items() if name in wanted}, ensure_ascii=False) for one in parsed
    ]


def page_json(documents: Sequence[str], following: str | None, listed: Listed) -> str:
    """Return a page as JSON, without parsing the documents. ``following``: the cursor of the next page."""
    count = "" if listed.total is None else f',"total":{listed.total}'
    counted = {name: [one.model_dump(mode="json") for one in values] for name, values in listed.facets.items()}
    more = f',"facets":{json.dumps(counted, ensure_ascii=False)}' if counted else ""
    return f'{{"items":[{",".join(documents)}],"next":{json.dumps(following)}{count}{more}}}'


def page_lines(documents: Sequence[str]) -> str:
    """Return a page as NDJSON: one trial a line."""
    return "".join(f"{one}\n" for one in documents)


def page_csv(documents: Sequence[str]) -> str:
    """Return a page as CSV (RFC 4180) with a head line; several values have bars between them."""
    rows = ([read(trial) for read in _COLUMNS.values()] for trial in map(json.loads, documents))
    return csv_text(_COLUMNS, rows)
