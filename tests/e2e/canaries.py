"""Patients with a unique value (canary) in every field, made from the models, so that new fields get one too."""

import ast
import inspect
import re
import secrets
import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from itertools import combinations
from types import ModuleType
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from services.matching.patients.fhir import conditions, genetics, medications, observations, person, timing, values
from services.matching.patients.phenopacket import facts, family, subject, times, variants
from services.matching.patients.schemas import Patient

# Values with few possibilities cannot be unique: a hundred départements, numbers below a thousand, weeks and days.
TOO_FEW_VALUES = {
    "Patient.place",
    "Patient.gestation",
    "ReportedVariant.exon_from",
    "ReportedVariant.exon_to",
    "ReportedVariant.copies",
}
READS = frozenset({"part", "parts", "text", "flag", "number", "when"})


class NoCanaryError(AssertionError):
    """`Canaries` has no value that the field accepts: add a form."""


class Canaries:
    """The canaries of one run; each value is used once."""

    def __init__(self) -> None:
        self._mark = secrets.token_hex(3)
        self.given: list[str] = []

    @property
    def _number(self) -> int:
        return len(self.given) + 1

    def _give(self, value: Any) -> Any:
        self.given.append(str(value))
        return value

    def text(self) -> str:
        return str(self._give(f"kanari{self._mark}{self._number:04}"))

    def code(self, system: str = "HP") -> str:
        return f"{system}:{self.text()}"

    def day(self) -> str:
        return str(self._give((date(1931, 1, 1) + timedelta(days=self._number)).isoformat()))

    def instant(self) -> str:
        return f"{self.day()}T03:04:05Z"

    def age(self) -> str:
        return str(self._give(f"P{31_000 + self._number}D"))

    def number(self) -> float:
        return float(self._give(7_310_000_000.125 + self._number))

    def fitting(self, field: FieldInfo) -> list[Any]:
        """Return canaries that the field accepts: a text if possible, and a number."""
        texts = (self._fit(field, form) for form in (self.text, self.code, self.day, self.age))
        return [
            one
            for one in (next((text for text in texts if text is not None), None), self._fit(field, self.number))
            if one is not None
        ]

    def _fit(self, field: FieldInfo, form: Callable[[], Any]) -> Any:
        adapter, value = TypeAdapter(field.rebuild_annotation()), form()
        for one in (value, [value]):
            if _valid(adapter, one):
                return one
        self.given.pop()
        return None

    def found_in(self, content: bytes) -> set[str]:
        """Return the canaries in a content: texts even if cut, numbers also in the form of a database."""
        texts = set(re.findall(rb"kanari" + self._mark.encode() + rb"[0-9]*", content))
        others = set(re.findall(rb"193[0-9]-[0-9]{2}-[0-9]{2}|P3[0-9]{4}D|73100[0-9]{5}\.125", content))
        packed = {
            str(struct.unpack(">d", one)[0]).encode() for one in re.findall(rb"\x41\xfb\x3b.{5}", content, re.DOTALL)
        }
        return {one.decode() for one in texts} | {one.decode() for one in others | packed} & set(self.given)


def native_patients(canaries: Canaries) -> list[dict[str, Any]]:
    """Return valid patients that together fill every field of the model."""
    return list(_Model(Patient, canaries).documents())


