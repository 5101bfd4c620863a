"""Pushes of partner networks: jobs, results in the partner's columns, repetition, undo, missing records and rights."""

import asyncio
import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import openpyxl
import pytest

from services.registry.sources.partner.columns import columns
from services.registry.sources.partner.files import CSV, NDJSON, XLSX
from tests.contract.network import Network
from tests.contract.notifications import until

pytestmark = pytest.mark.anyio

ENDED = {"done", "cancelled", "failed"}


def a_trial(number: str, **more: Any) -> dict[str, Any]:
    return {
        "number": number,
        "title_fr": "Thérapie génique de la dystrophie musculaire de Duchenne",
        "status": "recrute",
        "conditions": ["ORPHA:98896 dystrophie musculaire de Duchenne"],
        "product": "AAV9-microdystrophine",
        "atmp_class": "thérapie génique",
        "minimum_age": "4 ans",
        "countries": ["FR"],
        "updated": "2026-05-12",
        **more,
    }


def lines(*records: Any) -> bytes:
    return b"".join((one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n" for one in records)


def table(records: Sequence[Mapping[str, Any]], *, language: str = "fr", separator: str = ";") -> str:
    names = list(dict.fromkeys(name for one in records for name in one))
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=separator)
    writer.writerow([getattr(columns()[name].label, language) if name in columns() else name for name in names])
    writer.writerows(
        [[" | ".join(one[n]) if isinstance(one.get(n), list) else one.get(n) for n in names] for one in records]
    )
    return file.getvalue()


class Partner:
    """A partner network that sends files."""

    def __init__(self, network: Network, name: str, key: str) -> None:
        self.network, self.name, self.key = network, name, key
        self.source = f"partner:{name}"

    @classmethod
    async def of(cls, network: Network) -> "Partner":
        name = await network.organisation("network")
        return cls(network, name, (await network.client(name))["key"])

    async def send(
        self, content: bytes | str, media_type: str = NDJSON, *, key: str | None = None, **query: Any
    ) -> httpx.Response:
        return await self.network.call(
            "PUT",
            f"/registry/v1/sources/{self.source}/trials",
            key or self.key,
            content=content,
            headers={"Content-Type": media_type},
            params={name: str(value).lower() for name, value in query.items()},
        )

    async def push(self, *sent: Any, **query: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        content = lines(*sent) if not (sent and isinstance(sent[0], str)) else sent[0].encode()
        answer = await self.send(content, CSV if sent and isinstance(sent[0], str) else NDJSON, **query)
        assert answer.status_code == 202, answer.text
        assert answer.headers["Location"] == f"/registry/v1/jobs/{answer.json()['id']}"
        return await self.ended(answer.json()["id"])

    async def ended(self, job: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        path = f"/registry/v1/jobs/{job}"

        async def found() -> dict[str, Any] | None:
            document = (await self.network.call("GET", path, self.key)).json()
            return document if document["state"] in ENDED else None

        document = await until(found)
        results = (await self.network.call("GET", f"{path}/results", self.key, params={"limit": 200})).json()["items"]
        return document, results

    async def undo(self, job: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        answer = await self.network.call("POST", f"/registry/v1/jobs/{job}/undo", self.key)
        assert answer.status_code == 202, answer.text
        return await self.ended(answer.json()["id"])

    async def trial(self, name: str) -> dict[str, Any]:
        return (await self.network.call("GET", f"/registry/v1/trials/{name}", self.network.admin)).json()

    async def provenance(self, name: str) -> dict[str, Any]:
        return (await self.network.call("GET", f"/registry/v1/trials/{name}/provenance")).json()


@pytest.fixture
async def partner(network: Network) -> Partner:
    return await Partner.of(network)


async def test_a_table_is_imported_and_reported_in_its_own_columns(partner: Partner) -> None:
    good = a_trial("PED-1", acronym="=HYPERLINK", Note="x", centres=["Hôpital Necker"], cities=["Paris"])
    bad = a_trial("PED-2", minimum_age="bientôt", status="en vacances", contact_function="Dr Anne Martin")
    cancer = a_trial("PED-3", conditions=["Ostéosarcome"])
    text = "\ufeff" + table([good, bad, a_trial(""), cancer, a_trial("PED-1")])
    job, results = await partner.push(text.replace("acronyme", "Acronyme", 1))
    assert (job["state"], job["total"], job["done"], job["unknown_columns"]) == ("done", 5, 5, ["Note"])
    assert [(one["line"], one["number"], one["result"]) for one in results] == [
        (2, "PED-1", "created"),
        (3, "PED-2", "created"),
        (4, None, "invalid"),
        (5, "PED-3", "refused"),
        (6, "PED-1", "invalid"),
    ]
    said = [{(message["column"], message["code"]) for message in one["messages"]} for one in results]
    assert said[0] == {("Acronyme", "formula")}
    assert said[1] == {("âge minimum", "age_form"), ("statut", "unknown_code"), ("contact (fonction)", "names_person")}
    assert said[2:] == [
        {("numéro", "number_missing")},
        {("maladies", "malignant_indication")},
        {("numéro", "repeated_number")},
    ]
    trial = await partner.trial(results[0]["trial_id"])
    assert (trial["published"], trial["status"], trial["eligibility"]["minimum_age"]) == (True, "recruiting", "P4Y")
    assert trial["origin"] == {"source": partner.source, "source_id": "PED-1"}
    assert partner.source in json.dumps(await partner.provenance(results[0]["trial_id"]))
    assert "Martin" not in json.dumps([await partner.trial(results[1]["trial_id"]), results])
    path = f"/registry/v1/jobs/{job['id']}/results"
    report = await partner.network.call("GET", path, partner.key, headers={"Accept": "text/csv"})
    rows = list(csv.reader(io.StringIO(report.text.removeprefix("\ufeff"))))
    assert rows[0][:3] == ["ligne", "numéro", "résultat"]
    assert rows[1][:3] == ["2", "PED-1", "created"]
    assert len(rows) == 1 + 1 + 3 + 1 + 1 + 1
    as_lines = await partner.network.call("GET", path, partner.key, headers={"Accept": NDJSON})
    assert [json.loads(line) for line in as_lines.text.splitlines()] == results


async def test_the_same_file_again_is_unchanged_and_a_dry_run_changes_nothing(partner: Partner) -> None:
    sent = [a_trial("A-1"), a_trial("A-2")]
    tried, foreseen = await partner.push(*sent, dry_run=True)
    assert tried["counts"] == {"created": 2}
    first, results = await partner.push(*sent)
    assert [one["result"] for one in results] == [one["result"] for one in foreseen]
    version = (await partner.trial(results[0]["trial_id"]))["version"]
    again, repeated = await partner.push(table(sent))  # a table says the same as lines
    assert again["counts"] == {"unchanged": 2}
    assert [one["trial_id"] for one in repeated] == [one["trial_id"] for one in results]
    assert (await partner.trial(results[0]["trial_id"]))["version"] == version
    assert first["id"] < again["id"]


async def test_a_faulty_line_affects_only_itself(partner: Partner) -> None:
    _, results = await partner.push(
        a_trial("B-1"),
        b'{"number": "B-2", ',
        b"",
        json.dumps(a_trial("B-3", summary_fr="x" * 1_100_000)).encode(),
        b'{"number": "B-4", "title_fr": "\xff"}',
        b"[" * 10_000,
        a_trial("B-5", title_fr={"fr": "objet"}, keywords="a | b"),
        a_trial("B-6", registry_numbers=["NCT12345678", "nowhere"], countries=["Narnia"]),
    )
    assert [(one["line"], one["result"]) for one in results] == [
        (1, "created"),
        *((line, "invalid") for line in (2, 4, 5, 6)),
        (7, "created"),
        (8, "created"),
    ]
    said = {one["line"]: [(message["column"], message["code"]) for message in one["messages"]] for one in results}
    assert said[2] == [(None, "malformed_json")]
    assert said[4] == [(None, "line_too_long")]
    assert said[7] == [("title_fr", "wrong_type")]
    assert said[8] == [("registry_numbers", "unknown_number"), ("countries", "unknown_country")]


async def test_a_whole_file_that_cannot_be_read_is_refused_at_once(partner: Partner) -> None:
    windows = table([a_trial("C-1")]).encode("cp1252")
    refused = await partner.send(windows, CSV)
    assert (refused.status_code, refused.json()["code"]) == (422, "not_utf8")
    assert (await partner.send(windows, f"{CSV}; charset=windows-1252")).status_code == 202
    for content, media_type, code in (
        (b"titre;statut\nx;y\n", CSV, "no_number_column"),
        (b"", NDJSON, "no_trials"),
        (b"PK\x03\x04 nothing", XLSX, "not_a_spreadsheet"),
        (b'{"number":"x"}\n' * 10_001, NDJSON, "too_many_trials"),
    ):
        answer = await partner.send(content, media_type)
        assert (answer.status_code in {413, 422}, answer.json()["code"]) == (True, code)
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["Numéro", "Titre"])
    book.active.append(["C-2", "=1+1"])
    file = io.BytesIO()
    book.save(file)
    answer = await partner.send(file.getvalue(), XLSX)
    _, (line,) = await partner.ended(answer.json()["id"])
    assert [(message["column"], message["code"]) for message in line["messages"]][:1] == [("Titre", "formula")]


async def test_an_undo_puts_every_record_back(partner: Partner) -> None:
    first, results = await partner.push(a_trial("D-1"), a_trial("D-2"))
    ids = {one["number"]: one["trial_id"] for one in results}
    before = [(await partner.trial(ids["D-1"]), await partner.provenance(ids["D-1"]))]
    changed = a_trial("D-1", status="suspendu", acronym="NEW", registry_numbers=["NCT87654321"])
    second, results = await partner.push(changed, a_trial("D-2"), a_trial("D-3"))
    assert second["counts"] == {"created": 1, "unchanged": 1, "updated": 1}
    new = next(one["trial_id"] for one in results if one["number"] == "D-3")
    undone, lines_ = await partner.undo(second["id"])
    assert (undone["kind"], undone["undoes"], undone["counts"]) == ("undo", second["id"], {"restored": 2})
    assert {one["number"] for one in lines_} == {"D-1", "D-3"}
    after = [(await partner.trial(ids["D-1"]), await partner.provenance(ids["D-1"]))]
    assert without_version(after[0][0]) == without_version(before[0][0])
    assert after[0][1]["items"] == before[0][1]["items"]
    assert (
        await partner.network.call("GET", "/registry/v1/trials/NCT87654321", partner.network.admin)
    ).status_code == 404
    assert (await partner.trial(new))["published"] is False
    again = await partner.network.call("POST", f"/registry/v1/jobs/{second['id']}/undo", partner.key)
    assert again.json()["id"] == undone["id"]
    # Undoing the first push too withdraws what it created; sent once more, the trials are the same ones.
    assert (await partner.undo(first["id"]))[0]["counts"] == {"restored": 2}
    assert (await partner.trial(ids["D-1"]))["published"] is False
    _, results = await partner.push(a_trial("D-1"), a_trial("D-3"))
    assert [one["trial_id"] for one in results] == [ids["D-1"], new]
    assert (await partner.trial(ids["D-1"]))["published"] is True


async def test_an_undo_keeps_what_changed_since(partner: Partner) -> None:
    first, _ = await partner.push(a_trial("E-1"), a_trial("E-2"))
    await partner.push(a_trial("E-1", acronym="LATER"))
    undone, results = await partner.undo(first["id"])
    assert undone["counts"] == {"kept": 1, "restored": 1}
    kept = next(one for one in results if one["result"] == "kept")
    assert (kept["number"], kept["messages"][0]["code"]) == ("E-1", "changed_since")


async def test_a_full_file_marks_what_is_missing_and_deletes_nothing(partner: Partner) -> None:
    _, results = await partner.push(a_trial("F-1"), a_trial("F-2"))
    trial = next(one["trial_id"] for one in results if one["number"] == "F-2")
    job, results = await partner.push(a_trial("F-1"), full=True)
    assert job["counts"] == {"source_missing": 1, "unchanged": 1}
    assert [(one["line"], one["number"]) for one in results] == [(1, "F-1"), (None, "F-2")]
    assert (await partner.trial(trial))["published"] is True
    assert (await partner.push(a_trial("F-1"), full=True))[0]["counts"] == {"unchanged": 1}  # it is marked already
    _, results = await partner.push(a_trial("F-1"), a_trial("F-2"), full=True)
    assert [message["code"] for one in results for message in one["messages"]] == ["seen_again"]
    unread, _ = await partner.push(a_trial("F-1"), b"{", full=True)
    assert (unread["note"], unread["counts"]) == ("full_not_applied", {"invalid": 1, "unchanged": 1})


async def test_jobs_of_one_source_run_in_their_order(partner: Partner) -> None:
    other = await Partner.of(partner.network)
    sent = [
        lines(*(a_trial(f"G-{n}", acronym=f"V{version}", registry_numbers=[f"NCT1111000{n}"]) for n in range(3)))
        for version in range(3)
    ]
    answers = await asyncio.gather(*(partner.send(one) for one in sent), other.send(sent[0]))
    ids = [answer.json()["id"] for answer in answers]
    states = [await partner.ended(job) for job in ids[:3]]
    assert [job["state"] for job, _ in states] == ["done"] * 3
    last = max(ids[:3])
    wanted = f"V{ids.index(last)}"
    trials = [await partner.trial(one["trial_id"]) for one in states[0][1] if one["trial_id"]]
    # The other network has the same trials: whichever came second is a possible duplicate, and changes nothing.
    theirs, found = await other.ended(ids[3])
    mine = [one["result"] for _, results in states for one in results]
    created = [one["result"] for one in found].count("created") + mine.count("created")
    assert (theirs["state"], created) == ("done", 3)
    assert {trial["acronym"] for trial in trials if trial["origin"]["source"] == partner.source} <= {wanted}


async def test_the_same_file_that_waits_is_the_same_job(partner: Partner) -> None:
    content = lines(*(a_trial(f"H-{n}") for n in range(40)))
    answers = await asyncio.gather(*(partner.send(content) for _ in range(3)))
    assert len({answer.json()["id"] for answer in answers}) == 1
    job = answers[0].json()["id"]
    stopped = await partner.network.call("POST", f"/registry/v1/jobs/{job}/cancel", partner.key)
    assert stopped.status_code == 200
    ended, results = await partner.ended(job)
    assert (ended["state"] == "cancelled", len(results)) == (ended["done"] < 40, ended["done"])


async def test_a_network_sends_and_sees_its_own_source_only(partner: Partner) -> None:
    other = await Partner.of(partner.network)
    job, _ = await partner.push(a_trial("I-1"))
    assert (await partner.send(lines(a_trial("I-1")), key=other.key)).status_code == 403
    for path in ("", "/results", "/cancel", "/undo"):
        method = "POST" if path in {"/cancel", "/undo"} else "GET"
        answer = await partner.network.call(method, f"/registry/v1/jobs/{job['id']}{path}", other.key)
        assert answer.status_code == 404
    assert (await partner.network.call("GET", "/registry/v1/jobs", other.key)).json()["items"] == []
    (mine,) = (await partner.network.call("GET", "/registry/v1/jobs", partner.key)).json()["items"]
    assert mine == job
    ctgov = await partner.network.call(
        "PUT", "/registry/v1/sources/ctgov/trials", partner.key, content=b"{}", headers={"Content-Type": NDJSON}
    )
    assert ctgov.status_code == 403
    by_coordination = await partner.send(lines(a_trial("I-1")), key=partner.network.admin)
    assert by_coordination.status_code == 202
    nobody = Partner(partner.network, "no-such-network", partner.network.admin)
    assert (await nobody.send(lines(a_trial("I-1")))).status_code == 404


async def test_a_possible_duplicate_leaves_the_queue_when_its_push_is_undone(partner: Partner) -> None:
    other, admin = await Partner.of(partner.network), partner.network.admin
    await partner.push(a_trial("M-1", registry_numbers=["NCT22220001"]))
    job, (line,) = await other.push(a_trial("M-2", registry_numbers=["NCT22220001"]))
    assert (line["result"], line["messages"][0]["column"]) == ("possible_duplicate", "registry_numbers")

    async def waiting() -> list[dict[str, Any]]:
        query = {"kind": "possible_duplicate", "source": other.source}
        found: list[dict[str, Any]] = (
            await partner.network.call("GET", "/registry/v1/reviews", admin, params=query)
        ).json()["items"]
        return found

    assert len(await waiting()) == 1
    assert (await other.undo(job["id"]))[0]["counts"] == {"restored": 1}
    assert await waiting() == []


def without_version(trial: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in trial.items() if name not in {"version", "updated_at"}}
