"""A centre looks at what waits and confirms a site in one click."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.signing_in import sign_in
from tests.e2e.conftest import System

TRIAL = "CLEIO-DEMO-0004"
CENTRE = "fr-strasbourg"


def test_a_centre_confirms_a_site_in_one_click_and_changes_its_places(
    site: System, page: Page, check: Callable[[Page], None]
) -> None:
    sign_in(site, page, "centre-strasbourg")
    page.goto(f"{site.url}/workspace")
    expect(page.get_by_role("heading", level=1)).to_have_text("À faire")
    check(page)
    page.get_by_role("navigation", name="Espace de travail").get_by_role("link", name="Sites à confirmer").click()
    before = _site(site)
    check(page)
    page.get_by_role("button", name=f"Toujours vrai aujourd'hui : {TRIAL}").click()
    expect(page.get_by_text("Confirmés aujourd'hui :")).to_contain_text(TRIAL)
    confirmed = _site(site)
    assert confirmed["confirmed_at"] > before["confirmed_at"]
    assert (confirmed["status"], confirmed["slots"]) == (before["status"], before["slots"])
    page.get_by_role("button", name="Tout est encore vrai").click()
    expect(page.get_by_text("Confirmés aujourd'hui :")).to_contain_text("CLEIO-DEMO-0001")
    assert _site(site)["confirmed_at"] > confirmed["confirmed_at"]
    check(page)
    page.get_by_role("button", name="Annuler").click()
    expect(page.get_by_text("La confirmation est annulée")).to_be_visible()
    assert _site(site)["confirmed_at"] == confirmed["confirmed_at"]

    card = page.get_by_role("listitem").filter(has=page.get_by_role("heading")).filter(has_text=TRIAL)
    card.get_by_text("Changer le statut ou les places").click()
    card.get_by_label("Statut").select_option("suspended")
    card.get_by_label("Places, cohorte").first.fill("")
    card.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_text("C'est enregistré")).to_be_visible()
    assert _site(site)["status"] == "suspended"
    expect(card.get_by_label("Places, cohorte").first).to_have_value("")


def test_a_refused_page_says_which_right_is_missing(site: System, page: Page, check: Callable[[Page], None]) -> None:
    sign_in(site, page, "centre-strasbourg")
    answer = page.goto(f"{site.url}/workspace/reviews")
    assert answer is not None
    assert answer.status == 403
    expect(page.get_by_role("main")).to_contain_text("le droit de lire la file de relecture")
    expect(page.get_by_role("main")).to_contain_text("organisations de ce type : coordination")
    check(page)
    mistyped = page.goto(f"{site.url}/workspace/referrals/REF-0")
    assert mistyped is not None
    assert mistyped.status == 404


def test_a_workspace_is_for_people_who_have_signed_in(site: System, page: Page, check: Callable[[Page], None]) -> None:
    answer = page.goto(f"{site.url}/workspace/sites")
    assert answer is not None
    assert answer.status == 401
    page.get_by_role("main").get_by_role("link", name="Se connecter").click()
    expect(page).to_have_url(f"{site.url}/sign-in?back=%2Fworkspace%2Fsites")
    check(page)


def _site(site: System) -> dict[str, Any]:
    with site.client() as client:
        listed = client.get(f"/registry/v1/trials/{TRIAL}/sites").json()["items"]
    return next(one for one in listed if one["centre"] == CENTRE)
