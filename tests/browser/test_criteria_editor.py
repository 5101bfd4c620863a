"""The editor of criteria: an author proposes, another person signs."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.e2e.conftest import System

Check = Callable[[Page], None]
TRIAL = "CLEIO-DEMO-0005"


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
    page.get_by_role("button", name="Essayer à blanc").click()
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
    second.get_by_role("link", name="Proposition 1").click()
    expect(second.get_by_role("table", name="Différences avec la version en vigueur")).to_contain_text("71 ans")
    check(second)
    second.get_by_label("Médecin qui signe").fill("B. Petit (exemple)")
    second.get_by_role("button", name="Signer").click()
    expect(second.get_by_role("main").get_by_text("signée", exact=True)).to_be_visible()
    assert second.request.get(f"{site.url}/registry/v1/trials/{TRIAL}/criteria").json()["version"] == 2
    second.goto(f"{site.url}/trials/{TRIAL}")
    expect(second.get_by_text("71 ans").first).to_be_attached()


def test_a_visitor_without_an_account_is_asked_to_sign_in(site: System, page: Page, check: Check) -> None:
    answer = page.goto(f"{site.url}/criteria/{TRIAL}")
    assert answer is not None
    assert answer.status == 401
    check(page)
