"""The commands that talk to a running system, as typed in a terminal."""

import json
import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import islice
from pathlib import Path

from services.cli.gateway import open_gateway
from services.cli.trials import TRIALS
from tests.conftest import free_port
from tests.e2e.conftest import ROOT, System

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
    shown = system.in_a_process("match", PATIENT, "--lang", "en")
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
    refused = system.in_a_process("match", PATIENT, CLEIO_PORT=str(port))
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
        "refused": 0,
        "invalid": 4,
    }
    places = {Path(one["place"]).name for one in report["remarks"]}
    assert places == {"lines.jsonl:2", "lines.jsonl:4", "number.json:2", "bytes.json:2"}
    assert report["reasons"] == {"unreadable": 3, "nct_number": 1}

    shown = system.cleio(*arguments, check=False, CLEIO_TOKEN=system.admin_key)
    assert shown.returncode == 1
    assert all(place in shown.stdout for place in places)
    assert "reasons: unreadable 3, nct_number 1" in shown.stdout

    # It was a dry run.
    with system.client() as client:
        assert client.get("/registry/v1/trials/NCT90000001").status_code == 404


def test_a_dry_run_names_no_id_that_another_trial_will_get(system: System, tmp_path: Path) -> None:
    unclear = study("NCT90000007", "One")
    unclear["protocolSection"]["conditionsModule"] = {"conditions": ["R/R MM"]}
    (tmp_path / "unclear.json").write_text(json.dumps(unclear))
    arguments = ["import", "ctgov", str(tmp_path), "--json"]
    for more, named in ((["--dry-run"], False), ([], True)):
        report = json.loads(system.cleio(*arguments, *more, CLEIO_TOKEN=system.admin_key).stdout)
        assert [one["trial_id"] is not None for one in report["reviews"]] == [named]


def test_stored_records_need_no_reading_again_under_the_same_rules(system: System, tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps(study("NCT90000009", "One")))
    system.cleio("import", "ctgov", str(tmp_path), CLEIO_TOKEN=system.admin_key)
    again = system.cleio("sources", "reread", "--json", CLEIO_TOKEN=system.admin_key)
    assert json.loads(again.stdout) == {"dry_run": False, "counts": {}, "results": []}
    shown = system.cleio("sources", "reread", "--dry-run", CLEIO_TOKEN=system.admin_key)
    assert shown.stdout == "What would happen (dry run): no record to read again\n"


def test_the_origins_statements_and_conflicts_of_a_trial_are_shown(system: System, tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps(study("NCT90000008", "One")))
    system.cleio("import", "ctgov", str(tmp_path), CLEIO_TOKEN=system.admin_key)
    shown = system.cleio("trial", "provenance", "NCT90000008", CLEIO_TOKEN=system.admin_key).stdout.splitlines()
    assert shown[0].split() == ["FIELD", "SOURCE", "RECORD", "DATE", "AUTHOR"]
    assert any(line.split()[:3] == ["titles.en", "ctgov", "NCT90000008"] for line in shown)
    with system.client() as client:
        headers = {"Authorization": f"Bearer {system.admin_key}", "If-Match": "*"}
        headers["Content-Type"] = "application/merge-patch+json"
        content = json.dumps({"titles": {"en": "Mine"}})
        path = "/registry/v1/trials/NCT90000008?reason=clearer"
        assert client.patch(path, content=content, headers=headers).status_code == 200
    (tmp_path / "one.json").write_text(json.dumps(study("NCT90000008", "Two")))
    system.cleio("import", "ctgov", str(tmp_path), CLEIO_TOKEN=system.admin_key)
    stated = system.cleio("trial", "statements", "NCT90000008", CLEIO_TOKEN=system.admin_key).stdout.splitlines()
    assert (stated[1].split()[:3], stated[1].split()[-1]) == (["1", "titles.en", "Mine"], "clearer")
    found = system.cleio("trial", "conflicts", "NCT90000008", "--lang", "en", CLEIO_TOKEN=system.admin_key)
    line = found.stdout.splitlines()[1].split()
    assert line[:6] == ["NCT90000008", "titles.en", "outdated_statement", "Mine", "Two", "ctgov"]
    assert "withdraw the statement" in found.stderr
    everywhere = system.cleio("trial", "conflicts", "--json", CLEIO_TOKEN=system.admin_key)
    assert [one["path"] for one in json.loads(everywhere.stdout)["items"]] == ["titles.en"]


