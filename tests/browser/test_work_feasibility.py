"""A centre answers a questionnaire; the coordination reads the answers side by side."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.signing_in import sign_in
from tests.browser.studies import caller, send_questionnaire
from tests.e2e.conftest import System


def test_a_centre_saves_answers_and_the_page_names_what_is_missing(
    site: System, new_page: Callable[[], Page], check: Callable[[Page], None]
) -> None:
    sponsor, coordination, centre = new_page(), new_page(), new_page()
    sign_in(site, sponsor, "sponsor")
    sign_in(site, coordination, "coordination")
    dossier = send_questionnaire(
        caller(site, "demo-sponsor"), caller(site, "demo-coordination"), "fr-strasbourg", "670780055"
    )
    sign_in(site, centre, "centre-strasbourg")
    centre.goto(f"{site.url}/workspace/feasibility")
    check(centre)
    centre.get_by_role("row").filter(has_text=dossier).get_by_role("link").first.click()
    centre.locator('[name="q/investigator/"]').select_option("yes")
    centre.get_by_role("button", name="Enregistrer les réponses").click()
    expect(centre.get_by_text("C'est enregistré")).to_be_visible()
    expect(centre.locator('[name="q/investigator/"]')).to_have_value("yes")
    check(centre)
    # What is missing is named when the answers are sent too early.
    centre.get_by_text("Envoyer les réponses", exact=True).click()
    centre.get_by_role("button", name="Enregistrer : Envoyer les réponses").click()
    expect(centre.get_by_role("alert")).to_be_visible()

    coordination.goto(f"{site.url}/workspace/feasibility/{dossier}")
    expect(coordination.get_by_text("Centres interrogés : 1")).to_be_visible()
    check(coordination)


def test_the_coordination_reads_which_centres_can_give_a_product(
    site: System, page: Page, check: Callable[[Page], None]
) -> None:
    sign_in(site, page, "coordination")
    page.goto(f"{site.url}/workspace/fit?trial=CLEIO-DEMO-0004")
    expect(page.get_by_role("table")).to_contain_text("Hautepierre")
    check(page)
