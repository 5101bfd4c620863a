"""A person of the coordination decides on the scope of a trial, with a reason, and undoes it."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.signing_in import sign_in
from tests.browser.studies import caller
from tests.contract.test_registry import a_trial
from tests.e2e.conftest import System

NUMBER = "NCT90000091"


def test_the_coordination_decides_on_the_scope_of_a_trial_and_undoes_it(
    site: System, page: Page, check: Callable[[Page], None]
) -> None:
    sign_in(site, page, "coordination")
    trial = a_trial(NUMBER, conditions=[{"text": "Langerhans Cell Histiocytosis"}])
    caller(site, "demo-coordination").send("PUT", f"/trials/{NUMBER}", trial, **{"If-None-Match": "*"})
    page.goto(f"{site.url}/workspace/reviews?kind=scope&q={NUMBER}")
    check(page)
    page.get_by_role("row").filter(has_text=NUMBER).get_by_role("link").click()
    page.get_by_role("button", name="M'en charger").click()
    expect(page.get_by_text("C'est à vous")).to_be_visible()
    page.get_by_label("Ne relève pas du réseau").check()
    page.get_by_label("Raison").fill("Une maladie que le réseau ne traite pas.")
    check(page)
    page.get_by_role("button", name="Décider").click()
    expect(page.get_by_text("« Une maladie que le réseau ne traite pas. »")).to_be_visible()
    page.get_by_role("button", name="Annuler la dernière décision").click()
    expect(page.get_by_text("annulée le")).to_be_visible()
    check(page)
