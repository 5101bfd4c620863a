"""The most expensive bodies within the limits: each is answered without an internal error; the time is reported."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

import httpx
import pytest

from tests.conftest import ADMIN
from tests.contract.processes import ServiceProcess
from tests.contract.worst_bodies import BODIES, conditions, each, exposures, measurements, of_treatment, patient

# Of the processor, for one body: what would take longer is refused or cut short.
MOST_SECONDS = 0.5
TIMES = 50


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


@pytest.mark.full
@pytest.mark.alone
def test_the_worst_bodies_are_answered(
    installation: dict[str, ServiceProcess], figure: Callable[[str, object], None]
) -> None:
    slowest: dict[str, float] = {}
    with httpx.Client(
        headers={"Authorization": f"Bearer {ADMIN}", "If-Match": "*"}, timeout=30, trust_env=False
    ) as client:
        for name, (service, method, path, document) in BODIES.items():
            content = json.dumps(document, ensure_ascii=False).encode()
            media_type = "application/merge-patch+json" if method == "PATCH" else "application/json"
            spent, worked = [], []
            for number in range(TIMES + 1):
                headers = {"Content-Type": media_type, "Idempotency-Key": f"{Path(path).name[:20]}-{number:020}"}
                began, before = perf_counter(), processor_time(installation[service].pid)
                answer = client.request(method, installation[service].url + path, content=content, headers=headers)
                spent.append(perf_counter() - began)
                worked.append(processor_time(installation[service].pid) - before)
                assert answer.status_code < 500, (name, answer.text[:500])
                # Every body is small enough to be read; a refusal is for its content or its number of values.
                assert answer.status_code in {200, 201, 400, 422}, (name, answer.text[:500])
            slowest[name] = percentile(worked[1:])
            assert slowest[name] < MOST_SECONDS, name
            outcome = (
                f"{slowest[name] * 1000:.0f} ms of the processor, {percentile(spent[1:]) * 1000:.0f} ms at the caller"
            )
            figure(
                f"worst bodies: {name}",
                f"{outcome}, p99 of {TIMES} ({answer.status_code}, {len(content) / 1024:.0f} KiB)",
            )
    figure(
        "worst bodies: slowest",
        f"{max(slowest.values()) * 1000:.0f} ms of the processor p99: {max(slowest, key=slowest.__getitem__)}",
    )


def test_a_dry_run_that_would_block_other_callers_is_refused(
    installation: dict[str, ServiceProcess],
) -> None:
    service, method, path, whole = BODIES["dry run, 499 windows, 990 treatments"]
    with httpx.Client(headers={"Authorization": f"Bearer {ADMIN}"}, timeout=30, trust_env=False) as client:
        refused = client.request(method, installation[service].url + path, json=whole)
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "too_complex")
        fewer_facts = {**whole, "patient": patient([*exposures(20), *measurements(40), *conditions(10)])}
        fewer_leaves = {**whole, "criteria": each(lambda n: of_treatment("has", within=f"P{n + 1}D"), 20)}
        for smaller in (fewer_facts, fewer_leaves):
            assert client.request(method, installation[service].url + path, json=smaller).status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "dry run, 500 leaves, 900 measurements",
        "dry run, 500 leaves, 900 exposures",
        "dry run, 12 deep, a third of each",
    ],
)
def test_a_dry_run_with_the_largest_document_and_patient_is_answered(
    installation: dict[str, ServiceProcess], name: str
) -> None:
    service, method, path, whole = BODIES[name]
    with httpx.Client(headers={"Authorization": f"Bearer {ADMIN}"}, timeout=30, trust_env=False) as client:
        answer = client.request(method, installation[service].url + path, json=whole)
    assert (answer.status_code, len(answer.json()["criteria"])) == (200, len(whole["criteria"]["criteria"]))


def processor_time(pid: int) -> float:
    """Return the processor seconds of the process and its threads, which do not depend on other load."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def percentile(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.99))]
