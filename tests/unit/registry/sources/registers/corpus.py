"""The real records of the registers, as they are read: without persons, in the form of their reader."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from services.registry.merge.merging import merge
from services.registry.merge.reading import Reading, Record
from services.registry.model.trial import TrialInput
from services.registry.sources.persons import without_persons
from services.registry.sources.reader import SourceReader
from services.registry.sources.registers.ctis import CtisReader
from services.registry.sources.registers.eclaire import EclaireReader
from services.registry.sources.registers.eclaire_record import records as eclaire_records
from services.registry.sources.registers.euctr import EuctrReader
from services.registry.sources.registers.euctr_record import flat
from services.registry.sources.registers.isrctn import IsrctnReader

READERS: Final[dict[str, SourceReader]] = {
    one.source: one for one in (CtisReader(), EuctrReader(), IsrctnReader(), EclaireReader())
}


def real_records(folder: Path, source: str) -> list[dict[str, Any]]:
    """Return the real records of a source."""
    return [without_persons(record) for record in _as_published(folder, source)]


def _as_published(folder: Path, source: str) -> Iterator[dict[str, Any]]:
    if source == "eclaire":
        for path in sorted(folder.glob("fhir_eclaire/**/*.json")):
            yield from eclaire_records(_study(json.loads(path.read_text("utf-8"))))
        return
    for path in sorted(folder.glob(f"registries/{source.upper()}_*.json")):
        yield json.loads(path.read_text("utf-8"))
    if source == "euctr":
        yield from map(
            flat, json.loads(gzip.decompress((folder / "registries/eudract_uk_covid_97.json.gz").read_bytes()))
        )


def _study(document: Any) -> Any:
    """Return a document of the server's own tests as an answer: some are hits of its index, or refer inside."""
    hits = document.get("hits") if isinstance(document, dict) else None
    if isinstance(hits, list):
        return {"resourceType": "Bundle", "entry": [{"resource": hit["_source"]} for hit in hits]}
    inside = document.get("referenceContents") if isinstance(document, dict) else None
    if isinstance(inside, dict):
        return document | {"contained": [inside["enrollmentGroup"], *inside.get("locations", [])]}
    return document


def trial_of(source: str, reading: Reading) -> TrialInput:
    """Return the trial that a reading alone makes."""
    document = merge([Record.of(source, "1", [reading])]).document
    return TrialInput.model_validate_json(json.dumps(document))


def resolves(record: Any, pointer: str) -> bool:
    """Return whether a JSON Pointer names a place of a record, or a member that one of its objects lacks."""
    value = record
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    for place, part in enumerate(parts):
        if isinstance(value, dict):
            if part not in value:
                return place == len(parts) - 1
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return False
    return True
