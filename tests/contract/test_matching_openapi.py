"""The OpenAPI document of matching is complete enough for people and for generators of clients."""

import json
from typing import Any

import pytest

from services.matching.app import create_app
from shared.http.openapi import describe
from tests.contract.test_openapi import references

# Models of all services, which are described where they are defined.
OF_ALL_SERVICES = {"AuditEvent", "AuditPage", "FieldError", "Health", "Label", "Problem"}
OWN = ("/matching/v1/match", "/matching/v1/criteria/check", "/matching/v1/criteria/dry-run")


@pytest.fixture
def document() -> dict[str, Any]:
    return describe(create_app())


def test_every_reference_leads_into_the_components(document: dict[str, Any]) -> None:
    found = set(references(document))
    assert {one for one in found if not one.startswith("#/components/")} == set()
    for one in found:
        target: Any = document
        for step in one.removeprefix("#/").split("/"):
            target = target[step]
    assert {f"#/components/schemas/{one}" for one in ("Patient", "Phenopacket", "Bundle")} <= found


def test_every_property_has_a_description(document: dict[str, Any]) -> None:
    schemas = {name: one for name, one in document["components"]["schemas"].items() if name not in OF_ALL_SERVICES}
    bare = [
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field, value in schema.get("properties", {}).items()
        if not value.get("description")
    ]
    assert bare == []
    assert [name for name, schema in schemas.items() if not schema.get("description") and "properties" in schema] == []


def test_every_operation_has_examples_and_described_parameters(document: dict[str, Any]) -> None:
    for path in OWN:
        operation = document["paths"][path]["post"]
        body, answer = operation["requestBody"], operation["responses"]["200"]
        assert body["required"] is True
        assert list(body["content"]) == ["application/json"]
        assert body["content"]["application/json"]["examples"]
        assert answer["content"]["application/json"]["example"]
        assert [one["name"] for one in operation.get("parameters", []) if not one.get("description")] == []
        assert operation["summary"]


def test_a_match_takes_one_of_three_described_bodies_and_names_the_other_forms(document: dict[str, Any]) -> None:
    operation = document["paths"]["/matching/v1/match"]["post"]
    content = operation["requestBody"]["content"]
    # Generators of clients know these media types only.
    assert list(content) == ["application/json"]
    forms = [one["$ref"].rpartition("/")[2] for one in content["application/json"]["schema"]["anyOf"]]
    assert forms == ["Patient", "Phenopacket", "Bundle"]
    assert "null" not in json.dumps(content["application/json"]["schema"])
    assert list(operation["x-other-bodies"]) == ["application/fhir+json", "application/zip", "application/x-ndjson"]
    assert operation["x-batch-line"]["properties"]["answer"] == {"$ref": "#/components/schemas/MatchAnswer"}
