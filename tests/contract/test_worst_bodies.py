"""The worst bodies that pass the limits: each is answered, never with a fault, and how long it takes is told."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
import pytest

from tests.conftest import ADMIN
from tests.contract.processes import ServiceProcess

MATCH = "/matching/v1/match?synthetic=true&horizon=P20Y&limit=200"
DRY_RUN = "/matching/v1/criteria/dry-run?synthetic=true&horizon=P20Y"
CHECK = "/matching/v1/criteria/check"
CRITERIA = "/registry/v1/trials/NCT05096221/criteria"
TRIAL = "/registry/v1/trials/NCT05096221"
SUBSCRIPTIONS = "/notifications/v1/subscriptions"
KIB = 1024


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, ServiceProcess]]:
    folder = tmp_path_factory.mktemp("worst")
    running = {"registry": ServiceProcess(folder / "registry", "registry")}
    try:
        for name in ("matching", "notifications"):
            running[name] = ServiceProcess(folder / name, name, CLEIO_REGISTRY_URL=running["registry"].url)
        yield running
    finally:
        for process in running.values():
            process.kill()


def day(number: int) -> str:
    return f"{2005 + number // 336}-{1 + number // 28 % 12:02}-{1 + number % 28:02}"


def patient(facts: list[dict[str, Any]]) -> dict[str, Any]:
    return {"as_of": "2026-06-01", "birth_date": "2004-05-01", "sex": "male", "place": "62", "facts": facts}


def measurements(count: int) -> list[dict[str, Any]]:
    codes = ["CLEIO:nsaa-total", "LOINC:10230-1", "LOINC:718-7", "LOINC:4548-4"]
    return [
        {"id": f"m{n}", "kind": "observation", "codes": [codes[n % 4]], "value": n % 40, "unit": "g/dL", "date": day(n), "ref_low": 1, "ref_high": 9}
        for n in range(count)
    ]


def exposures(count: int) -> list[dict[str, Any]]:
    return [
        {
            "id": f"e{n}",
            "kind": "medication",
            "codes": ["ATC:H02AB07"],
            "start": day(n * 7),
            "end": day(n * 7 + 5),
            "dose": {"value": n % 9 + 0.5, "unit": "mg/d"},
        }
        for n in range(count)
    ]


def conditions(count: int) -> list[dict[str, Any]]:
    return [{"id": f"c{n}", "kind": "condition", "codes": ["ORPHA:98896", "ORPHA:232"], "date": day(n)} for n in range(count)]


def phenopacket(features: int) -> dict[str, Any]:
    return {
        "id": "p",
        "subject": {"id": "s", "sex": "MALE", "timeAtLastEncounter": {"age": {"iso8601duration": "P8Y"}}},
        "phenotypicFeatures": [
            {"type": {"id": f"HP:{n % 9999:07}", "label": "x" * 20}, "onset": {"age": {"iso8601duration": "P3Y"}}} for n in range(features)
        ],
        "metaData": {"created": "2026-05-01T00:00:00Z", "phenopacketSchemaVersion": "2.0"},
    }


LEAVES: list[dict[str, Any]] = [
    {"type": "value", "codes": ["CLEIO:nsaa-total"], "op": ">", "value": 16, "within": "P3M"},
    {"type": "stable", "codes": ["ATC:H02AB07"], "for": "P12W"},
    {"type": "has", "codes": ["ORPHA:98896"], "within": "P6M"},
    {"type": "count", "codes": ["ATC:H02AB07"], "op": ">=", "value": 3, "within": "P5Y"},
    {"type": "age", "min": "P4Y", "max": "P80Y"},
]


def nested(depth: int, number: int) -> dict[str, Any]:
    leaf = LEAVES[number % len(LEAVES)]
    return leaf if depth == 1 else {("all", "any")[depth % 2]: [nested(depth - 1, number)]}


def document(criteria: list[dict[str, Any]]) -> dict[str, Any]:
    signed = {"authored_by": "A", "signed_by": "B", "signed_at": "2026-01-01T00:00:00Z", "grade": "signed"}
    indication = {"id": "I", "kind": "include", "role": "indication", "expr": {"type": "has", "codes": ["ORPHA:98896"]}}
    return {"trial": "NCT05096221", **signed, "criteria": [indication, *criteria]}


def wide() -> dict[str, Any]:
    """499 leaves beside the indication, each a criterion with words."""
    label = {"fr": "é" * 60, "en": "e" * 60}
    return document([{"id": f"C{n}", "kind": "include", "expr": LEAVES[n % len(LEAVES)], "text": label} for n in range(499)])


def deep() -> dict[str, Any]:
    """As deep as may be, as often as the number of values allows."""
    return document([{"id": f"C{n}", "kind": ("include", "exclude")[n % 2], "expr": nested(12, n)} for n in range(220)])


def in_one() -> dict[str, Any]:
    groups = [{"any": [LEAVES[n % len(LEAVES)] for n in range(99)]} for _ in range(5)]
    return document([{"id": "C", "kind": "include", "expr": {"all": groups}}])


def of_values(count: int) -> dict[str, Any]:
    return {f"k{n}": n for n in range(count)}


BODIES: dict[str, tuple[str, str, str, Any]] = {
    "match, 900 measurements": ("matching", "POST", MATCH, patient(measurements(900))),
    "match, 900 exposures": ("matching", "POST", MATCH, patient(exposures(900))),
    "match, 999 diagnoses": ("matching", "POST", MATCH, patient(conditions(999))),
    "match, a third of each": ("matching", "POST", MATCH, patient([*measurements(300), *exposures(300), *conditions(300)])),
    "match, phenopacket of 990 findings": ("matching", "POST", MATCH, phenopacket(990)),
    "match, 9,990 unknown fields": ("matching", "POST", MATCH, of_values(9_990)),
    "match, 990 faulty facts": ("matching", "POST", MATCH, patient([{"id": 7, "kind": "x", "a": 1, "b": 2, "c": 3} for _ in range(990)])),
    "match, 240 KiB of one letter": ("matching", "POST", MATCH, {"a": "a" * 240 * KIB}),
    "match, 240 KiB of digits": ("matching", "POST", MATCH, {"a": "1" * 240 * KIB}),
    "match, 240 KiB of spaced digits": ("matching", "POST", MATCH, {"a": "1 " * 120 * KIB}),
    "match, 240 KiB of half addresses": ("matching", "POST", MATCH, {"a": "a@a." * 60 * KIB}),
    "match, 240 KiB of signs": ("matching", "POST", MATCH, {"a": "@" * 240 * KIB}),
    "match, 240 KiB of dots": ("matching", "POST", MATCH, {"a": "x@" + "a." * 119 * KIB}),
    "check, 500 leaves side by side": ("matching", "POST", CHECK, wide()),
    "check, 12 deep": ("matching", "POST", CHECK, deep()),
    "check, 495 leaves in one": ("matching", "POST", CHECK, in_one()),
    "check, 9,990 unknown fields": ("matching", "POST", CHECK, of_values(9_990)),
    "dry run, 500 leaves, 900 measurements": ("matching", "POST", DRY_RUN, {"criteria": wide(), "patient": patient(measurements(900))}),
    "dry run, 500 leaves, 900 exposures": ("matching", "POST", DRY_RUN, {"criteria": wide(), "patient": patient(exposures(900))}),
    "dry run, 12 deep, a third of each": (
        "matching",
        "POST",
        DRY_RUN,
        {"criteria": deep(), "patient": patient([*measurements(300), *exposures(300), *conditions(300)])},
    ),
    "put criteria, 500 leaves side by side": ("registry", "PUT", CRITERIA, wide()),
    "put criteria, 12 deep": ("registry", "PUT", CRITERIA, deep()),
    "patch a trial, 900 KiB": ("registry", "PATCH", TRIAL, {"eligibility": {"text": {"en": "word " * 9_000, "fr": "mot " * 10_000}}}),
    "patch a trial, 9,990 unknown fields": ("registry", "PATCH", TRIAL, of_values(9_990)),
    "subscribe, all filters full": (
        "notifications",
        "POST",
        SUBSCRIPTIONS,
        {
            "channel": {"type": "webhook", "url": "https://192.0.2.1/" + "a" * 1_900},
            "filter": {"trial": [f"NCT{n:08}" for n in range(100)], "condition": [f"ORPHA:{n}" for n in range(50)]},
        },
    ),
}


@pytest.mark.parametrize("times", [2, pytest.param(50, marks=pytest.mark.full)])
def test_the_worst_bodies_are_answered(installation: dict[str, ServiceProcess], times: int, figure: Callable[[str, object], None]) -> None:
    slowest: dict[str, float] = {}
    with httpx.Client(headers={"Authorization": f"Bearer {ADMIN}", "If-Match": "*"}, timeout=30, trust_env=False) as client:
        for name, (service, method, path, document) in BODIES.items():
            content = json.dumps(document, ensure_ascii=False).encode()
            media_type = "application/merge-patch+json" if method == "PATCH" else "application/json"
            spent, worked = [], []
            for number in range(times + 1):
                headers = {"Content-Type": media_type, "Idempotency-Key": f"{Path(path).name[:20]}-{number:020}"}
                began, before = perf_counter(), processor_time(installation[service].pid)
                answer = client.request(method, installation[service].url + path, content=content, headers=headers)
                spent.append(perf_counter() - began)
                worked.append(processor_time(installation[service].pid) - before)
                assert answer.status_code < 500, (name, answer.text[:500])
                # Every body is within the limits of all bodies: what is refused is refused for what it says.
                assert answer.status_code in {200, 201, 422}, (name, answer.text[:500])
            slowest[name] = percentile(worked[1:])
            told = f"{slowest[name] * 1000:.0f} ms of the processor, {percentile(spent[1:]) * 1000:.0f} ms at the caller"
            figure(f"worst bodies: {name}", f"{told}, p99 of {times} ({answer.status_code}, {len(content) / KIB:.0f} KiB)")
    figure("worst bodies: slowest", f"{max(slowest.values()) * 1000:.0f} ms of the processor p99: {max(slowest, key=slowest.__getitem__)}")


def test_a_dry_run_that_would_hold_the_others_up_is_refused_and_says_so(installation: dict[str, ServiceProcess]) -> None:
    service, method, path, document = BODIES["dry run, 500 leaves, 900 exposures"]
    with httpx.Client(headers={"Authorization": f"Bearer {ADMIN}"}, timeout=30, trust_env=False) as client:
        refused = client.request(method, installation[service].url + path, json=document)
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "too_complex")
        smaller = {"criteria": document["criteria"], "patient": patient([*exposures(20), *measurements(40), *conditions(10)])}
        assert client.request(method, installation[service].url + path, json=smaller).status_code == 200


def processor_time(pid: int) -> float:
    """Seconds that the process has had of a processor: what a busy machine does not change."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def percentile(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.99))]
