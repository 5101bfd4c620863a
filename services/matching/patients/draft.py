"""The patient that a reader of another format builds: native facts, each with its place in the record. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pydantic import ValidationError

from services.matching.patients.native import Place, clean
from services.matching.patients.schemas import CompleteDomain, Fact, Patient
from services.matching.patients.spellings import Spellings
from services.matching.patients.warnings import Warnings
from shared.values.problems import Fault, InvalidBodyError
from shared.values.validation import faults
from shared.values.wire import Label

MAX_FACTS = 5_000
_TOO_MANY = Label(fr=f"au plus {MAX_FACTS} faits", en=f"at most {MAX_FACTS} facts")


@dataclass(frozen=True, slots=True)
class ReadPatient:
    """The native patient, the place of each of its facts in the body, and what was not understood.

    ``person_places``: pointers of the fields of the patient, in another format than native.
    """

    patient: Patient
    places: tuple[Place, ...]
    warnings: Warnings
    person_places: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Draft:
    """``root``: the JSON Pointer of the record; ``person``: fields of the patient, and ``person_places`` theirs."""

    root: str
    warnings: Warnings = field(default_factory=Warnings)
    person: dict[str, Any] = field(default_factory=dict)
    person_places: dict[str, str] = field(default_factory=dict)
    spellings: Spellings = field(default_factory=Spellings)
    domains: list[dict[str, Any]] = field(default_factory=list)
    facts: list[dict[str, Any]] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)

    def add(
        self,
        pointer: str,
        kind: str,
        codes: Sequence[tuple[str, str]],
        given: Mapping[str, Any],
        fields: Mapping[str, str] | None = None,
        identifier: str | None = None,
    ) -> None:
        """Add a fact. ``codes``: each with its pointer. ``fields``: pointers of other fields.

        A fact without codes stays: it may be anything of its kind. Its id is its place, such as ``diseases/3``.
        """
        name = (identifier or pointer.removeprefix(self.root).lstrip("/"))[:64]
        fact = {"id": name, "kind": kind, "codes": list(dict.fromkeys(code for code, _ in codes))[:20]}
        first = dict(reversed(codes))
        self.facts.append({**fact, **{key: value for key, value in given.items() if value is not None}})
        self.places.append(Place(pointer, tuple(first[code] for code in fact["codes"]), fields or {}))

    def finish(self, as_of: date | None) -> ReadPatient:
        """Validate and return the patient.

        A fact with a value that has not the form of a native one counts as neither present nor absent.

        :raises InvalidBodyError: 422, too many facts, or the patient is before or after the calendar.
        """
        if len(self.facts) > MAX_FACTS:
            raise InvalidBodyError(errors=[Fault(pointer=self.root, code="too_many_facts", detail=_TOO_MANY)])
        sent = {"as_of": as_of, **self.person, "facts": self.facts}
        cleaned = clean(sent, self.warnings, self.root, self.places, self.person_places, self.spellings)
        facts = [
            self._validated(fact, place)
            for fact, place in zip(cleaned.document.pop("facts"), cleaned.places, strict=True)
        ]
        try:
            person = Patient.model_validate(cleaned.document)
        except ValidationError as error:
            raise InvalidBodyError(errors=[self._located(fault) for fault in faults(error.errors())]) from None
        domains = [CompleteDomain.model_validate(declared) for declared in self.domains]
        patient = person.model_copy(update={"facts": facts, "domains_complete": domains})
        return ReadPatient(patient, tuple(cleaned.places), self.warnings, self.person_places)

    def _validated(self, fact: dict[str, Any], place: Place) -> Fact:
        try:
            return Fact.model_validate(fact)
        except ValidationError:
            self.warnings.add(place.of("value"), "value_not_understood")
            kept = {name: fact[name] for name in ("id", "codes", "relative") if name in fact}
            kind = fact["kind"] if fact["kind"] != "variant" else "observation"
            return Fact.model_validate({**kept, "kind": kind, "status": "unconfirmed"})

    def _located(self, fault: Fault) -> Fault:
        name = fault.pointer.removeprefix("/")
        return fault.model_copy(update={"pointer": self.person_places.get(name, self.root)})
