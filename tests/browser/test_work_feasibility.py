"""A centre answers a questionnaire; the coordination reads the answers side by side and records an agreement."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.signing_in import sign_in
from tests.browser.studies import caller, send_answers, send_questionnaire
from tests.e2e.conftest import System


def test_a_centre_saves_answers_and_the_page_names_what_is_missing(
    site: System, new_page: Callable[[], Page], check: Callable[[Page], None]
) -> None:
    sponsor, coordination, centre = new_page(), new_page(), new_page()
    sign_in(site, sponsor, "sponsor")
    sign_in(site, coordination, "coordination")
    program = caller(site, "demo-coordination")
    dossier = send_questionnaire(caller(site, "demo-sponsor"), program, "fr-strasbourg", "670780055")
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
    expect(centre.get_by_role("alert")).to_contain_text("Le centre peut-il mener l'étude ?")
    centre.get_by_role("link", name="Durée de recrutement nécessaire").click()
    expect(centre.locator(".field-wrong", has_text="Durée de recrutement nécessaire")).to_be_in_viewport()
    check(centre)

    send_answers(program, dossier, "fr-strasbourg", named=True)
    coordination.goto(f"{site.url}/workspace/feasibility/{dossier}")
    expect(coordination.get_by_text("Centres interrogés : 1")).to_be_visible()
    expect(coordination.get_by_role("row", name="Durée de recrutement nécessaire")).to_contain_text("7 mois")
    check(coordination)
    coordination.get_by_role("columnheader", name="Hautepierre").get_by_role("link").click()
    coordination.get_by_text("Corriger ou renouveler l'accord").click()
    coordination.get_by_label("Référence du document").fill("CDA-18")
    coordination.get_by_role("button", name="Enregistrer l'accord").click()
    expect(coordination.get_by_role("region", name="Accord de confidentialité")).to_contain_text("CDA-18")
    check(coordination)


def test_the_coordination_reads_which_centres_can_give_a_product(
    site: System, page: Page, check: Callable[[Page], None]
) -> None:
    sign_in(site, page, "coordination")
    page.goto(f"{site.url}/workspace/fit?trial=CLEIO-DEMO-0004")
    expect(page.get_by_role("table")).to_contain_text("Hautepierre")
    check(page)
