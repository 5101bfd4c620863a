"""Reports over HTTP: from referrals and feasibility to medians, plots and ranges."""

import csv
import io
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest

from tests.conftest import client_of, token_of
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
