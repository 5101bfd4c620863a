"""Large imports are read in processes of their own: with the same results, also when one of them is killed."""

import json
import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from services.bench.records import records
from tests.conftest import ADMIN, client_of
from tests.contract.registry import running_registry
from tests.contract.test_sources import send, study

pytestmark = pytest.mark.anyio

LARGE = 12
REFUSED = study("NCT70000001", conditionsModule={"conditions": ["Osteosarcoma"]})
NO_RECORD = '{"protocolSection": {}}'


async def test_processes_read_as_the_service_does_and_may_be_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.registry.sources.importing.FEWEST", LARGE)
    lines = [line.decode() for line in records(2 * LARGE)]
    first, second = [*lines[:LARGE], json.dumps(REFUSED), NO_RECORD, "{"], lines[LARGE:]
    found = {}
    for readers in ("0", "1"):
        monkeypatch.setenv("CLEIO_REGISTRY_READERS", readers)
        monkeypatch.setenv("CLEIO_DATA_DIR", str(tmp_path / f"installation {readers}"))
        # The same numbers, but other lines: what was read before is remembered.
        given = [line.replace('"AAV9 vector.', f'"AAV9 vector {readers}.') for line in first]
        async with (
            running_registry(f"sqlite:///{tmp_path / readers}.db", sample=False) as app,
            client_of(app, token=ADMIN) as admin,
        ):
            answers = [await send(admin, *given)]
            processes = multiprocessing.active_children()
            assert len(processes) == int(readers)
            for one in processes:
                assert one.pid is not None
                os.kill(one.pid, signal.SIGKILL)
            answers.append(await send(admin, *second))
            found[readers] = [[one | {"trial_id": None} for one in answer["results"]] for answer in answers]
    assert found["1"] == found["0"]
    assert [one["result"] for one in found["1"][0]][-3:] == ["refused", "invalid", "invalid"]
    assert {one["result"] for one in found["1"][1]} == {"created"}
