"""After a match no value of the patient stays in memory: no cache contains one."""

import asyncio
import functools
import gc
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.contract.matching import MATCH

pytestmark = pytest.mark.anyio

# Values that no criterion, concept or other test uses. They are assembled at run time, so that only the patient has
# them.
AGE, UNIT, FACT, CODE, QUESTION = ("P7Y{}", "nmol/h{}", "fact-of-{}", "LOINC:9{}-1", "question-about-{}")
CACHE = type(functools.lru_cache(lambda: None))


def values_of(suffix: str) -> list[str]:
    return [
        AGE.format(f"{suffix[:2]}M"),
        UNIT.format("{" + suffix + "}"),
        *(one.format(suffix) for one in (FACT, CODE)),
    ]


def patient_of(suffix: str) -> dict[str, Any]:
    age, unit, fact, code = values_of(suffix)
    return {
        "as_of": "2025-11-22",
        "age": age,
        "sex": "male",
        "facts": [
            {"id": "dx", "kind": "condition", "codes": ["ORPHA:98896"], "date": "2020-01-01"},
            {"id": fact, "kind": "observation", "codes": [code], "value": 1, "unit": unit, "date": "2025-11-01"},
            {
                "id": "lvef",
                "kind": "observation",
                "codes": ["LOINC:10230-1"],
                "value": 3,
                "unit": unit,
                "date": "2025-11-01",
            },
            {"id": "q", "kind": "answer", "question": QUESTION.format(suffix), "answer": "yes", "date": "2025-11-01"},
            {
                "id": "steroid",
                "kind": "medication",
                "codes": ["CLEIO:oral-glucocorticoid"],
                "start": "2025-01-01",
                "dose": {"value": 1, "unit": unit},
            },
        ],
    }


def everything() -> Iterator[Any]:
    gc.collect()
    gc.unfreeze()
    yield from gc.get_objects()


def containers_of(values: set[str]) -> list[Any]:
    """Return the containers in this process that refer to one of the values, except the set of the values itself."""
    return [
        one
        for one in everything()
        if one is not values and any(type(part) is str and part in values for part in gc.get_referents(one))
    ]


def sizes_of_caches() -> dict[int, int]:
    return {id(one): one.cache_info().currsize for one in everything() if type(one) is CACHE}


async def test_no_value_of_a_patient_stays_in_memory(
    matching_client: httpx.AsyncClient, standing_matching: FastAPI
) -> None:
    assert (await matching_client.post(MATCH, json=patient_of("10417"))).status_code == 200
    before = sizes_of_caches()
    for suffix in ("11902", "10733"):
        response = await matching_client.post(MATCH, json=patient_of(suffix))
        assert response.status_code == 200, response.text
        del response
    await asyncio.sleep(0.01)  # the event loop drops its cancelled timers, which refer to the request
    kept = containers_of({value for suffix in ("11902", "10733") for value in values_of(suffix)})
    assert [type(one) for one in kept] == []
    after = sizes_of_caches()
    assert {one: size for one, size in after.items() if size != before.get(one, 0)} == {}


async def test_no_cache_of_the_terminology_grows_with_the_codes_of_a_patient(
    matching_client: httpx.AsyncClient, standing_matching: FastAPI
) -> None:
    vocabulary = standing_matching.state.snapshots.current.vocabulary
    engine = vocabulary.engine

    def sizes() -> dict[str, int]:
        parts = {**vars(engine), **vars(engine.nodes)}
        return {name: len(value) for name, value in parts.items() if isinstance(value, dict | list)}

    codes = [*sorted(engine.nodes.number)[:300], *(f"ICD10:C{n}.9" for n in range(10, 90)), "ATC:N06AX99", "LOINC:1-8"]
    facts = [{"id": f"f{n}", "kind": "condition", "codes": [code]} for n, code in enumerate(codes)]
    before = sizes()
    assert (await matching_client.post(MATCH, json={"as_of": "2025-11-22", "facts": facts})).status_code == 200
    assert sizes() == before
