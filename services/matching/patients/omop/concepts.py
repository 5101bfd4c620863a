"""Codes of OMOP concepts: from the concept table of the export, or from columns beside the concept. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.matching.patients.codes import of_coding, written
from services.matching.patients.omop.archive import Row

_UNITS = "UCUM"
# Concepts that every export uses, known without a concept table.
SEXES = {"8507": "male", "8532": "female"}
COMPARATORS = {"4171756": "<", "4171754": "<=", "4172704": ">", "4171755": ">="}
POSITIVE = frozenset({"9191", "4126681", "45884084", "45879438", "4181412"})
NEGATIVE = frozenset({"9189", "4126680", "45878583", "45880296", "4132135"})
# Types of drug exposures that are orders: prescription written, EHR prescription, dispensed.
ORDERS = frozenset({"38000177", "32838", "32839", "38000175", "32825", "38000176", "32869"})


@dataclass(frozen=True, slots=True)
class Concepts:
    """``known``: vocabulary and code by the id of the concept."""

    known: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: list[Row]) -> "Concepts":
        """Read the concept table."""
        found = {}
        for row in rows:
            name, vocabulary, code = (row.text(one) for one in ("concept_id", "vocabulary_id", "concept_code"))
            if name and vocabulary and code:
                found[name] = (vocabulary, code)
        return cls(found)

    def codes(self, row: Row, prefix: str) -> list[tuple[str, str]]:
        """Return the codes of a row with their pointers: the standard concept, the source concept, the source value.

        ``prefix``: of the columns, such as ``condition`` for ``condition_concept_id``.
        """
        found: dict[str, str] = {}
        for column in (f"{prefix}_concept_id", f"{prefix}_source_concept_id"):
            known = self.known.get(row.text(column) or "")
            code = None if known is None else of_coding(*known)
            if code is not None:
                found.setdefault(code, row.of(column))
        for vocabulary, column in (
            (f"{prefix}_vocabulary_id", f"{prefix}_concept_code"),
            ("vocabulary_id", "concept_code"),
        ):
            system, text = row.text(vocabulary), row.text(column)
            code = of_coding(system, text) if system and text else None
            if code is not None:
                found.setdefault(code, row.of(column))
        if not found:
            source = f"{prefix}_source_value"
            code = written(row.text(source) or "")
            if code is not None:
                found[code] = row.of(source)
        return list(found.items())

    def unit(self, row: Row) -> str | None:
        """Return the unit of a measurement, as it is written."""
        known = self.known.get(row.text("unit_concept_id") or "")
        if known is not None and known[0] == _UNITS:
            return known[1]
        return row.text("unit_concept_code") or row.text("unit_source_value")
