"""Import of the other registers: every real record is reported, and records with the same numbers make one trial."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.cli.record_files import find_files, read_records
from services.registry.sources.registers.isrctn import IsrctnReader
from tests.conftest import ADMIN, client_of
from tests.contract.registry import running_registry
from tests.contract.test_registry import now
from tests.contract.test_sources import study
from tests.unit.registry.sources.registers.corpus import real_records

pytestmark = pytest.mark.anyio

NDJSON = {"Content-Type": "application/x-ndjson"}
EUCT, NCT, EUDRACT, ISRCTN = "2026-500001-11-00", "NCT90000001", "2019-000001-11", "ISRCTN90000001"
CTIS = {
    "ctNumber": EUCT,
    "ctPublicStatusCode": 4,
    "trialCountries": ["France:4"],
    "lastUpdated": "03/05/2026",
    "authorizedApplication": {
        "eudraCt": {"eudraCtCode": EUDRACT},
        "authorizedPartI": {
            "trialDetails": {
                "clinicalTrialIdentifiers": {
                    "fullTitle": "AAV9 gene therapy for Duchenne muscular dystrophy",
                    "secondaryIdentifyingNumbers": {"nctNumber": {"number": NCT}},
                }
            },
        },
    },
}
ECLAIRE = {
    "resourceType": "ResearchStudy",
    "id": EUCT,
    "identifier": [{"use": "official", "value": EUCT}],
    "title": "Thérapie génique de la dystrophie musculaire de Duchenne par un vecteur AAV9",
}


def euctr(country: str) -> dict[str, Any]:
    title = "AAV9 gene therapy for Duchenne muscular dystrophy"
    return {"a1_state": f"{country} - authority", "a2_number": EUDRACT, "a3_title": title}


def isrctn(number: str = ISRCTN) -> dict[str, Any]:
    title = "AAV9 gene therapy for Duchenne muscular dystrophy"
    return {
        "isrctn": number,
        "trialDescription": {"title": title},
        "externalRefs": {"clinicalTrialsGovNumber": NCT},
    }


# How many records of each source became what, and in which scope.
BECAME = {
    "ctgov": {"invalid": 3, "refused out_of_scope": 5},  # the invalid ones have the form before version 2
    "ctis": {"quarantined scope_unclear": 1, "refused out_of_scope": 2},
    "euctr": {
        "created in_scope": 1,
        "created scope_unclear": 1,
        "quarantined scope_unclear": 18,
        "refused out_of_scope": 81,
    },
    "isrctn": {"quarantined scope_unclear": 1, "refused out_of_scope": 8},
    "eclaire": {"created in_scope": 1, "quarantined scope_unclear": 9, "refused out_of_scope": 10},
}


@pytest.fixture
async def admin(stocked_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with running_registry(stocked_url) as app, client_of(app, token=ADMIN) as client:
        yield client


async def send(admin: httpx.AsyncClient, source: str, *records: Any) -> list[dict[str, Any]]:
    lines = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in records]
    answer = await admin.put(f"/registry/v1/sources/{source}/trials", content=b"\n".join(lines), headers=NDJSON)
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def lines_of(folder: Path, source: str) -> list[bytes]:
    """Return the real records of a source as `cleio import` sends them; of ECLAIRE also those inside its own tests."""
    if source == "eclaire":
        return [json.dumps(one).encode() for one in real_records(folder, source)]
    files = [one for one in find_files([folder / "registries"], source) if one.name.startswith(source.upper())]
    files += [folder / "registries/eudract_uk_covid_97.json.gz"] if source == "euctr" else []
    return [one.line for file in files for one in read_records(file, source, lambda _: None)]


@pytest.mark.real_data
@pytest.mark.parametrize("source", BECAME)
async def test_every_real_record_is_reported_and_the_second_time_writes_nothing(
    admin: httpx.AsyncClient, real_data: Path, source: str, figure: Callable[[str, object], None]
) -> None:
    lines = lines_of(real_data, source)
    results = await send(admin, source, *lines)
    assert len(results) == len(lines)
    became = Counter(f"{one['result']} {one['scope'] or ''}".strip() for one in results)
    figure(f"import of registries, {source}", dict(sorted(became.items())))
    assert all(one["errors"] for one in results if one["result"] in {"refused", "invalid"})
    assert all(one["reasons"] for one in results if one["scope"] == "scope_unclear")
    following = await now(admin)
    again = await send(admin, source, *lines)
    repeated = {"refused", "invalid", "unchanged", "older", "possible_duplicate", "quarantined"}
    assert {one["result"] for one in again} <= repeated
    assert await now(admin) == following
    assert became == BECAME[source]


async def test_records_of_all_registers_with_the_same_numbers_make_one_trial(admin: httpx.AsyncClient) -> None:
    sent = [
        ("ctis", CTIS), ("ctgov", study(NCT)), ("euctr", euctr("FR")), ("euctr", euctr("BE")), ("isrctn", isrctn()),
        ("eclaire", ECLAIRE),
    ]  # fmt: skip
    results = [(await send(admin, source, record))[0] for source, record in sent]
    # The first record of EUCTR says nothing new.
    assert [one["result"] for one in results] == ["created", "updated", "unchanged", *["updated"] * 3]
    assert {one["trial"] for one in results} == {EUCT}
    assert len({one["trial_id"] for one in results}) == 1
    trial = (await admin.get(f"/registry/v1/trials/{ISRCTN}")).json()
    assert {one["value"] for one in trial["identifiers"]} == {EUCT, NCT, EUDRACT, ISRCTN}
    assert (sorted(trial["countries"]), trial["status"]) == (["BE", "FR"], "recruiting")
    origins = (await admin.get(f"/registry/v1/trials/{NCT}/provenance")).json()["items"]
    found = {(one["path"], one["source"]) for one in origins}
    assert {source for path, source in found if path == "identifiers"} == {source for source, _ in sent}
    assert {("status", "ctis"), ("eligibility", "ctgov"), ("titles.fr", "eclaire"), ("countries", "euctr")} <= found
    following = await now(admin)
    assert [(await send(admin, source, record))[0]["result"] for source, record in sent] == ["unchanged"] * 6
    assert await now(admin) == following


async def test_two_records_of_one_register_are_never_joined_by_a_number(admin: httpx.AsyncClient) -> None:
    first, second = await send(admin, "isrctn", isrctn(), isrctn("ISRCTN90000002"))
    assert (first["result"], second["result"]) == ("created", "possible_duplicate")
    assert second["trial_id"] == first["trial_id"]
    assert [one["code"] for one in second["reasons"]] == ["shared_number"]


async def test_a_record_at_which_its_reader_fails_stops_no_other(
    admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = IsrctnReader.read

    def failing(self: IsrctnReader, record: Any, *rest: Any) -> Any:
        return read(self, record, *rest) if record["isrctn"] == ISRCTN else {}["nothing"]

    monkeypatch.setattr(IsrctnReader, "read", failing)
    first, second = await send(admin, "isrctn", isrctn("ISRCTN90000002"), isrctn())
    assert (first["result"], [one["code"] for one in first["errors"]]) == ("invalid", ["unreadable_record"])
    assert second["result"] == "created"


async def test_a_record_of_another_register_is_invalid(admin: httpx.AsyncClient) -> None:
    (line,) = await send(admin, "ctis", study())
    assert (line["result"], line["errors"][0]["pointer"]) == ("invalid", "/ctNumber")
    answer = await admin.put("/registry/v1/sources/partner/trials", content=b"{}", headers=NDJSON)
    assert answer.status_code == 404


async def test_a_french_place_after_a_thousand_others_is_not_lost(admin: httpx.AsyncClient) -> None:
    places = [
        {"facility": f"Hospital {number}", "city": "Boston", "country": "United States"} for number in range(1001)
    ]
    necker = {"facility": "Hôpital Necker", "city": "Paris", "country": "France", "status": "RECRUITING"}
    (line,) = await send(admin, "ctgov", study(contactsLocationsModule={"locations": [*places, necker]}))
    assert [one["code"] for one in line["errors"]] == ["too_many"]
    trial = (await admin.get("/registry/v1/trials/NCT90000001")).json()
    assert (len(trial["locations"]), trial["locations"][0]["facility"]) == (1000, "Hôpital Necker")
    assert trial["countries"] == ["US", "FR"]


@pytest.mark.parametrize("country", ["Réunion", "Martinique", "Guadeloupe", "French Guiana", "Mayotte"])
async def test_overseas_departements_are_part_of_france(admin: httpx.AsyncClient, country: str) -> None:
    place = {"facility": "CHU", "city": "Saint-Denis", "country": country, "status": "RECRUITING"}
    await send(admin, "ctgov", study(contactsLocationsModule={"locations": [place]}))
    answer = await admin.get("/registry/v1/trials", params={"country": "FR", "limit": 200})
    (found,) = [one for one in answer.json()["items"] if one["identifier"] == "NCT90000001"]
    assert found["countries"] == ["FR"]
