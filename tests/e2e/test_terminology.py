"""A hospital's own codes, loaded while the services run."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.e2e.conftest import System, eventually

# More than an ordinary text of the API may hold.
OTHERS = "".join(f"CHUX:{hashlib.sha256(bytes([one])).hexdigest()},Orphanet:98896,same,\n" for one in range(250))
CODES = f"local,standard,relation,label\nCHUX:DMD1,Orphanet:98896,same,Duchenne (code local)\n{OTHERS}"


def test_loaded_codes_are_understood_within_seconds_and_no_request_fails(inhabited: System, tmp_path: Path) -> None:
    (tmp_path / "codes.csv").write_text(CODES, encoding="utf-8")
    with inhabited.client() as client:
        inhabited.cleio("terminology", "load", str(tmp_path / "codes.csv"))
        assert eventually(_lists(client, "CHUX:DMD1"), 30)
        assert "codes.csv" in inhabited.cleio("terminology", "list").stdout
        assert "removed codes.csv" in inhabited.cleio("terminology", "load", "--undo").stdout
        assert eventually(lambda: not _lists(client, "CHUX:DMD1")(), 30)


def _lists(client: httpx.Client, code: str) -> Callable[[], bool]:
    """Return whether trials are listed for a boy with this code. Each call is one request, which must succeed."""

    def asked() -> bool:
        fact = {"id": "diagnosis", "kind": "condition", "codes": [code], "date": "2024-02-01"}
        patient = {"as_of": "2025-11-22", "birth_date": "2021-12-20", "sex": "male", "facts": [fact]}
        answer = client.post("/matching/v1/match", json=patient)
        assert answer.status_code == 200, answer.text
        return bool(answer.json()["results"])

    return asked