class _Model:
    """The ways in which a model can be filled."""

    def __init__(self, model: type[BaseModel], canaries: Canaries) -> None:
        self.name = model.__name__
        self.canaries = canaries
        self.fields = {field.alias or name: field for name, field in model.model_fields.items()}
        self._adapter = TypeAdapter(model)

    def documents(self) -> Iterator[dict[str, Any]]:
        """Return documents, each with one optional field."""
        least = self.least()
        yield from least
        for name, field in self.fields.items():
            values = list(self._values(field))
            if not values and not _choices(field.annotation) and f"{self.name}.{name}" not in TOO_FEW_VALUES:
                raise NoCanaryError(f"{self.name}.{name}")
            for value in values:
                # The rest is created again and has later dates than the value: try either order.
                tried = [{**base, name: value} for base in [*least, *self.least()]]
                accepted = next((one for one in tried if _valid(self._adapter, one)), None) or self._with_another(
                    tried[0]
                )
                if accepted is None:
                    raise NoCanaryError(f"{self.name}.{name}")
                yield (
                    {**accepted, "id": self.canaries.fitting(self.fields["id"])[0]} if "id" in self.fields else accepted
                )

    def _with_another(self, document: dict[str, Any]) -> dict[str, Any] | None:
        """Return the document with one more field, if that makes it valid: some fields need another one."""
        more = ({**document, name: self._one(field)} for name, field in self.fields.items() if name not in document)
        return next((one for one in more if _valid(self._adapter, one)), None)

    def least(self) -> list[dict[str, Any]]:
        """Return the smallest document of each kind."""
        kinds = get_args(self.fields["kind"].annotation) if "kind" in self.fields else (None,)
        optional = {name: self._one(field) for name, field in self.fields.items() if not field.is_required()}
        return [self._least(kind, optional) for kind in kinds]

    def _least(self, kind: str | None, optional: Mapping[str, Any]) -> dict[str, Any]:
        """Return its required fields, and up to two that its own rules need."""
        needed = {name: self._one(field) for name, field in self.fields.items() if field.is_required()}
        if kind is not None:
            needed["kind"] = kind
        for size in range(3):
            for chosen in combinations(optional, size):
                document = {**needed, **{name: optional[name] for name in chosen}}
                if _valid(self._adapter, document):
                    return document
        raise NoCanaryError(f"{self.name} {kind or ''}")

    def _one(self, field: FieldInfo) -> Any:
        inner = _model_in(field)
        if inner is not None:
            return _as_taken(field, _Model(inner, self.canaries).least()[0])
        return (*self.canaries.fitting(field), *_choices(field.annotation), 1)[0]

    def _values(self, field: FieldInfo) -> Iterator[Any]:
        """Return values with canaries for one field: its own, or one for each way to fill its model."""
        inner = _model_in(field)
        if inner is None:
            yield from self.canaries.fitting(field)
            return
        for document in _Model(inner, self.canaries).documents():
            yield _as_taken(field, document)


def _model_in(field: FieldInfo) -> type[BaseModel] | None:
    return next((one for one in _types(field.annotation) if isinstance(one, type) and issubclass(one, BaseModel)), None)


def _as_taken(field: FieldInfo, document: dict[str, Any]) -> Any:
    return [document] if _valid(TypeAdapter(field.rebuild_annotation()), [document]) else document


def _types(annotation: Any) -> Iterator[Any]:
    yield annotation
    for one in get_args(annotation):
        yield from _types(one)


def _choices(annotation: Any) -> tuple[Any, ...]:
    """Return the values of a Literal or a flag, which cannot contain a canary."""
    choices = tuple(one for one in _types(annotation) if isinstance(one, str))
    return choices or ((True,) if bool in _types(annotation) else ())


def _valid(adapter: TypeAdapter[Any], value: Any) -> bool:
    try:
        adapter.validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


