"""The commands that talk to a running system, as typed in a terminal."""

import json
from pathlib import Path

from tests.conftest import free_port
from tests.e2e.conftest import System

PATIENT = "docs/examples/duchenne-boy.json"


def study(nct: str, title: str) -> dict[str, object]:
    return {
        "protocolSection": {
            "identificationModule": {"nctId": nct, "briefTitle": title},
            "statusModule": {"overallStatus": "RECRUITING"},
            "conditionsModule": {"conditions": ["Duchenne Muscular Dystrophy"]},
            "armsInterventionsModule": {
                "interventions": [{"type": "GENETIC", "name": "AAV9 micro-dystrophin gene therapy"}]
            },
        }
    }


def test_a_match_reads_as_a_table(system: System) -> None:
    shown = system.cleio("match", PATIENT, "--lang", "en", check=False)
    assert shown.returncode == 0, shown.stderr
    assert "CLEIO-DEMO-0002" in shown.stdout
    assert "refer before" in shown.stdout
    assert max(len(line) for line in shown.stdout.splitlines()[:10]) <= 100


def test_a_trial_is_explained_criterion_by_criterion(system: System) -> None:
    machine = system.cleio("match", PATIENT, "--json", check=False)
    trial = json.loads(machine.stdout)["results"][0]
    shown = system.cleio("match", PATIENT, "--trial", trial["trial"], "--lang", "en", check=False)
    assert shown.returncode == 0, shown.stderr
    # The table may wrap an identifier.
    letters = "".join(shown.stdout.split()).replace("│", "")
    assert [one["id"] for one in trial["criteria"] if one["id"] not in letters] == []


def test_an_unknown_trial_is_one_line(system: System) -> None:
    refused = system.cleio("match", PATIENT, "--trial", "NCT00000000", check=False)
    assert (refused.returncode, refused.stdout, len(refused.stderr.splitlines())) == (1, "", 1)


def test_nothing_listening_is_one_line(system: System) -> None:
    port = free_port(4)
    refused = system.cleio("match", PATIENT, check=False, CLEIO_PORT=str(port))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert (
        refused.stderr == f"cleio: nothing listens at http://127.0.0.1:{port}: "
        "start the system with `make run`, or name another address with --url\n"
    )


def test_an_import_reports_each_bad_record_and_takes_the_others(system: System, tmp_path: Path) -> None:
    (tmp_path / "studies.json").write_text(
        json.dumps({"studies": [study("NCT90000001", "One"), study("NCT90000002", "Two")]})
    )
    (tmp_path / "lines.jsonl").write_text(json.dumps(study("NCT90000003", "Three")) + "\n{broken\n\n{}\n")
    (tmp_path / "number.json").write_text('{"note": "NaN",\n "protocolSection": NaN}')
    (tmp_path / "bytes.json").write_bytes(b'{"a":\n "\xff"}')
    arguments = ["import", "ctgov", str(tmp_path), "--dry-run"]

    machine = system.cleio(*arguments, "--json", check=False, CLEIO_TOKEN=system.admin_key)
    assert machine.returncode == 1
    report = json.loads(machine.stdout)
    assert report["counts"] == {
        "created": 3,
        "updated": 0,
        "unchanged": 0,
        "kept_curated": 0,
        "refused": 0,
        "invalid": 4,
    }
    places = {Path(one["place"]).name for one in report["remarks"]}
    assert places == {"lines.jsonl:2", "lines.jsonl:4", "number.json:2", "bytes.json:2"}

    shown = system.cleio(*arguments, check=False, CLEIO_TOKEN=system.admin_key)
    assert shown.returncode == 1
    assert all(place in shown.stdout for place in places)

    # It was a dry run.
    with system.client() as client:
        assert client.get("/registry/v1/trials/NCT90000001").status_code == 404


def test_an_import_without_the_token_is_one_line(system: System, tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps(study("NCT90000001", "One")))
    refused = system.cleio("import", "ctgov", str(tmp_path), check=False)
    assert (refused.returncode, refused.stdout, len(refused.stderr.splitlines())) == (1, "", 1)
    assert "cleio admin create" in refused.stderr


def test_each_command_explains_itself(system: System) -> None:
    shown = system.cleio("--help")
    assert shown.returncode == 0
    assert "..." not in shown.stdout.split("Commands:")[1]
    for command in ("up", "serve", "migrate", "revision", "import", "match", "openapi", "bench"):
        assert f"\n  {command} " in shown.stdout
