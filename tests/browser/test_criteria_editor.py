"""The editor of criteria: an author proposes, another person signs."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from services.portal.pages.language import in_language
from tests.e2e.conftest import System

Check = Callable[[Page], None]
TRIAL = "CLEIO-DEMO-0005"
OTHER = "CLEIO-DEMO-0004"


def sign_in(page: Page, site: System, name: str, back: str) -> None:
    page.goto(f"{site.url}/sign-in?back={back}")
    page.get_by_role("button", name=f"Se connecter : {name}").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Critères de l'essai")


def test_one_person_writes_criteria_and_another_signs_them(
    site: System, new_page: Callable[..., Page], check: Check
) -> None:
    page = new_page()
    sign_in(page, site, "Auteur de critères", f"/criteria/{TRIAL}")
    check(page)
    age = page.get_by_label("Expression").filter(has_text='"type": "age"').first
    place = age.get_attribute("id")
    assert place is not None
    age.fill('{"type": "age", "min": "P8Y", "max": "P4Y"}')
    said = page.locator(f"#said-{place[1:].removesuffix('-expr')}")
    expect(said).to_contain_text("✕")  # while one types, at the criterion
    age.fill('{"type": "age"')
    expect(said).to_contain_text("n'est pas un objet JSON")
    age.fill('{"type": "age", "min": "P3Y", "max": "P71Y"}')
    expect(said).to_contain_text("71 ans")
    expect(said).not_to_contain_text("✕")
    page.get_by_role("button", name="Simuler").click()
    expect(page.get_by_role("table", name="Patients inventés")).to_be_visible()
    expect(page.get_by_role("table", name="Différences avec la version en vigueur")).to_contain_text("71 ans")
    check(page)
    page.get_by_role("button", name="Proposer à la signature").click()
    expect(page.get_by_text("Proposition envoyée")).to_be_visible()
    page.get_by_role("link", name="Proposition 1").click()
    expect(page.get_by_text("C'est votre proposition")).to_be_visible()
    assert page.get_by_role("button", name="Signer").count() == 0

    second = new_page()
    sign_in(second, site, "Coordination du réseau, seconde personne", f"/criteria/{TRIAL}")
    second.goto(f"{site.url}/workspace")
    second.get_by_role("link", name="Critères proposés, à relire et à signer").click()
    expect(second.get_by_role("table", name="Différences avec la version en vigueur")).to_contain_text("71 ans")
    check(second)
    second.get_by_label("Médecin qui signe").fill("B. Petit (exemple)")
    second.get_by_role("button", name="Signer").click()
    expect(second.get_by_role("main").get_by_text("signée", exact=True)).to_be_visible()
    assert second.request.get(f"{site.url}/registry/v1/trials/{TRIAL}/criteria").json()["version"] == 2
    second.goto(f"{site.url}/trials/{TRIAL}")
    expect(second.get_by_text("71 ans").first).to_be_attached()


def test_a_failure_on_the_way_keeps_what_was_typed(site: System, new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in(page, site, "Auteur de critères", f"/criteria/{TRIAL}")
    text = page.get_by_label("Texte français").first
    page.route("**/criteria/**", lambda route: route.fulfill(status=429, content_type="text/html", body="<p>no</p>"))
    with page.expect_response("**/criteria/**"):  # the check while one types
        text.fill("Écrit pendant la panne")
    with page.expect_response("**/criteria/**"):
        page.get_by_role("button", name="Proposer à la signature").click()
    expect(page.get_by_role("alert")).to_contain_text("Ce que vous avez écrit est toujours dans cette page")
    page.unroute("**/criteria/**")
    page.get_by_role("button", name="Vérifier").click()
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(text).to_have_value("Écrit pendant la panne")


@pytest.mark.full
def test_the_editor_reads_well_in_each_language_and_width(
    site: System, new_page: Callable[..., Page], check: Check, language: str, width: int
) -> None:
    page = new_page()
    sign_in(page, site, "Auteur de critères", f"/criteria/{OTHER}")
    page.goto(site.url + in_language(f"/criteria/{OTHER}", "en" if language == "en" else "fr"))
    check(page)
    page.locator("#c0-expr").fill('{"type": "age", "min": "P8Y", "max": "P4Y"}')
    expect(page.locator("#said-0")).to_contain_text("✕")
    check(page)
    page.locator("#c0-expr").fill('{"type": "age", "min": "P4Y", "max": "P9Y"}')
    expect(page.locator("#said-0")).not_to_contain_text("✕")
    page.locator("#do-try").click()
    expect(page.locator("#dry-run")).to_be_focused()
    check(page)
    page.locator("#do-propose").click()
    expect(page.locator(".notice-success")).to_be_visible()
    page.locator("section[aria-labelledby=proposals] a").first.click()
    expect(page.locator("table.differences")).to_be_visible()
    check(page)
    page.locator("button[value=withdraw]").click()
    check(page)


def test_a_visitor_without_an_account_is_asked_to_sign_in(site: System, page: Page, check: Check) -> None:
    answer = page.goto(f"{site.url}/criteria/{TRIAL}")
    assert answer is not None
    assert answer.status == 401
    check(page)
