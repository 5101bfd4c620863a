"""A clinician looks for trials of a patient; nothing of the patient stays anywhere."""

import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from services.portal.pages.language import in_language
from tests.browser.signing_in import sign_in
from tests.e2e.conftest import System

Check = Callable[[Page], None]
# A Bundle whose values are found nowhere else.
NAME, BIRTH, CODE = "Canarius-Testwell", "2013-02-27", "canary-code-48151623"
BUNDLE = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {
            "resource": {
                "resourceType": "Patient",
                "gender": "female",
                "birthDate": BIRTH,
                "name": [{"family": NAME}],
                "address": [{"postalCode": "93200"}],
            }
        },
        {
            "resource": {
                "resourceType": "Condition",
                "clinicalStatus": {"coding": [{"code": "active"}]},
                "verificationStatus": {"coding": [{"code": "confirmed"}]},
                "code": {"coding": [{"system": "http://www.orpha.net", "code": "232"}, {"code": CODE}]},
                "note": [{"text": f"Vue avec {NAME}"}],
            }
        },
    ],
}


def test_a_clinician_goes_from_a_record_to_trials_questions_and_a_summary(
    site: System, page: Page, check: Check
) -> None:
    page.goto(f"{site.url}/match")
    check(page)
    page.get_by_role("button", name="Fille, drépanocytose").click()
    results = page.locator(".results")
    expect(results.get_by_role("heading", level=2)).to_have_text("3 essais possibles, maintenant ou plus tard")
    first = page.locator(".trials > li").first
    expect(first).to_contain_text("Possible jusqu'au 20 août 2027 · adresser avant le 19 février 2027")
    expect(first).to_contain_text("AP-HP – Hôpital Necker-Enfants malades")
    expect(first).to_contain_text("12 km à vol d'oiseau")
    first.get_by_text("Critères un à un").click()
    row = first.get_by_role("row", name="crises vaso-occlusives")
    expect(row).to_contain_text("Satisfait")
    expect(row).to_contain_text("≥ 2 jours")
    expect(row).to_contain_text("30 septembre 2025")

    transplant = page.locator(".questions li").filter(has_text="Une greffe de cellules souches")
    transplant.locator("summary").click()
    transplant.get_by_label("Réponse").first.select_option("present")
    transplant.get_by_role("button", name="Et si").click()
    supposed = page.locator("#what-if")
    expect(supposed.get_by_role("row", name="DREPA-DEMO")).to_contain_text("se ferme")
    expect(first).to_contain_text("Et si : ▼ se ferme")
    expect(page.locator("#results")).to_be_focused()
    check(page)
    supposed.get_by_role("button", name="Mettre au dossier").click()
    expect(page.locator(".others summary")).to_contain_text("1 essai non possible")
    page.get_by_role("button", name="Retirer : Greffe de cellules souches").click()
    expect(page.locator("#effect").get_by_role("row", name="DREPA-DEMO")).to_contain_text("s'ouvre")

    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Résumé à imprimer").click()
    summary = opened.value
    summary.emulate_media(media="print")
    expect(summary.get_by_role("heading", level=1)).to_have_text("Essais possibles : résumé pour le dossier")
    expect(summary.get_by_role("main")).to_contain_text("Possible jusqu'au 20 août 2027")
    expect(summary.get_by_role("main")).not_to_contain_text("2010")
    expect(summary.locator(".site-header")).to_be_hidden()
    check(summary)


def test_nothing_of_a_record_stays_in_the_browser_or_on_the_server(site: System, page: Page) -> None:
    page.goto(f"{site.url}/match")
    page.get_by_label("Dossier en JSON").fill(json.dumps(BUNDLE))
    page.get_by_role("button", name="Lire le dossier").click()
    expect(page.locator(".trials > li").first).to_contain_text("drépanocytose")
    expect(page.locator(".record")).not_to_contain_text(NAME)
    expect(page.get_by_label("Date de naissance")).to_have_value(BIRTH)
    page.get_by_label("Département").fill("75")
    page.get_by_role("button", name="Mettre à jour").click()
    expect(page.locator("#effect")).to_be_visible()
    assert page.url == f"{site.url}/match"
    kept = page.evaluate(
        """async () => [{...localStorage}, {...sessionStorage}, document.cookie, (await caches.keys()).length,
        (await indexedDB.databases()).length]"""
    )
    # htmx remembers the address of the page.
    assert kept == [{}, {"htmx-current-path-for-history": "/match"}, "", 0, 0]
    assert page.context.cookies() == []
    page.goto(f"{site.url}/about")
    page.go_back()
    expect(page.get_by_label("Date de naissance")).to_have_value("")

    with page.expect_response("**/match"):
        page.get_by_role("button", name="Fille, drépanocytose").click()
    site.read_until('"route": "/match"')
    written = ["\n".join(site.lines).encode(), *_files(site)]
    for canary in (NAME, BIRTH, CODE):
        assert [text[:80] for text in written if canary.encode() in text] == []


