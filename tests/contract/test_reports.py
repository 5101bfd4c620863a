"""Reports over HTTP: from referrals and feasibility to medians, plots and ranges."""

import csv
import io
from datetime import date, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest

from services.registry.model.working_days import working_days
from tests.conftest import client_of, token_of
from tests.contract.test_activation import CTIS, DECLARED, GMO, PATH, SITE, put
from tests.contract.test_capabilities import NEW
from tests.contract.test_fit import AAV, TRIAL, owned
from tests.contract.test_referrals import CENTRE, NUMBER, TODAY, Parties, parties

__all__ = ["parties"]
pytestmark = pytest.mark.anyio

REPORT = "/registry/v1/reports/kpi"
COUNTS = "/registry/v1/reports/referral-counts"
WALK = ("accepted", "contacted", "pre_screened", "consented", "screening")


async def test_the_report_counts_every_referral(parties: Parties) -> None:
    """Three referrals: one fails screening, one is included, one still waits for its answer."""
    failed, included = [(await parties.send())["reference"] for _ in range(2)]
    await parties.send()
    await parties.walk(failed, *WALK, "screen_failure")
    await parties.walk(included, *WALK, "included")
    report = (await parties.admin.get(REPORT, params={"view": "network"})).json()
    found = {one["step"]: one for one in report["measures"] if one["group"] == "all"}
    assert {name: found["answer"][name] for name in ("cases", "ended", "open", "median")} == {
        "cases": 3, "ended": 2, "open": 1, "median": 0,
    }  # fmt: skip
    assert (found["inclusion"]["ended"], found["inclusion"]["otherwise"], found["inclusion"]["open"]) == (1, 1, 1)
    counts = {(one["code"], one["group"]): one["count"] for one in report["counts"]}
    assert counts["screening", "consented"] == 2
    assert counts["screening", "screen_failure"] == 1
    own = (await parties.centre.get(REPORT)).json()
    assert (own["view"], own["centre"]) == ("centre", CENTRE)
    assert [one for one in own["measures"] if one["section"] == "access"] == [
        one for one in report["measures"] if one["section"] == "access"
    ]


async def test_reports_are_csv_and_plots_are_pictures_with_their_data(parties: Parties) -> None:
    reference = (await parties.send())["reference"]
    await parties.walk(reference, "accepted")
    text = (await parties.admin.get(REPORT, headers={"Accept": "text/csv"})).text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {"first_answer", "answer", "dosing", "screening"} <= {row["step"] for row in rows}
    for plot in ("access", "access_in_vivo", "institutions"):
        answer = await parties.admin.get(f"{REPORT}/plots/{plot}", headers={"Accept-Language": "fr"})
        assert answer.headers["content-type"].startswith("image/svg+xml")
        picture = ET.fromstring(answer.text)
        assert picture.attrib["role"] == "img"
    points = await parties.admin.get(f"{REPORT}/plots/access", headers={"Accept": "text/csv"})
    assert "answer,all,days,0,1.0,1" in points.text.splitlines()


async def test_small_counts_are_hidden_and_the_report_stands_still(parties: Parties) -> None:
    """An authority reads a year until the end of the past month: what happened today changes nothing."""
    await parties.send()
    async with client_of(parties.app, token=token_of("authority", "auditor", organisation="ansm")) as authority:
        refused = await authority.get(REPORT)
        assert (refused.status_code, refused.json()["code"]) == (400, "year_needed")
        report = (await authority.get(REPORT, params={"year": TODAY.year})).json()
        assert report["suppressed"]
        assert report["today"] == (TODAY.replace(day=1) - timedelta(days=1)).isoformat()
        assert {one["cases"] for one in report["measures"]} == {0}


async def test_a_sponsor_gets_a_range_of_its_own_trials_and_so_many_questions(parties: Parties) -> None:
    given = {"owner": "acme", "reason": "its trial"}
    await parties.admin.put(
        "/registry/v1/organisations/acme", json={"kind": "sponsor", "name": "Acme"}, headers={"If-None-Match": "*"}
    )
    answer = await parties.post(parties.admin, f"/registry/v1/trials/{NUMBER}/owner", given)
    assert answer.status_code == 200, answer.text
    parties.app.state.report_questions = 2
    async with client_of(parties.app, token=token_of("sponsor", "editor", organisation="acme")) as sponsor:
        first = (await sponsor.get(COUNTS, params={"trial": NUMBER})).json()
        assert (first["count"], first["questions_left"]) == ("<11", 1)
        assert (await sponsor.get(COUNTS, params={"trial": NUMBER})).json() == first
        assert (await sponsor.get(COUNTS, params={"trial": NUMBER, "stage": "dosing"})).status_code == 200
        refused = await sponsor.get(COUNTS, params={"trial": NUMBER, "stage": "consent"})
        assert (refused.status_code, refused.json()["code"]) == (429, "no_more_questions")
        assert (await sponsor.get(COUNTS, params={"trial": NUMBER})).json()["count"] == first["count"]
    async with client_of(parties.app, token=token_of("sponsor", "editor", organisation="other")) as other:
        assert (await other.get(COUNTS, params={"trial": NUMBER})).status_code == 404


