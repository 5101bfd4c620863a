"""A centre states a capability and renews it before it expires."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect

from tests.browser.signing_in import sign_in
from tests.e2e.conftest import System


def test_a_centre_states_a_capability_and_renews_it(site: System, page: Page, check: Callable[[Page], None]) -> None:
    sign_in(site, page, "centre-necker")
    page.goto(f"{site.url}/workspace/capabilities")
    check(page)
    new = page.get_by_role("region", name="Déclarer une capacité")
    new.get_by_label("Capacité").select_option(label="Utilisation confinée d'OGM")
    new.get_by_label("Valable du").fill("2026-01-05")
    new.get_by_label("au", exact=True).fill("2025-01-05")
    new.get_by_role("button", name="Déclarer").click()
    expect(new.get_by_role("listitem")).to_be_visible()  # what is wrong, at the form
    expect(new.get_by_label("Valable du")).to_have_value("2026-01-05")
    check(page)
    new.get_by_label("au", exact=True).fill((datetime.now(UTC) + timedelta(days=40)).date().isoformat())
    new.get_by_role("button", name="Déclarer").click()
    card = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="Utilisation confinée d'OGM"))
    expect(card.locator(".status-soon")).to_be_visible()
    card.get_by_text("Renouveler ou corriger").click()
    card.get_by_label("au", exact=True).fill("2031-12-31")
    card.get_by_role("button", name="Enregistrer").click()
    expect(card.locator(".status-open")).to_be_visible()
    expect(card.get_by_text("31 décembre 2031")).to_be_visible()
    check(page)

    page.get_by_role("link", name="Contact public du centre").click()
    page.get_by_label("Fonction, en français").fill("Unité d'essais cliniques")
    page.get_by_label("Courriel").fill("anne.durand@hopital.example")
    page.get_by_role("button", name="Publier ce contact").click()
    expect(page.locator(".field-wrong")).to_contain_text("donnez la boîte d'une fonction")
    expect(page.get_by_label("Fonction, en français")).to_have_value("Unité d'essais cliniques")
    check(page)
    page.get_by_label("Courriel").fill("essais-cliniques@hopital.example")
    page.get_by_role("button", name="Publier ce contact").click()
    expect(page.get_by_text("Le contact est publié")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="la page du centre").click()
    expect(page.get_by_role("link", name="essais-cliniques@hopital.example")).to_be_visible()
