"""Reads what the relatives of a proband have: their conditions, with the relation to the patient. Pure."""

from services.matching.patients.parts import Part
from services.matching.patients.phenopacket.record import Record


def read_relatives(record: Record, family: Part, proband: Part) -> None:
    """Add the diseases of the relatives. The relation follows from the pedigree; without one it is ``other``."""
    parents = _parents(family)
    own = _identifier(proband)
    for relative in family.parts("relatives"):
        relation = _relation(own, _identifier(relative), parents)
        for disease in relative.parts("diseases"):
            status = "absent" if disease.flag(record.name("excluded")) else "present"
            record.add(disease, "condition", disease.part("term"), {"status": status, "relative": relation})
        for name in ("phenotypicFeatures", "measurements", "medicalActions", "interpretations", "variants"):
            if name in relative:
                record.warn(relative.of(name), "not_read", ("relative", name))


def _identifier(packet: Part) -> str | None:
    subject = packet.part("subject")
    return None if subject is None else subject.text("id")


def _parents(family: Part) -> dict[str, tuple[str | None, str | None]]:
    """Return mother and father of each person of the pedigree; ``0`` and the empty text stand for unknown."""
    pedigree = family.part("pedigree")
    found: dict[str, tuple[str | None, str | None]] = {}
    for person in () if pedigree is None else pedigree.parts("persons"):
        mother, father = person.text("maternalId"), person.text("paternalId")
        name = person.text("individualId")
        if name:
            found[name] = (mother if mother not in {"", "0"} else None, father if father not in {"", "0"} else None)
    return found


def _relation(own: str | None, other: str | None, parents: dict[str, tuple[str | None, str | None]]) -> str:
    mother, father = parents.get(own or "", (None, None))
    if other is None or own is None:
        return "other"
    if other == mother:
        return "mother"
    if other == father:
        return "father"
    theirs = parents.get(other, (None, None))
    if own in theirs:
        return "child"
    shared = {mother, father} & set(theirs) - {None}
    return "sibling" if shared else "other"
