"""Finding a trial: the first page, the search, diseases, centres, and e-mail about a disease."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from services.portal.pages.language import in_language
from tests.browser.conftest import Outbox
from tests.e2e.conftest import System

Check = Callable[[Page], None]
PATHS = [
    "/?near=59",
    "/trials?q=duchenne&near=59000&age=8",
    "/trials?q=zzqqx",
    "/diseases",
    "/diseases/ORPHA:98896",
    "/diseases/ORPHA:63",
    "/centres",
    "/centres/fr-necker",
    "/notify?text=leucodystrophie",
    "/notify/asked",
]


def test_a_parent_types_a_disease_and_reads_which_trial_is_open_and_where(
    site: System, page: Page, check: Check
) -> None:
    page.goto(site.url)
    check(page)
    page.get_by_label("Département ou code postal").fill("59")
    page.get_by_role("button", name="Voir les trois essais ouverts").click()
    expect(page.locator("#nearest").get_by_role("listitem").first).to_contain_text("Lille, à 11 km")
    page.get_by_label("Maladie, gène, traitement").press_sequentially("duchen")
    page.get_by_role("link", name="Dystrophie musculaire de Duchenne Maladie").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dystrophie musculaire de Duchenne")
    check(page)
    card = page.get_by_role("listitem").filter(has_text="Micro-dystrophine par vecteur AAV9")
    expect(card).to_contain_text("Recrutement ouvert")
    expect(card).to_contain_text("De 3 à 15 ans, garçons")
    expect(card).to_contain_text("Lille, Nantes, Paris, Strasbourg et Toulouse")
    expect(card).to_contain_text("Essai fictif")
    expect(page.get_by_role("link", name="FILNEMUS")).to_be_visible()


def test_the_filters_apply_at_once_and_the_address_says_what_is_shown(site: System, page: Page, check: Check) -> None:
    page.goto(f"{site.url}/trials")
    expect(page.get_by_role("heading", name="18 essais trouvés, dont 8 ouverts aux inclusions")).to_be_visible()
    page.get_by_label("Ouverts aux inclusions").check()
    expect(page.get_by_role("heading", name="8 essais trouvés, tous")).to_be_visible()
    page.get_by_label("Bretagne").check()
    expect(page.get_by_role("heading", name="2 essais trouvés, tous")).to_be_visible()
    page.get_by_label("Bretagne").uncheck()
    expect(page.get_by_role("heading", name="8 essais trouvés, tous")).to_be_visible()
    page.get_by_label("Près de").fill("59")
    page.get_by_label("Âge du patient").fill("8")
    page.get_by_label("Classer par").select_option("distance")
    nearest = page.get_by_role("listitem").filter(has_text="Le plus proche").first
    expect(nearest).to_contain_text("CHU de Lille – Hôpital Roger-Salengro, Lille, à 11 km")
    expect(page).to_have_url(f"{site.url}/trials?near=59&age=8&unit=years&sort=distance&open=true")
    check(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Télécharger cette liste").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("id,identifier,")
    assert "fr-lille" in lines[1]


def test_where_there_is_no_trial_the_page_says_what_to_do(site: System, page: Page, check: Check) -> None:
    page.goto(f"{site.url}/trials?q=syndrome+d%27alport&status=recruiting")
    expect(page.get_by_text("Aucun essai ne correspond")).to_be_visible()
    expect(page.get_by_role("link", name="ORKiD")).to_be_visible()
    expect(page.locator(".contacts").get_by_role("link", name="essais-cliniques@lille.example")).to_be_visible()
    check(page)
    page.get_by_label("Près de").fill("67")
    page.get_by_label("Près de").press("Tab")
    expect(page.locator(".contacts > li").first).to_contain_text("Strasbourg · à environ")
    page.get_by_role("link", name="Syndrome d'Alport", exact=True).click()
    expect(page.get_by_text("Aucun essai pour cette maladie")).to_be_visible()
    page.get_by_label("Votre département").fill("67 Bas-Rhin")
    page.get_by_role("button", name="Centre le plus proche").click()
    nearest = page.locator(".contacts > li")
    expect(nearest.first).to_contain_text("Strasbourg · à environ")
    expect(nearest.filter(has_text="+33 1 99 00").first).to_contain_text("centre donné en exemple")
    check(page)
    page.goto(f"{site.url}/trials?q=elicel")
    expect(page.get_by_role("link", name="Adrénoleucodystrophie liée à l'X", exact=True)).to_be_visible()
    page.goto(f"{site.url}/diseases/ORPHA:98473")
    expect(page.get_by_text("Les essais ci-dessous portent sur des formes plus précises")).to_be_visible()


def test_a_centre_shows_its_trials_and_patients(site: System, page: Page, check: Check) -> None:
    page.goto(f"{site.url}/en/centres")
    check(page)
    page.get_by_role("link", name="AP-HP – Hôpital Necker-Enfants malades").click()
    expect(page.get_by_role("main")).to_contain_text("children and adults")
    expect(page.get_by_role("heading", name="Trials open at this centre")).to_be_visible()
    check(page)


def test_a_parent_is_informed_by_email_after_agreeing(
    site: System, new_page: Callable[..., Page], check: Check, outbox: Outbox
) -> None:
    page = new_page(locale="fr-FR")
    page.goto(f"{site.url}/notify")
    page.get_by_label("Maladie").fill("duchenne")
    page.get_by_label("Dystrophie musculaire de Duchenne ORPHA:98896").check()
    check(page)
    page.get_by_label("Adresse électronique").fill("parent@example.org")
    page.get_by_role("button", name="Me prévenir").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Regardez votre messagerie")
    check(page)
    page.goto(outbox.link(1))
    page.get_by_role("button", name="Oui, les recevoir").click()
    expect(page.get_by_text("C'est confirmé")).to_be_visible()


def test_without_scripts_a_search_finds_and_a_wrong_request_is_explained(
    site: System, new_page: Callable[..., Page], check: Check
) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(f"{site.url}/en")
    page.get_by_label("Disease, gene, treatment").fill("sickle cell")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", name="3 trials found, 1 of them open to new patients")).to_be_visible()
    page.goto(f"{site.url}/en/notify?disease=ORPHA:98896")
    page.get_by_label("E-mail address").fill("parent@example")
    page.get_by_role("button", name="Notify me").click()
    expect(page.get_by_text("The request was not sent")).to_be_visible()
    expect(page.get_by_label("E-mail address")).to_have_value("parent@example")


@pytest.mark.full
@pytest.mark.parametrize("path", PATHS)
def test_in_each_language_and_width(
    site: System, page: Page, check: Check, language: str, width: int, path: str
) -> None:
    page.goto(site.url + in_language(path, language))  # type: ignore[arg-type]
    check(page)
