"""Patients with a unique value in every field, made by walking the models: a new field gets its canary by itself."""

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

from services.matching.patients import phenopacket, phenopacket_times
from services.matching.patients.schemas import Patient

# Values of these cannot be distinguished from ordinary ones: a hundred départements, and numbers below a thousand.
TOO_FEW_VALUES = {"Patient.place", "ReportedVariant.exon_from", "ReportedVariant.exon_to", "ReportedVariant.copies"}
READS = frozenset({"part", "parts", "text", "flag", "number", "when"})


class NoCanaryError(AssertionError):
    """A field takes none of the forms of `Canaries`: give it one."""


class Canaries:
    """Values of one run, each given once."""

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
        """Canaries that the field takes: a text where it takes one, and a number."""
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
        """Those that stand there: a text even where it was cut, a number also as a database keeps it."""
        texts = set(re.findall(rb"kanari" + self._mark.encode() + rb"[0-9]*", content))
        others = set(re.findall(rb"193[0-9]-[0-9]{2}-[0-9]{2}|P3[0-9]{4}D|73100[0-9]{5}\.125", content))
        packed = {
            str(struct.unpack(">d", one)[0]).encode() for one in re.findall(rb"\x41\xfb\x3b.{5}", content, re.DOTALL)
        }
        return {one.decode() for one in texts} | {one.decode() for one in others | packed} & set(self.given)


def native_patients(canaries: Canaries) -> list[dict[str, Any]]:
    """Patients that are accepted; together they fill every field of the model."""
    return list(_Model(Patient, canaries).documents())


class _Model:
    """How a model can be filled."""

    def __init__(self, model: type[BaseModel], canaries: Canaries) -> None:
        self.name = model.__name__
        self.canaries = canaries
        self.fields = {field.alias or name: field for name, field in model.model_fields.items()}
        self._adapter = TypeAdapter(model)

    def documents(self) -> Iterator[dict[str, Any]]:
        """Each with one more field than it needs."""
        least = self.least()
        yield from least
        for name, field in self.fields.items():
            values = list(self._values(field))
            if not values and not _choices(field.annotation) and f"{self.name}.{name}" not in TOO_FEW_VALUES:
                raise NoCanaryError(f"{self.name}.{name}")
            for value in values:
                # Made anew, the rest has later days than the value: either order is tried.
                tried = [{**base, name: value} for base in [*least, *self.least()]]
                accepted = next((one for one in tried if _valid(self._adapter, one)), None)
                if accepted is None:
                    raise NoCanaryError(f"{self.name}.{name}")
                yield (
                    {**accepted, "id": self.canaries.fitting(self.fields["id"])[0]} if "id" in self.fields else accepted
                )

    def least(self) -> list[dict[str, Any]]:
        """The least document of each kind."""
        kinds = get_args(self.fields["kind"].annotation) if "kind" in self.fields else (None,)
        optional = {name: self._one(field) for name, field in self.fields.items() if not field.is_required()}
        return [self._least(kind, optional) for kind in kinds]

    def _least(self, kind: str | None, optional: Mapping[str, Any]) -> dict[str, Any]:
        """Its required fields, and up to two that its own rules ask for."""
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
        """Canaries for one field: of its own, or one for each way its model can be filled."""
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
    """The values of a Literal, or of a flag: no canary among them."""
    texts = tuple(one for one in _types(annotation) if isinstance(one, str))
    return texts or ((True,) if bool in _types(annotation) else ())


def _valid(adapter: TypeAdapter[Any], value: Any) -> bool:
    try:
        adapter.validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


def leaves(document: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where the values stand."""
    if isinstance(document, dict | list):
        for key, value in document.items() if isinstance(document, dict) else enumerate(document):
            yield from leaves(value, (*place, key))
    else:
        yield place


def replaced(document: Any, place: tuple[str | int, ...], value: Any) -> Any:
    """A copy with another value at one place."""
    if not place:
        return value
    key, *rest = place
    if isinstance(document, dict):
        return {**document, key: replaced(document[key], tuple(rest), value)}
    return [replaced(one, tuple(rest), value) if index == key else one for index, one in enumerate(document)]


def asked_of_a_phenopacket() -> set[str]:
    """Every field that the reader of Phenopackets asks for, as its source says."""
    reader = {name for call, name in _named(phenopacket) if call in READS}
    return reader | {name for _, name in _named(phenopacket_times)}


def _named(module: ModuleType) -> Iterator[tuple[str, str]]:
    """The texts that a module gives to a method, or looks up."""
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
    """Every key of a document."""
    inner = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    own = set(document) if isinstance(document, dict) else set()
    return own.union(*map(fields_of, inner))


def phenopacket_of(c: Canaries) -> dict[str, Any]:
    """A Phenopacket v2 with every part that is read, and others."""

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
            "vitalStatus": {"status": "DECEASED", "causeOfDeath": term("MONDO")},
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
        ],
        "diseases": [{"term": term("MONDO"), "excluded": False, "onset": span(), "diseaseStage": [term()]}],
        "measurements": [
            {"assay": term("LOINC"), "value": {"quantity": quantity()}, "timeObserved": {"timestamp": c.instant()}},
            {"assay": term("LOINC"), "value": {"ontologyClass": term("SNOMED")}},
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
