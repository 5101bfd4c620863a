"""Makes one record of each study of an ECLAIRE answer: the ResearchStudy, with what it refers to in ``contained``."""

from collections.abc import Iterator
from typing import Any, Final

_REFERRED: Final = frozenset({"Group", "Location"})


def records(document: Any) -> Iterator[dict[str, Any]]:
    """Yield the studies of a Bundle, or a ResearchStudy itself.

    The Groups and Locations that a study refers to, and that the Bundle includes, become its ``contained`` resources.
    """
    if not isinstance(document, dict):
        return
    if document.get("resourceType") == "ResearchStudy":
        yield document
    entries = document.get("entry") if document.get("resourceType") == "Bundle" else None
    resources = [one.get("resource") for one in (entries if isinstance(entries, list) else ()) if isinstance(one, dict)]
    found = [one for one in resources if isinstance(one, dict)]
    included = {f"{one.get('resourceType')}/{one.get('id')}": one for one in found}
    for study in found:
        if study.get("resourceType") == "ResearchStudy":
            referred = [included[name] for name in _references(study) if name in included]
            own = study.get("contained")
            contained = [*(own if isinstance(own, list) else ()), *referred]
            yield study | ({"contained": contained} if referred else {})


def _references(study: dict[str, Any]) -> Iterator[str]:
    """Yield the references to groups and sites as ``Group/<id>``, also where they are whole addresses."""
    for name in ("enrollment", "site"):
        given = study.get(name)
        for one in given if isinstance(given, list) else [given]:
            reference = one.get("reference") if isinstance(one, dict) else None
            parts = reference.split("/")[-2:] if isinstance(reference, str) else []
            if len(parts) == len(_REFERRED) and parts[0] in _REFERRED:
                yield "/".join(parts)
