"""What the workbench knows, as its form carries it: the record, suppositions, notes and the texts of questions. Pure.

Nothing else holds it: neither the browser nor the server stores anything.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from shared.values.problems import MalformedJsonError

# Fields of a record that are a parameter of a match, not of the patient.
_PARAMETERS = frozenset({"dosing_date"})
_AGES = ("age", "age_on", "age_at_most")
Fact = dict[str, Any]
Record = dict[str, Any]
# Of one record as the API accepts it.
MOST_QUESTIONS = 200


@dataclass(frozen=True, slots=True)
class State:
    """The state of the workbench.

    ``record``: the native patient of the API, and ``dosing_date`` where it is planned. ``supposed``: facts, complete
    domains, fields and a day of evaluation of *what if*. ``notes``: warnings of the reading of the record that was
    pasted. ``questions``: texts of answered questions. ``invented``: the patient is declared as invented.
    """

    record: Record = field(default_factory=dict)
    supposed: Record = field(default_factory=dict)
    notes: Sequence[Mapping[str, Any]] = ()
    questions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    invented: bool = False

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what `write` wrote; empty text is an empty record.

        :raises MalformedJsonError: 400, it is something else.
        """
        if not text.strip():
            return cls()
        try:
            found = json.loads(text)
            state = cls(**found)
            well_formed = all(isinstance(part, dict) for part in (state.record, state.supposed, state.questions))
        except (ValueError, TypeError, RecursionError):
            raise MalformedJsonError from None
        if not well_formed or not isinstance(state.notes, list):
            raise MalformedJsonError
        return state

    def write(self) -> str:
        """Write the state for the form."""
        return json.dumps(
            {
                "record": self.record,
                "supposed": self.supposed,
                "notes": list(self.notes),
                "questions": dict(self.questions),
                "invented": self.invented,
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )

    @property
    def is_empty(self) -> bool:
        return not self.record

    @property
    def hypothetical(self) -> Record:
        """Return the record with the suppositions."""
        return _joined(self.record, self.supposed)

    def with_person(self, fields: Mapping[str, str]) -> Self:
        """Set fields of the patient; an empty one is removed."""
        replaced = {*fields, *(_AGES if fields.get("birth_date") and "age" not in fields else ())}
        kept = {name: value for name, value in self.record.items() if name not in replaced}
        return replace(self, record={**{name: value for name, value in fields.items() if value}, **kept})

    def adding(self, more: Record, *, supposed: bool = False) -> Self:
        """Add facts and complete domains, to the record or to the suppositions. The facts get ids of their own."""
        used = {str(fact.get("id")) for fact in self.hypothetical.get("facts", [])}
        numbers = (f"added-{number}" for number in range(1, len(used) + 1000) if f"added-{number}" not in used)
        named = {**more, "facts": [{"id": next(numbers), **fact} for fact in more.get("facts", [])]}
        if supposed:
            return replace(self, supposed=_joined(self.supposed, named))
        return replace(self, record=_joined(self.record, named))

    def supposing(self, fields: Mapping[str, str]) -> Self:
        """Suppose fields of the patient."""
        return replace(self, supposed=_joined(self.supposed, dict(fields)))

    def removing(self, part: str, name: str) -> Self:
        """Remove a fact by its id, or a complete domain by its position. ``part``: ``fact`` or ``domain``."""
        return replace(self, record=_without(self.record, part, name), supposed=_without(self.supposed, part, name))

    def keeping(self) -> Self:
        """Move the suppositions into the record, but not a day of evaluation in the future."""
        facts = {name: value for name, value in self.supposed.items() if name != "as_of"}
        return replace(self, record=_joined(self.record, facts), supposed={})

    def knowing(self, code: str, text: Mapping[str, str]) -> Self:
        """Remember the text of a question that was answered."""
        return replace(self, questions={**dict(list(self.questions.items())[-MOST_QUESTIONS:]), code: text})


def is_whole_day(text: str) -> bool:
    """Return whether a date as `answering.day_of` returns it has a day."""
    return len(text) == len("2026-01-01")


def patient_of(record: Record) -> Record:
    """Return the native patient of the API in a record."""
    return {name: value for name, value in record.items() if name not in _PARAMETERS}


def parameters_of(record: Record) -> dict[str, str]:
    """Return the parameters of a match in a record."""
    return {name: str(value) for name, value in record.items() if name in _PARAMETERS}


def _joined(first: Record, second: Record) -> Record:
    if "birth_date" in second:
        first = {name: value for name, value in first.items() if name not in _AGES}
    lists = {
        name: [*first.get(name, []), *second.get(name, [])]
        for name in ("facts", "domains_complete")
        if first.get(name) or second.get(name)
    }
    return {**first, **second, **lists}


def _without(record: Record, part: str, name: str) -> Record:
    if part == "fact":
        kept = [fact for fact in record.get("facts", []) if fact.get("id") != name]
        return {**record, "facts": kept} if "facts" in record else record
    if part == "domain" and "domains_complete" in record:
        return {**record, "domains_complete": [one for one in record["domains_complete"] if one.get("domain") != name]}
    return {key: value for key, value in record.items() if key != name} if part == "field" else record
