"""The page of a trial and its history."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from services.portal.pages.language import in_language
from tests.e2e.conftest import System

Check = Callable[[Page], None]


def test_a_family_reads_a_trial_and_finds_the_nearest_site(site: System, page: Page, check: Check) -> None:
    page.goto(f"{site.url}/trials/CL1000000001")  # any number leads to the present address
    expect(page).to_have_url(f"{site.url}/trials/CLEIO-DEMO-0001")
    expect(page.get_by_text("Cet essai est fictif")).to_be_visible()
    expect(page.get_by_text("Personnes des deux sexes, de 12 à 45 ans.")).to_be_visible()
    expect(page.get_by_text("15 ans après le traitement, 18 visites de suivi")).to_be_visible()
    expect(page.get_by_text("14 visites au centre la première année")).to_be_visible()
    expect(page.get_by_text("Payés ou remboursés : les trajets et l'hébergement près du centre")).to_be_visible()
    assert page.locator("script[type='application/ld+json']").count() == 0
    page.get_by_text("ALAT inférieures à 3 fois la LSN").click()
    expect(page.get_by_text("Ce qui est vérifié", exact=False).locator("visible=true")).to_contain_text("< 3 fois")
    check(page)
    page.get_by_label("Le plus proche de chez vous").fill("fr-lyon")
    page.get_by_role("button", name="Classer").click()
    nearest = page.locator(".sites > li").first
    expect(nearest).to_contain_text("AP-HM")
    expect(nearest).to_contain_text("Recrutement ouvert")
    expect(nearest).to_contain_text(" km")
    check(page)


def test_a_stopped_trial_says_why_and_shows_its_dates(site: System, page: Page, check: Check) -> None:
    page.goto(f"{site.url}/en/trials/NCT01512888")
    expect(page.get_by_text("Why the trial is suspended")).to_be_visible()
    picture = page.get_by_role("img", name="Timeline of the dates of the trial")
    expect(picture).to_contain_text("17 August 2016")
    expect(page.get_by_role("row", name="End of the trial 31 August 2034")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download these dates").click()
    assert "End of the trial,2034-08-31,not stated" in Path(download.value.path()).read_text(encoding="utf-8")
    page.get_by_text("Where do these texts come from?").click()
    expect(page.get_by_text("Sample data of CLEIO").first).to_be_visible()
    assert '"@type":"MedicalTrial"' in (page.locator("script[type='application/ld+json']").text_content() or "")
    check(page)


def test_the_history_says_what_a_version_changed(site: System, page: Page, check: Check) -> None:
    trial = f"{site.url}/registry/v1/trials/CLEIO-DEMO-0006"
    headers = {"Authorization": f"Bearer {site.admin_key}", "Content-Type": "application/merge-patch+json"}
    before = page.request.get(trial)
    patch = {"phase": "phase-2"} if before.json()["phase"] != "phase-2" else {"phase": "phase-3"}
    answer = page.request.patch(trial, data=patch, headers={**headers, "If-Match": before.headers["etag"]})
    assert answer.ok, answer.text()
    page.goto(f"{site.url}/trials/CLEIO-DEMO-0006/history")
    expect(page.get_by_role("row", name="Phase")).to_contain_text(f"Phase {patch['phase'][-1]}")
    check(page)
    page.get_by_role("link", name="Version 1").click()
    expect(page.get_by_text("C'est la première version publiée.")).to_be_visible()
    expect(page.locator("#changes")).to_be_focused()


@pytest.mark.full
@pytest.mark.parametrize("path", ["/trials/CLEIO-DEMO-0002", "/trials/NCT02558543", "/trials/NCT03370913/history"])
def test_in_each_language_and_width(
    site: System, page: Page, check: Check, language: str, width: int, path: str
) -> None:
    page.goto(site.url + in_language(path, language))  # type: ignore[arg-type]
    check(page)
