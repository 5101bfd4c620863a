"""A centre answers a referral; the hospital reads the answer and where the file goes."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.signing_in import sign_in
from tests.browser.studies import caller, send_referral
from tests.e2e.conftest import System

TRIAL = "CLEIO-DEMO-0004"
CENTRE = "fr-strasbourg"


def test_a_centre_answers_a_referral_and_the_hospital_reads_the_answer(
    site: System, new_page: Callable[[], Page], check: Callable[[Page], None]
) -> None:
    hospital, centre = new_page(), new_page()
    sign_in(site, hospital, "clinician")
    reference = send_referral(caller(site, "demo-hospital"), TRIAL, CENTRE)

    sign_in(site, centre, "centre-strasbourg")
    centre.goto(f"{site.url}/workspace/referrals")
    check(centre)
    centre.get_by_role("link", name=reference).click()
    centre.get_by_text("Demander des pièces", exact=True).click()
    centre.get_by_label("compte rendu de génétique").check()
    check(centre)
    centre.get_by_role("button", name="Enregistrer : Demander des pièces").click()
    expect(centre.get_by_text("C'est enregistré")).to_be_visible()

    hospital.goto(f"{site.url}/workspace/referrals/{reference}")
    expect(hospital.get_by_text("Pièces demandées").first).to_be_visible()
    expect(hospital.get_by_role("list").filter(has_text="Envoyée")).to_contain_text("compte rendu de génétique")
    expect(hospital.get_by_role("heading", name="Identité et dossier du patient")).to_be_visible()
    check(hospital)
    hospital.get_by_text("Pièces envoyées", exact=True).click()
    # The day of a step cannot be before the step before it: the page says so and keeps what was typed.
    day = hospital.get_by_label("Fait le").locator("visible=true")
    day.fill("2020-01-01")
    hospital.get_by_role("button", name="Enregistrer : Pièces envoyées").click()
    expect(hospital.get_by_role("alert")).to_be_visible()
    expect(day).to_have_value("2020-01-01")
