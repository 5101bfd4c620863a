"""The packet that is being read: its draft, the birth date, and the names of its version. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.matching.patients.codes import written
from services.matching.patients.draft import Draft
from services.matching.patients.parts import Part
from services.matching.patients.phenopacket.times import Moment, moment


@dataclass(slots=True)
class Record:
    """``names``: the members of version 1 by those of version 2; None for version 2. ``birth``: a full date."""

    draft: Draft
    names: Mapping[str, str] | None = None
    birth: date | None = None

    def warn(self, pointer: str, reason: str, alike: Any = None) -> None:
        self.draft.warnings.add(pointer, reason, alike)

    def name(self, member: str) -> str:
        return member if self.names is None else self.names.get(member, member)

    def add(
        self,
        part: Part,
        kind: str,
        term: Part | None,
        given: Mapping[str, Any],
        fields: Mapping[str, str] | None = None,
        suffix: str = "",
    ) -> None:
        """Add a fact with the code of a term; one that cannot be read leaves a fact that may be anything."""
        text = None if term is None else term.text("id")
        code = None if text is None else written(text)
        if term is None or not text:
            self.warn(part.pointer, "no_code")
        elif code is None:
            self.warn(term.of("id"), "unknown_code", text)
        codes = [] if code is None or term is None else [(code, term.of("id"))]
        name = part.pointer.removeprefix(self.draft.root).lstrip("/") + suffix
        self.draft.add(part.pointer, kind, codes, given, fields, name)

    def when(self, part: Part, key: str) -> Moment:
        """Read a time element; report one that gives no date."""
        element = part.part(key)
        if element is None:
            return Moment()
        found = moment(element, self.birth)
        if found.reason is not None:
            self.warn(element.pointer, found.reason, "age" if found.reason == "no_date" else None)
        return found