def _files(site: System) -> Iterator[bytes]:
    yield from (path.read_bytes() for path in site.folder.rglob("*") if path.is_file())


def test_the_workbench_works_without_scripts_and_says_what_is_wrong(
    site: System, new_page: Callable[..., Page], check: Check
) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(f"{site.url}/en/match")
    page.get_by_label("Record as JSON").fill("{not json")
    page.get_by_role("button", name="Read the record").click()
    expect(page.locator("#pasted-wrong")).to_contain_text("This text is not JSON")
    expect(page.get_by_label("Record as JSON")).to_have_value("{not json")
    page.get_by_label("Record as JSON").fill("")
    page.get_by_label("or age").fill("15 years")
    page.get_by_label("Diagnosis, result, treatment").fill("sickle cell")
    page.get_by_role("button", name="Find the trials").click()
    page.get_by_role("radio", name="ORPHA:232", exact=False).first.check()
    page.get_by_role("button", name="Add to the record").or_(page.get_by_role("button", name="Find the trials")).click()
    expect(page.locator(".trials > li").first).to_contain_text("Possible")


def test_a_hospital_refers_the_patient_from_the_answer(site: System, page: Page, check: Check) -> None:
    sign_in(site, page, "clinician")
    page.goto(f"{site.url}/match")
    page.get_by_role("button", name="Fille, drépanocytose").click()
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Adresser : CLEIO-DEMO-0001, AP-HP").click()
    form = opened.value
    expect(form.get_by_label("Mois de ses 18 ans")).to_have_value("2028-05")
    expect(form.get_by_label("Adresser avant (mois)")).to_have_value("2027-02")
    form.get_by_label("accepte cette demande").check()
    form.get_by_label("Donné le").fill("2050-01-01")
    form.get_by_role("button", name="Envoyer la demande").click()
    expect(form.locator("#agreed_on-wrong")).to_be_visible()
    check(form)
    form.get_by_label("Donné le").fill("2026-11-20")
    form.get_by_role("button", name="Envoyer la demande").click()
    expect(form.get_by_role("heading", level=1)).to_have_text("Demande envoyée")
    expect(form.get_by_role("main")).to_contain_text("REF-")
    check(form)


@pytest.mark.full
def test_the_workbench_reads_well_in_each_language_and_width(
    site: System, page: Page, check: Check, language: str, width: int
) -> None:
    page.goto(site.url + in_language("/match", "en" if language == "en" else "fr"))
    check(page)
    page.locator('button[value="example:duchenne-boy"]').click()
    expect(page.locator(".trials > li").first).to_be_visible()
    for details in page.locator(".results details").all():
        details.evaluate("one => { one.open = true }")
    check(page)


def test_a_failure_keeps_the_record_in_the_page(site: System, page: Page) -> None:
    page.goto(f"{site.url}/match")
    page.get_by_role("button", name="Trouver les essais").click()
    expect(page.locator("#new-code-wrong")).to_contain_text("Donnez au moins le diagnostic")
    page.get_by_role("button", name="Garçon, myopathie de Duchenne").click()
    expect(page.locator(".trials > li").first).to_be_visible()
    page.route("**/match", lambda route: route.fulfill(status=429, content_type="text/html", body="<p>no</p>"))
    page.get_by_role("button", name="Mettre à jour").click()
    expect(page.get_by_role("alert")).to_contain_text("Votre dossier est toujours dans cette page")
    expect(page.locator("#birth_date")).to_have_value("2021-12-20")
    page.unroute("**/match")
    page.get_by_role("button", name="Mettre à jour").click()
    expect(page.get_by_role("alert")).to_be_hidden()
