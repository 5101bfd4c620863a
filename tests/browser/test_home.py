"""What all pages have in common: the frame, its languages and colours, and the error page."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from services.portal.pages.language import in_language
from tests.browser.conftest import Site

Check = Callable[[Page], None]


def test_a_visitor_reads_about_cleio_and_changes_the_language(site: Site, page: Page, check: Check) -> None:
    page.goto(f"{site.url}/about")
    expect(page.get_by_role("heading", level=1)).to_have_text("À propos de CLEIO")
    check(page)
    page.get_by_role("link", name="English").click()
    expect(page).to_have_url(f"{site.url}/en/about")
    expect(page.get_by_role("heading", level=1)).to_have_text("About CLEIO")
    assert page.locator("html").get_attribute("lang") == "en"
    page.get_by_role("link", name="Français").click()
    expect(page).to_have_url(f"{site.url}/about")


def test_the_keyboard_reaches_first_the_content_then_the_frame(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/about")
    reached = []
    for _ in range(4):
        page.keyboard.press("Tab")
        reached.append(page.locator(":focus").inner_text().strip())
    assert reached == ["Aller au contenu", "CLEIO", "Trouver un essai", "Carte"]
    page.goto(f"{site.url}/about")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Aller au contenu")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_component_is_accessible(site: Site, new_page: Callable[..., Page], check: Check, scheme: str) -> None:
    page = new_page(color_scheme=scheme)
    page.goto(f"{site.url}/design")
    expect(page.get_by_role("heading", name="Composants des pages")).to_be_visible()
    check(page)


def test_a_wrong_address_says_so_and_leads_back(site: Site, page: Page, check: Check) -> None:
    answer = page.goto(f"{site.url}/en/no-such-page")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such page")
    check(page)
    page.get_by_role("main").get_by_role("link", name="Find a trial").click()
    expect(page).to_have_url(f"{site.url}/en")


def test_pages_are_read_without_scripts(site: Site, new_page: Callable[..., Page]) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(f"{site.url}/about")
    expect(page.get_by_role("heading", level=1)).to_be_visible()


@pytest.mark.full
@pytest.mark.parametrize("path", ["/about", "/design", "/no-such-page"])
def test_in_each_language_and_width(site: Site, page: Page, check: Check, language: str, width: int, path: str) -> None:
    page.goto(site.url + in_language(path, language))  # type: ignore[arg-type]
    check(page)