async def counts_of(reader: httpx.AsyncClient, **query: Any) -> dict[str, int | None]:
    report = (await reader.get(REPORT, params=query)).json()
    return {f"{one['code']} {one['group']}": one["count"] for one in report["counts"]}


async def test_the_opening_of_a_site_is_measured_from_the_authorisation_to_the_first_patient(parties: Parties) -> None:
    """Authorised on Monday 2 March, green light on Friday 10 April: 28 working days, without Easter Monday."""
    await owned(parties.admin, {**AAV, **CTIS})
    await put(parties.admin, GMO, {**DECLARED, "sites": [CENTRE]})
    await put(parties.admin, f"{PATH}/lriph", {"state": "not_required"})
    await put(parties.admin, f"{PATH}/decision", {"state": "done", "on": "2026-03-02", "reference": "CTIS"})
    listed = (await parties.admin.get(SITE)).json()["items"]
    for item in [one["item"] for one in listed if one["required"] and one["item"] != "green_light"]:
        await put(parties.admin, f"{SITE}/{item}", {"done_on": "2026-03-09"})
    await put(parties.admin, f"{SITE}/green_light", {"done_on": "2026-04-10"})
    # Another site of the trial is not open yet.
    await put(parties.admin, f"{TRIAL}/sites/fr-necker/checklist/pharmacy", {})
    trial = (await parties.admin.get(TRIAL)).json()["id"]

    async def opening(**query: Any) -> dict[str, tuple[int, int, int | None]]:
        found = (await parties.admin.get(REPORT, params=query)).json()["measures"]
        return {
            one["step"]: (one["cases"], one["ended"], one["median"]) for one in found if one["section"] == "opening"
        }

    before = await opening()
    assert (before["green_light"], before["pharmacy"]) == ((2, 1, 28), (2, 1, 5))
    assert (before["first_consent"], before["first_inclusion"]) == ((1, 0, None), (1, 0, None))
    reference = (await parties.send(trial=trial))["reference"]
    await parties.walk(reference, *WALK, "included")
    after = await opening(view="centre", centre=CENTRE, year=2026)
    days = working_days(date(2026, 4, 10), TODAY)
    assert (after["green_light"], after["first_consent"], after["first_inclusion"]) == (
        (1, 1, 28),
        (1, 1, days),
        (1, 1, days),
    )
    assert {one[0] for one in (await opening(year=2025)).values()} == {0}
    picture = (await parties.admin.get(f"{REPORT}/plots/opening", headers={"Accept": "text/csv"})).text
    assert f"first_inclusion,all,working_days,{days},1.0,1" in picture.splitlines()


async def test_places_waits_and_coverage_are_counted(parties: Parties) -> None:
    """Two places: one patient is dosed, one has a place, one died waiting, one waits and was sent too late."""
    start = await counts_of(parties.admin)
    path = f"/registry/v1/trials/{NUMBER}/sites/{CENTRE}/enrolment/all"
    assert (await parties.admin.put(path, json={"offered": 3}, headers=NEW)).status_code == 201
    free = await counts_of(parties.admin)
    assert free["coverage trials_with_place"] == start["coverage trials_with_place"] + 1  # type: ignore[operator]
    past = f"{TODAY.replace(day=1) - timedelta(days=1):%Y-%m}"
    references = [(await parties.send(place=True))["reference"] for _ in range(4)]
    late = await parties.send(place=True, refer_before=past)
    dosed, included, _, died = references
    await parties.send(refer_before=f"{TODAY:%Y-%m}")
    await parties.walk(dosed, *WALK, "included", "dosed")
    await parties.walk(included, *WALK, "included")
    assert (await parties.step(parties.hospital, died, "died")).status_code == 200
    found = await counts_of(parties.admin)
    assert late["place"]["state"] == "waiting"
    assert {name.split()[1]: count for name, count in found.items() if name.startswith("places ")} == {
        "dosed": 1, "included": 1, "held": 1, "decision_due": 0, "waiting": 1, "expired": 0, "given_back": 1,
    }  # fmt: skip
    assert [found[f"waiting {one}"] for one in ("waited", "died", "aged_out")] == [2, 1, 1]
    assert [found[f"referred {one}"] for one in ("in_time", "too_late")] == [1, 1]
    assert (found["coverage trials_with_place"], found["coverage trials_recruiting"]) == (
        start["coverage trials_with_place"],
        start["coverage trials_recruiting"],
    )
    assert found["offered places"] == 3
    # Small counts are hidden; what is offered is public.
    shown = await counts_of(parties.admin, view="fcrin", year=TODAY.year)
    assert (shown["offered places"], shown["places dosed"]) == (3, 0)
    assert (await counts_of(parties.admin, year=TODAY.year - 1))["places dosed"] == 0
