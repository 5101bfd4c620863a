"""The map, as a family and a clinician read it."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from services.portal.pages.language import in_language
from tests.browser.conftest import Site
from tests.geography import COMMUNES, DEPARTEMENTS

Check = Callable[[Page], None]


@pytest.fixture(scope="module")
def located(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site with a geography of some communes, taken back afterwards."""
    folder = tmp_path_factory.mktemp("geography")
    (folder / "communes.csv").write_text(COMMUNES, encoding="utf-8")
    (folder / "departements.json").write_text(DEPARTEMENTS, encoding="utf-8")
    site.typed("geo", "load", str(folder / "communes.csv"), str(folder / "departements.json"))
    yield site
    site.typed("geo", "load", "--undo")


def test_without_a_geography_the_map_shows_the_centres(site: Site, page: Page, check: Check) -> None:
    page.goto(f"{site.url}/map?disease=drépanocytose")
    expect(page.get_by_text("cleio geo load")).to_be_visible()
    expect(page.get_by_role("link", name="Lille : CHU de Lille – Hôpital Roger-Salengro")).to_be_visible()
    check(page)


def test_a_family_reads_how_far_the_nearest_open_centre_is(located: Site, page: Page, check: Check) -> None:
    page.goto(f"{located.url}/map")
    page.get_by_label("Maladie").fill("Drépanocytose")
    page.get_by_label("Compter aussi les essais de démonstration").check()
    page.get_by_role("button", name="Voir la carte").click()
    expect(page.get_by_role("heading", level=2, name="Drépanocytose")).to_be_visible()
    expect(page.get_by_text("de la population vit à moins de 2 heures d'un centre ouvert")).to_be_visible()
    page.get_by_label("Âge de la personne").fill("8")
    page.get_by_role("button", name="Voir la carte").click()
    expect(page.get_by_role("heading", level=2, name="Drépanocytose, à 8 ans")).to_be_visible()
    expect(page.get_by_text("Aucun centre n'est ouvert aux inclusions pour cette maladie")).to_be_visible()
    page.get_by_label("Âge de la personne").fill("")
    page.get_by_role("button", name="Voir la carte").click()
    page.get_by_text("Afficher le temps de trajet de chaque département").click()
    expect(page.get_by_role("row", name="2A Corse-du-Sud")).to_contain_text("en avion")
    check(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Télécharger les données de la carte").click()
    assert "ORPHA:275752,Drépanocytose,Sickle cell disease,2A," in download.value.path().read_text(encoding="utf-8")
    page.get_by_role("link", name="Paris").click()
    expect(page.get_by_role("row", name="AP-HP – Hôpital Necker-Enfants malades")).to_be_in_viewport()


def test_a_misspelt_disease_is_named_at_its_field_with_what_is_alike(located: Site, page: Page, check: Check) -> None:
    page.goto(f"{located.url}/en/map?disease=duchene+muscular&sample=demo")
    field = page.get_by_label("Disease")
    expect(field).to_have_value("duchene muscular")
    expect(field).to_have_attribute("aria-invalid", "true")
    check(page)
    page.get_by_role("link", name="Duchenne muscular dystrophy").click()
    expect(page.get_by_role("heading", level=2, name="Duchenne muscular dystrophy")).to_be_visible()


@pytest.mark.full
@pytest.mark.parametrize("query", ["", "?disease=drépanocytose", "?disease=drépanocytose&sample=demo"])
def test_in_each_language_width_and_scheme(
    located: Site, new_page: Callable[..., Page], check: Check, language: str, width: int, query: str
) -> None:
    for scheme in ("light", "dark"):
        page = new_page(color_scheme=scheme)
        page.goto(located.url + in_language("/map", language) + query)  # type: ignore[arg-type]
        check(page)
