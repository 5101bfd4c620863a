"""The Bundle that is being read: its draft, its references, and what is known of the patient. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from services.matching.patients.draft import Draft
from services.matching.patients.parts import Part

Codes = list[tuple[str, str]]


@dataclass(slots=True)
class Chart:
    """``resources``: by full URL and by ``Type/id``. ``birth``, ``sex``: of the patient, if known and full.

    ``written``: the day of the whole document, as of which its lists are. ``is_page``: these are the results of a
    search, so nothing is complete.
    """

    draft: Draft
    resources: dict[str, Part] = field(default_factory=dict)
    birth: date | None = None
    sex: str | None = None
    written: str | None = None
    is_page: bool = False

    def warn(self, pointer: str, reason: str, alike: Any = None) -> None:
        self.draft.warnings.add(pointer, reason, alike)

    def add(
        self,
        part: Part,
        kind: str,
        codes: Codes,
        given: Mapping[str, Any],
        fields: Mapping[str, str] | None = None,
    ) -> None:
        """Add a fact whose id is its place in the Bundle, such as ``entry/3/resource``."""
        self.draft.add(part.pointer, kind, codes, given, fields)

    def codes(self, concept: Part | None, owner: Part) -> Codes:
        """Return the codes of a CodeableConcept with their pointers; report those that cannot be read.

        ``owner``: where a missing code is reported.
        """
        found: Codes = []
        codings = [] if concept is None else concept.parts("coding")
        written = 0
        for coding in codings:
            system, code = coding.text("system"), coding.text("code")
            if code is None:
                continue
            written += 1
            read = self.draft.spellings.coding(system, code)
            if read is None:
                self.warn(coding.of("code"), "unknown_code", (system, code))
            else:
                found.append((read, coding.of("code")))
        if not written:
            self.warn(owner.pointer, "no_code")
        return found

    def resolve(self, reference: Part | None, owner: Part) -> Part | None:
        """Return the resource of a reference: contained in ``owner``, or an entry of the Bundle."""
        target = None if reference is None else reference.text("reference")
        if target is None:
            return None
        if target.startswith("#"):
            return next((one for one in owner.parts("contained") if one.text("id") == target[1:]), None)
        found = self.resources.get(target)
        return (
            found if found is not None else self.resources.get("/".join(target.split("/_history")[0].split("/")[-2:]))
        )


def word(concept: Part | None) -> str | None:
    """Return the code of a CodeableConcept that states a status, whatever its system."""
    if concept is None:
        return None
    return next((code for coding in concept.parts("coding") if (code := coding.text("code"))), None)


def pairs(concept: Part | None) -> list[tuple[str, str]]:
    """Return system and code of each coding."""
    if concept is None:
        return []
    return [(one.text("system") or "", one.text("code") or "") for one in concept.parts("coding")]