def test_what_waits_for_review_is_listed_decided_and_undone(system: System, tmp_path: Path) -> None:
    def reviews(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return system.cleio("reviews", *arguments, check=check, CLEIO_TOKEN=system.admin_key)

    record = study("NCT90000006", "One")
    record["protocolSection"]["conditionsModule"] = {"conditions": ["Langerhans Cell Histiocytosis"]}  # type: ignore[index]
    (tmp_path / "one.json").write_text(json.dumps(record))
    imported = system.cleio("import", "ctgov", str(tmp_path), CLEIO_TOKEN=system.admin_key)
    assert "cleio reviews list" in imported.stdout
    listed = reviews("list", "--kind", "scope", "-q", "NCT90000006")
    item = listed.stdout.splitlines()[1].split()[0]
    assert item.startswith("scope:CL")
    assert "1 scope" in listed.stderr
    assert reviews("claim", item).stderr == f"{item} claimed\n"
    decided = reviews("decide", item, "out_of_scope", "--reason", "protocol read", "--lang", "en").stdout
    assert "nothing is to be decided" in decided
    assert "protocol read" in decided
    refused = reviews("decide", item, "keep", "--reason", "x", check=False)
    assert (refused.returncode, refused.stdout, "422 wrong_answer" in refused.stderr) == (1, "", True)
    assert json.loads(reviews("undo", "scope:nct90000006", "--json").stdout)["trial"]["published"] is False
    assert "à examiner" in reviews("show", item).stdout

    def trial(*arguments: str) -> str:
        return system.cleio("trial", *arguments, CLEIO_TOKEN=system.admin_key).stdout

    withdrawn = trial("withdraw", "NCT90000006", "--reason", "the sponsor asked")
    assert ["state", "withdrawn"] in [line.split() for line in withdrawn.splitlines()]
    assert "the sponsor asked" in trial("state", "NCT90000006")
    assert json.loads(trial("publish", "NCT90000006", "--reason", "x", "--json"))["waiting"]["action"] == "publish"
    assert trial("transfer", "NCT90000006", "--reason", "agreed").splitlines()[3].split() == ["owner", "coordination"]
    versions = [line.split()[0] for line in trial("history", "NCT90000006").splitlines()]
    assert versions == ["VERSION", "4", "3", "2", "1"]
    changed = trial("diff", "NCT90000006", "--from", "1").splitlines()[-1].split()
    assert changed[:3] == ["state", "in_review", "withdrawn"]


def test_places_are_declared_and_a_hold_is_imposed(system: System) -> None:
    def cleio(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return system.cleio(*arguments, check=check, CLEIO_TOKEN=system.admin_key)

    place = ("CLEIO-DEMO-0002", "fr-lille", "1")
    cleio("enrolment", "declare", *place, "--offered", "3", "--slots", "2", "--interval-days", "28", "--needs-decision")
    kept = json.loads(cleio("enrolment", "declare", *place, "--offered", "4", "--json").stdout)
    assert (kept["offered"], kept["manufacturing"]["slots"], kept["staggering"]["interval_days"]) == (4, 2, 28)
    assert cleio("enrolment", "waiting", *place).stdout.split()[0] == "POSITION"
    early = cleio("enrolment", "release", place[0], "1", "--decided-on", "2026-01-01", "--reference", "1", check=False)
    assert (early.returncode, "409 not_staggered" in early.stderr) == (1, True)
    nobody = cleio("enrolment", "decide", *place, "REF-2222-2222-2222", "assign", check=False)
    assert (nobody.returncode, "404 not_found" in nobody.stderr) == (1, True)

    options = ("--scope", "cohort", "--target", "1", "--kind", "precaution", "--reason", "quality_defect")
    hold = json.loads(cleio("holds", "impose", place[0], *options, "--json").stdout)
    assert "safety_hold" in cleio("enrolment", "list", place[0]).stdout.splitlines()[1].split()
    assert system.cleio("holds", "list", place[0]).stdout.splitlines()[1].split()[:3] == [hold["id"], place[0], "1"]
    basis = ("--basis", "measure_lifted", "--reference", "1", "--decided-on", "2026-01-01")
    refused = cleio("holds", "lift", hold["id"], *basis, check=False)
    assert (refused.returncode, "403 two_organisations_needed" in refused.stderr) == (1, True)


def test_an_import_without_the_token_is_one_line(system: System, tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps(study("NCT90000001", "One")))
    refused = system.cleio("import", "ctgov", str(tmp_path), check=False)
    assert (refused.returncode, refused.stdout, len(refused.stderr.splitlines())) == (1, "", 1)
    assert "cleio admin create" in refused.stderr


def test_each_command_explains_itself(system: System) -> None:
    shown = system.cleio("--help")
    assert shown.returncode == 0
    assert "..." not in shown.stdout.split("Commands:")[1]
    for command in ("up", "serve", "migrate", "status", "match", "trial", "feed", "import", "openapi", "bench"):
        assert f"\n  {command} " in shown.stdout


def test_the_version_is_printed_and_completion_works(system: System) -> None:
    assert system.in_a_process("--version").stdout == f"cleio {version('cleio')}\n"
    completed = system.in_a_process("", _CLEIO_COMPLETE="complete_bash", COMP_WORDS="cleio tri", COMP_CWORD="1")
    assert "trial" in completed.stdout.split()


def test_a_match_sends_the_token(system: System) -> None:
    refused = system.cleio("match", PATIENT, check=False, CLEIO_TOKEN="nonsense")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("cleio: CLEIO_TOKEN rejected")
    # An administrator may match invented patients only, which shows that the token arrives.
    hinted = system.cleio("match", PATIENT, check=False, CLEIO_TOKEN=system.admin_key)
    assert (hinted.returncode, "--synthetic" in hinted.stderr) == (1, True)
    accepted = system.cleio("match", PATIENT, "--json", "--synthetic", CLEIO_TOKEN=system.admin_key, check=False)
    assert (accepted.returncode, "results" in accepted.stdout) == (0, True), accepted.stderr


def test_the_status_names_each_service_and_the_last_backup(system: System, tmp_path: Path) -> None:
    (tmp_path / "cleio-20260102T030405.678Z").mkdir()
    shown = system.cleio("status", "--backups", str(tmp_path))
    rows = {line.split()[0]: line for line in shown.stdout.splitlines()[1:]}
    assert [name for name in ("gateway", "registry", "matching", "notifications") if " ready" not in rows[name]] == []
    assert "feed position" in rows["registry"]
    assert "cleio-20260102T030405.678Z" in rows["last"]
    state = json.loads(system.cleio("status", "--json", "--backups", str(tmp_path)).stdout)
    assert state["ready"] is True
    assert state["services"]["registry"]["replicas"][0]["version"] == version("cleio")
    assert state["last_backup"]["made_at"] == "2026-01-02T03:04:05.678000+00:00"


def test_trials_are_listed_filtered_and_shown(system: System) -> None:
    listed = system.cleio("trial", "list", "--query", "duchenne", "--no-demo", "--lang", "en")
    assert "NCT05096221" in listed.stdout
    assert "CLEIO-DEMO" not in listed.stdout
    found = json.loads(system.cleio("trial", "list", "--limit", "3", "--json").stdout)["items"]
    assert len(found) == 3
    shown = system.cleio("trial", "show", "CLEIO-DEMO-0001", "--lang", "en")
    assert "fictitious" in shown.stdout
    assert "signed, illustrative" in shown.stdout
    assert "fr-necker" in shown.stdout
    assert re.search(r"visits year 1 +14\n.*paid +travel, accommodation\n", shown.stdout, re.DOTALL)
    document = json.loads(system.cleio("trial", "show", "CLEIO-DEMO-0001", "--json").stdout)
    assert document["trial"]["identifier"] == "CLEIO-DEMO-0001"
    missing = system.cleio("trial", "show", "NCT00000000", check=False)
    assert (missing.returncode, len(missing.stderr.splitlines())) == (1, 1)


def test_a_list_goes_on_to_the_next_page(system: System) -> None:
    with open_gateway(system.url) as gateway:
        at_once = gateway.first(7, TRIALS)
        assert list(islice(gateway.walk(TRIALS, size=3), 7)) == at_once
    assert len(at_once) == 7


def test_the_feed_is_read_in_parts_and_continued(system: System, tmp_path: Path) -> None:
    first = system.cleio("feed", "--json", "--limit", "3")
    events = [json.loads(line) for line in first.stdout.splitlines()]
    assert len(events) == 3
    cursor = first.stderr.split("--cursor ")[1].strip()
    following = json.loads(system.cleio("feed", "--json", "--limit", "1", "--cursor", cursor).stdout)
    assert following["id"] not in {event["id"] for event in events}
    file = tmp_path / "cursor"
    published = system.cleio("feed", "--types", "trial.published", "--cursor-file", str(file)).stdout.splitlines()
    # A trial that another test of this file withdrew is a tombstone here.
    assert {line.split()[1] for line in published} - {"trial.removed"} == {"trial.published"}
    assert system.cleio("feed", "--types", "trial.published", "--cursor-file", str(file)).stdout == ""


def test_the_feed_is_followed_until_interrupted(system: System) -> None:
    environment = {**os.environ, "CLEIO_DATA_DIR": str(system.folder), "CLEIO_PORT": str(system.port)}
    command = [sys.executable, "-m", "services.cli", "feed", "--follow", "--json"]
    following = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert following.stdout is not None
    assert json.loads(following.stdout.readline())["specversion"] == "1.0"
    following.send_signal(signal.SIGINT)
    _, said = following.communicate(timeout=30)
    assert (following.returncode, "continue with --cursor" in said) == (0, True), said


def test_capabilities_and_the_opening_of_a_site_are_stated_and_shown(system: System) -> None:
    trial, centre = "CLEIO-DEMO-0003", "fr-lyon"

    def shown(*arguments: str) -> str:
        return system.cleio(*arguments, CLEIO_TOKEN=system.admin_key).stdout

    reached = (
        "--function-fr",
        "Unité d'essais cliniques",
        "--function-en",
        "Trials unit",
        "--phone",
        "+33 1 99 00 12 34",
    )
    assert "+33 1 99 00 12 34" in shown("centre", "contact", centre, *reached)
    assert "Trials unit" in shown("centre", "show", centre)
    assert "tma_readiness" in shown("capabilities", "codes")
    tma = ("capabilities", "set", centre, "tma_readiness", "--scope", "both", "--evidence")
    for evidence in ("procedure 1", "procedure 2"):
        assert shown(*tma, evidence).splitlines()[1].split()[:3] == ["tma_readiness", "valid", "both"]
    assert "procedure 2" in shown("capabilities", "list", centre)
    assert '"complete": true' in shown("capabilities", "needs", trial, "--complete")
    fit = shown("capabilities", "fit", trial, "--centre", centre).splitlines()
    assert fit[1].split()[:2] == [centre, "able_after"]
    assert (
        shown("capabilities", "follow-up", trial, "--dosed-on", "2024-02-29").splitlines()[-1].split()[2]
        == "2039-02-28"
    )
    stated = shown("capabilities", "follow-up", trial, "--years", "7", "--reference", "protocol 2")
    assert stated.splitlines()[1].split() == ["years", "7"]
    shown("capabilities", "remove", centre, "tma_readiness")

    declared = (
        "--regime",
        "contained_use",
        "--class",
        "C1",
        "--declared-on",
        "2026-01-05",
        "--decided-on",
        "2026-02-03",
    )
    shown("activation", "gmo", trial, "--state", "accepted", *declared, "--site", "fr-necker")
    for day in ("2026-02-02", "2026-03-02"):
        path = shown("activation", "step", trial, "decision", "--state", "done", "--on", day)
        assert next(line.split() for line in path.splitlines() if line.startswith("decision"))[3] == day
    assert "gmo_site_not_listed" in shown("activation", "checklist", trial, centre)
    for reference in ("C1", "C2"):
        done = shown(
            "activation", "item", trial, centre, "contract", "--done-on", "2026-04-01", "--reference", reference
        )
        assert json.loads(done)["state"] == "done"
    refused = system.cleio(
        "activation", "item", trial, centre, "green_light", "--done-on", "2026-05-01", check=False,
        CLEIO_TOKEN=system.admin_key,
    )  # fmt: skip
    assert (refused.returncode, "409" in refused.stderr) == (1, True)


def test_a_centre_is_asked_and_answers_on_the_command_line(system: System, tmp_path: Path) -> None:
    with system.client(as_admin=True) as admin:
        kinds = {"acme-labs": {"kind": "sponsor"}, "cic-lille": {"kind": "centre", "centre": "fr-lille"}}
        keys = {}
        for name, more in kinds.items():
            organisation = f"/registry/v1/organisations/{name}"
            document = {"name": name, **more}
            assert admin.put(organisation, json=document, headers={"If-None-Match": "*"}).status_code == 201
            scopes = [f"{one}.{act}" for one in ("submission", "feasibility") for act in ("read", "write")]
            client = {
                "name": "cli",
                "method": "api_key",
                "roles": ["system"],
                "scopes": scopes if name == "acme-labs" else scopes[2:],
            }
            made = admin.post(f"{organisation}/clients", json=client, headers={"Idempotency-Key": f"client-{name}"})
            assert made.status_code == 201, made.text
            keys[name] = made.json()["key"]
    trial = {"conditions": [{"code": "ORPHA:98896", "text": "Duchenne"}], "acronym": "HIDE"}
    content = tmp_path / "study.json"
    content.write_text(json.dumps({"protocol_code": "ACME-1", "trial": trial}))

    def dossier(*words: str, key: str = keys["acme-labs"]) -> str:
        return system.cleio("submissions", *words, CLEIO_TOKEN=key).stdout

    name = json.loads(dossier("create", "--content", str(content), "--json"))["submission"]["reference"]
    shown = dossier("show", name, "--lang", "en")
    assert "draft" in shown
    missing = next(line for line in shown.splitlines() if "/trial/contact" in line)
    assert "Contact for public queries. Give it in this field." in missing
    screened = dossier("screen", name, "--lang", "en")
    assert screened.splitlines()[0].split() == ["scope", "scope_unclear"]
    assert "/24" in screened
    assert "submitted" in dossier("step", name, "submit")
    assert dossier("versions", name).splitlines()[1].split()[0] == "1"
    assert "offer_transfer" in dossier("transfer", name, "--reason", "taken back")
    for action in ("screen", "open_feasibility"):
        dossier("step", name, action, key=system.admin_key)
    assert name in dossier("list", "--state", "feasibility")

    def coordination(*words: str) -> str:
        return system.cleio("feasibility", *words, CLEIO_TOKEN=system.admin_key).stdout

    def centre(*words: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        return system.cleio("feasibility", *words, check=check, CLEIO_TOKEN=keys["cic-lille"])

    coordination("entity", "fr-lille", "--finess", "590780193", "--name", "CHU de Lille")
    assert coordination("ask", name, "--centre", "fr-lille") == "1 centres asked\n"
    for step in ("triage", "send_cda"):
        coordination("step", name, "fr-lille", step)
    assert "HIDE" not in centre("show", name, "fr-lille", "--json").stdout
    signed = ("--signed-by", "DRCI", "--signed-on", "2026-01-01", "--valid-until", "2099-12-31", "--evidence", "C1")
    assert "open" in coordination("gate", name, "fr-lille", "--finess", "590780193", *signed)
    coordination("step", name, "fr-lille", "send_questionnaire")
    assert "questionnaire_sent" in centre("list", "--state", "questionnaire_sent").stdout
    assert "HIDE" in centre("show", name, "fr-lille", "--json").stdout
    shown = centre("questionnaire", name, "fr-lille", "--language", "en").stdout
    assert "Which patients can the centre take?" in shown

    file = tmp_path / "answers.json"
    file.write_text(centre("questionnaire", name, "fr-lille", "--json").stdout)
    refused = centre("answer", name, "fr-lille", str(file), "--submit", check=False)
    assert (refused.returncode, "able" in refused.stderr) == (1, True)
    checked = centre("answer", name, "fr-lille", str(file), "--dry-run")
    assert "missing: patients_per_year/ORPHA:98896" in checked.stderr
    declined = centre("step", name, "fr-lille", "decline", "--reason", "no_staff")
    assert "declined" in declined.stdout
    assert "declined      1" in coordination("result", name)


def test_a_patient_is_referred_and_the_referral_deleted(system: System) -> None:
    scopes = ("--scopes", "referral.read,referral.write,worklist.read", "--roles", "clinician")
    made = system.cleio(
        "client", "create", "--org", "chu-cli", "--kind", "hospital", *scopes, "--api-key", CLEIO_TOKEN=system.admin_key
    )
    hospital = made.stdout.strip()

    def cleio(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return system.cleio(*arguments, check=check, CLEIO_TOKEN=hospital)

    day = datetime.now(UTC).date().isoformat()
    options = ("--trial", "CLEIO-DEMO-0003", "--centre", "fr-toulouse", "--agreed-on", "2026-01-05")
    refused = cleio("referrals", "send", *options, "--agreed-by", "one_holder", check=False)
    assert (refused.returncode, "422 agreement_required" in refused.stderr) == (1, True)
    sent = json.loads(cleio("referrals", "send", *options, "--urgency", "urgent", "--json").stdout)
    reference = sent["reference"]
    assert cleio("referrals", "list").stdout.splitlines()[1].split()[:2] == [reference, "sent"]
    cleio("referrals", "step", reference, "patient_informed", "--on", day, "--of", "waiting")
    shown = cleio("referrals", "show", reference).stdout
    assert f"quoting {reference}" in shown
    assert "patient_informed" in shown
    early = cleio("referrals", "step", reference, "dosed", "--on", day, check=False)
    assert (early.returncode, "409 wrong_step" in early.stderr) == (1, True)
    waiting = system.cleio("worklist", "--centre", "fr-toulouse", CLEIO_TOKEN=system.admin_key).stdout
    assert reference in waiting
    calendar = system.cleio("worklist", "--centre", "fr-toulouse", "--calendar", CLEIO_TOKEN=system.admin_key).stdout
    assert f"UID:referral_to_answer-referral-{reference}@cleio" in calendar
    cleio("referrals", "delete", reference)
    assert len(cleio("referrals", "list").stdout.splitlines()) == 1


def test_criteria_are_proposed_listed_and_signed_by_another_person(system: System, tmp_path: Path) -> None:
    trial = "CLEIO-DEMO-0003"
    with system.client() as client:
        document = client.get(f"/registry/v1/trials/{trial}/criteria").json()
    document["criteria"][0]["text"]["en"] = "Changed in a file"
    file = tmp_path / "criteria.json"
    file.write_text(json.dumps(document))

    def criteria(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return system.cleio("criteria", *arguments, check=check, CLEIO_TOKEN=system.admin_key)

    proposed = criteria("propose", trial, str(file)).stdout.splitlines()[1]
    assert (proposed.split()[0], proposed.split()[-1]) == ("1", "yours")
    assert "Changed in a file" in criteria("show", trial, "1", "--lang", "en").stdout
    refused = criteria("sign", trial, "1", "--signed-by", "B. Petit", check=False)
    assert (refused.returncode, "403 signed_by_author" in refused.stderr) == (1, True)
    other = system.cleio("admin", "create").stdout.strip()
    waiting = system.cleio("worklist", CLEIO_TOKEN=other)
    assert "Proposed criteria to check and sign" in waiting.stdout
    signed = system.cleio("criteria", "sign", trial, "1", "--signed-by", "B. Petit", CLEIO_TOKEN=other)
    assert signed.stderr == f"{trial}: version 2 of the criteria is in force\n"
    assert criteria("list", trial).stdout.splitlines()[1].split()[2] == "signed"
    late = criteria("withdraw", trial, "1", check=False)
    assert "409 proposal_ended" in late.stderr
    stale = criteria("propose", trial, str(file), check=False)
    assert "412" in stale.stderr


def test_a_record_is_read_and_what_was_not_understood_is_said(system: System, tmp_path: Path) -> None:
    bundle = Path("docs/examples/duchenne-bundle.json")
    document = json.loads(bundle.read_text())
    document["entry"].append({"resource": {"resourceType": "Claim", "id": "canary-4815"}})
    file = tmp_path / "bundle.json"
    file.write_text(json.dumps(document))
    found = system.cleio("patient", "read", str(file), "--synthetic", "--lang", "en", CLEIO_TOKEN=system.admin_key)
    patient = json.loads(found.stdout)
    assert "ORPHA:98896" in found.stdout
    last = found.stderr.splitlines()[-1]
    assert last.startswith(f"{len(patient['facts'])} fact(s) read; ")
    assert f"/entry/{len(document['entry']) - 1}" in found.stderr
    assert "canary-4815" not in found.stderr
    (tmp_path / "patient.json").write_text(found.stdout)
    matched = system.cleio(
        "match", str(tmp_path / "patient.json"), "--synthetic", "--json", CLEIO_TOKEN=system.admin_key
    )
    whole = system.cleio("match", str(file), "--synthetic", "--json", CLEIO_TOKEN=system.admin_key)
    verdicts = [[(one["trial"], one["verdict"]) for one in json.loads(it.stdout)["results"]] for it in (matched, whole)]
    assert verdicts[0] == verdicts[1]
    assert not any("canary-4815" in line for line in system.lines)