def leaves(document: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Return the places of the values."""
    if isinstance(document, dict | list):
        for key, value in document.items() if isinstance(document, dict) else enumerate(document):
            yield from leaves(value, (*place, key))
    else:
        yield place


def replaced(document: Any, place: tuple[str | int, ...], value: Any) -> Any:
    """Return a copy with another value at one place."""
    if not place:
        return value
    key, *rest = place
    if isinstance(document, dict):
        return {**document, key: replaced(document[key], tuple(rest), value)}
    return [replaced(one, tuple(rest), value) if index == key else one for index, one in enumerate(document)]


# What a reader of a Bundle accesses through a name that it puts together, or of a resource that is not in the example.
OF_OTHERS = frozenset({"doNotPerform", "whenPrepared", "conclusionCode", "effectiveInstant", "when"})


def fields_of_the_phenopacket_reader() -> set[str]:
    """Return every field that the reader of Phenopackets accesses, from its source."""
    return _accessed(facts, family, subject, times, variants) - OF_OTHERS


def fields_of_the_fhir_reader() -> set[str]:
    """Return every field that the reader of Bundles accesses, from its source."""
    return _accessed(conditions, genetics, medications, observations, person, timing, values) - OF_OTHERS


def _accessed(*modules: ModuleType) -> set[str]:
    return {name for module in modules for call, name in _named(module) if call in READS}


def _named(module: ModuleType) -> Iterator[tuple[str, str]]:
    """Return the string literals that a module passes to a method or uses as keys."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            texts = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            yield from ((node.func.attr, text) for text in texts if text.isidentifier())
        elif (
            isinstance(node, ast.Subscript)
            and isinstance(node.slice, ast.Constant)
            and isinstance(node.slice.value, str)
        ):
            yield "[]", node.slice.value


def fields_of(document: Any) -> set[str]:
    """Return every key of a document."""
    inner = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    own = set(document) if isinstance(document, dict) else set()
    return own.union(*map(fields_of, inner))


def phenopacket_of(c: Canaries) -> dict[str, Any]:
    """Return a Phenopacket v2 with every part that is read, and others."""

    def term(system: str = "HP") -> dict[str, Any]:
        return {"id": c.code(system), "label": c.text()}

    def span() -> dict[str, Any]:
        return {"interval": {"start": c.instant(), "end": c.instant()}}

    def quantity() -> dict[str, Any]:
        unit = {"id": f"UCUM:{c.text()}", "label": c.text()}
        return {
            "unit": unit,
            "value": c.number(),
            "referenceRange": {"unit": unit, "low": c.number(), "high": c.number()},
        }

    variation = {
        "id": c.text(),
        "geneContext": {"symbol": c.text(), "valueId": c.code("HGNC")},
        "allelicState": term("GENO"),
        "structuralType": term("SO"),
        "expressions": [{"syntax": "hgvs.c", "value": f"c.{c.text()}"}, {"syntax": "hgvs.p", "value": f"p.{c.text()}"}],
        "vcfRecord": {"chrom": c.text(), "ref": c.text(), "alt": c.text()},
        "extensions": [{"name": c.text(), "value": c.text()}],
    }
    interpreted = {"acmgPathogenicityClassification": "PATHOGENIC", "variationDescriptor": variation}
    return {
        "id": c.text(),
        "subject": {
            "id": c.text(),
            "alternateIds": [c.text()],
            "dateOfBirth": c.instant(),
            "timeAtLastEncounter": {"age": {"iso8601duration": c.age()}},
            "vitalStatus": {
                "status": "DECEASED",
                "causeOfDeath": term("MONDO"),
                "timeOfDeath": {"timestamp": c.instant()},
            },
            "sex": "FEMALE",
            "taxonomy": term("NCBITaxon"),
        },
        "phenotypicFeatures": [
            {
                "type": term(),
                "excluded": False,
                "severity": term(),
                "onset": {"timestamp": c.instant()},
                "resolution": {"timestamp": c.instant()},
            },
            {
                "type": term(),
                "excluded": True,
                "modifiers": [term()],
                "onset": {"age": {"iso8601duration": c.age()}},
                "description": c.text(),
            },
            {
                "type": term(),
                "onset": {
                    "ageRange": {"start": {"iso8601duration": c.age()}, "end": {"iso8601duration": c.age()}},
                },
            },
        ],
        "diseases": [{"term": term("MONDO"), "excluded": False, "onset": span(), "diseaseStage": [term()]}],
        "measurements": [
            {"assay": term("LOINC"), "value": {"quantity": quantity()}, "timeObserved": {"timestamp": c.instant()}},
            {"assay": term("LOINC"), "value": {"ontologyClass": term("SNOMED")}},
            {
                "assay": term("LOINC"),
                "complexValue": {"typedQuantities": [{"type": term("LOINC"), "quantity": quantity()}]},
            },
        ],
        "medicalActions": [
            {"procedure": {"code": term("NCIT"), "performed": {"timestamp": c.instant()}}, "adverseEvents": [term()]},
            {
                "treatment": {
                    "agent": term("DrugCentral"),
                    "drugType": "PRESCRIPTION",
                    "doseIntervals": [{"quantity": quantity(), "scheduleFrequency": term(), **span()}],
                }
            },
            {"radiationTherapy": {"modality": term("NCIT"), "bodySite": term("UBERON")}},
            {
                "therapeuticRegimen": {
                    "ontologyClass": term("NCIT"),
                    "startTime": {"timestamp": c.instant()},
                    "endTime": {"timestamp": c.instant()},
                }
            },
        ],
        "interpretations": [
            {
                "id": c.text(),
                "progressStatus": "SOLVED",
                "diagnosis": {
                    "disease": term("OMIM"),
                    "genomicInterpretations": [
                        {
                            "subjectOrBiosampleId": c.text(),
                            "interpretationStatus": "CAUSATIVE",
                            "variantInterpretation": interpreted,
                        }
                    ],
                },
                "summary": c.text(),
            }
        ],
        "biosamples": [{"id": c.text(), "derivedFromId": c.text()}],
        "metaData": {
            "phenopacketSchemaVersion": "2.0",
            "createdBy": c.text(),
            "submittedBy": c.text(),
            "resources": [{"id": c.text()}],
        },
    }


def family_of(c: Canaries) -> dict[str, Any]:
    """Return a Family: a proband, a relative and their pedigree."""
    persons = [{name: c.text() for name in ("familyId", "individualId", "paternalId", "maternalId")} for _ in range(2)]
    return {
        "id": c.text(),
        "proband": phenopacket_of(c),
        "relatives": [phenopacket_of(c)],
        "pedigree": {"persons": persons},
        "metaData": {"phenopacketSchemaVersion": "2.0"},
    }


def bundle_of(c: Canaries) -> dict[str, Any]:
    """Return a FHIR Bundle with every resource that is read, and others; the patient has a name and more."""

    def concept(system: str = "http://snomed.info/sct") -> dict[str, Any]:
        return {"coding": [{"system": system, "code": c.text(), "display": c.text()}], "text": c.text()}

    def quantity() -> dict[str, Any]:
        return {"value": c.number(), "unit": c.text(), "code": c.text(), "system": c.text()}

    def age() -> dict[str, Any]:
        return {"value": 7, "code": "a", "unit": c.text()}

    def period() -> dict[str, Any]:
        return {"start": c.instant(), "end": c.instant()}

    def result(**value: Any) -> dict[str, Any]:
        own = {"resourceType": "Observation", "status": "final", "code": concept("http://loinc.org")}
        return {**own, "effectiveDateTime": c.instant(), **value}

    def medicine(kind: str, **more: Any) -> dict[str, Any]:
        return {"resourceType": kind, "status": "active", "medicationCodeableConcept": concept(), **more}

    limits = {
        "low": quantity(),
        "high": quantity(),
        "age": {"low": age(), "high": age()},
        "appliesTo": [concept()],
        "type": concept(),
    }
    repeat = {"frequency": 1, "period": 1, "periodUnit": "d"}
    dose = {
        "timing": {"repeat": repeat, "code": concept()},
        "asNeededBoolean": False,
        "doseAndRate": [{"doseQuantity": quantity()}],
    }
    condition = {
        "resourceType": "Condition",
        "clinicalStatus": concept(),
        "verificationStatus": {"coding": [{"code": "confirmed"}]},
        "code": concept(),
        "recordedDate": c.instant(),
        "note": [{"text": c.text()}],
    }
    resources: list[dict[str, Any]] = [
        {
            "resourceType": "Patient",
            "id": "p",
            "text": {"div": c.text()},
            "name": [{"family": c.text()}],
            "identifier": [{"system": "urn:oid:1.2.250.1.213.1.4.8", "value": c.text()}],
            "telecom": [{"value": c.text()}],
            "gender": "female",
            "birthDate": c.day(),
            "deceasedBoolean": False,
            "deceasedDateTime": c.instant(),
            "address": [{"line": [c.text()], "postalCode": "59000", "city": c.text(), "country": "FR"}],
        },
        {**condition, "onsetDateTime": c.instant(), "abatementDateTime": c.instant()},
        {**condition, "onsetString": c.text(), "abatementPeriod": period()},
        {
            "resourceType": "FamilyMemberHistory",
            "status": "completed",
            "name": c.text(),
            "relationship": concept(),
            "condition": [{"code": concept()}],
        },
        {"resourceType": "AllergyIntolerance", "code": concept(), "recordedDate": c.instant()},
        result(valueQuantity=quantity(), referenceRange=[limits], interpretation=[concept()]),
        result(valueQuantity={**quantity(), "comparator": "<"}),
        result(valueCodeableConcept=concept()),
        result(valueString=c.text()),
        result(valueBoolean=True),
        result(valueInteger=7),
        result(valueRange={"low": quantity(), "high": quantity()}),
        result(valueRatio={"numerator": quantity(), "denominator": quantity()}),
        result(component=[{"code": concept(), "valueCodeableConcept": concept()}]),
        medicine("MedicationStatement", effectivePeriod=period(), dateAsserted=c.instant(), dosage=[dose]),
        medicine("MedicationRequest", authoredOn=c.instant()),
        medicine("MedicationDispense", whenHandedOver=c.instant()),
        {
            "resourceType": "MedicationAdministration",
            "status": "completed",
            "contained": [{"resourceType": "Medication", "id": "m", "code": concept()}],
            "medicationReference": {"reference": "#m"},
            "effectiveDateTime": c.instant(),
        },
        {"resourceType": "Procedure", "status": "completed", "code": concept(), "performedPeriod": period()},
        {"resourceType": "Immunization", "status": "completed", "vaccineCode": concept(), "occurrenceString": c.text()},
        {"resourceType": "Coverage", "subscriberId": c.text()},
    ]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "id": c.text(),
        "timestamp": c.instant(),
        "entry": [{"fullUrl": f"urn:uuid:{c.text()}", "resource": one} for one in resources],
    }
