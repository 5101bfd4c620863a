"""The coordination reads the report; a sponsor creates a subscription, tests and pauses it."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.signing_in import sign_in
from tests.e2e.conftest import System


def test_the_coordination_reads_how_long_each_step_takes(
    site: System, page: Page, check: Callable[[Page], None]
) -> None:
    sign_in(site, page, "coordination")
    page.goto(f"{site.url}/workspace/reports")
    expect(page.get_by_role("row").filter(has_text="Accord de confidentialité")).to_contain_text("jours ouvrés")
    for picture in page.locator("figure img").all():
        assert picture.evaluate("one => one.decode().then(() => one.naturalWidth)") > 0
    check(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Tout le rapport (CSV)").click()
    assert download.value.path().read_text().startswith("section,step,")


def test_an_authority_reads_the_report_of_one_year_without_small_counts(site: System, page: Page) -> None:
    sign_in(site, page, "authority")
    page.goto(f"{site.url}/workspace/reports")
    expect(page.get_by_text("Les effectifs inférieurs à 11 ne sont pas montrés.")).to_be_visible()


def test_a_subscription_says_what_is_wrong_with_its_address(
    site: System, page: Page, check: Callable[[Page], None]
) -> None:
    sign_in(site, page, "sponsor")
    page.goto(f"{site.url}/workspace/subscriptions")
    check(page)
    form = page.locator("form", has=page.get_by_role("button", name="Créer l'abonnement"))
    form.get_by_label("Adresse du récepteur").fill("https://10.0.0.1/receiver")
    form.get_by_text("Quels événements").click()
    form.get_by_label("Un essai a été publié").check()
    form.get_by_role("button", name="Créer l'abonnement").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(form.get_by_label("Adresse du récepteur")).to_have_value("https://10.0.0.1/receiver")
    expect(form.get_by_label("Un essai a été publié")).to_be_checked()
    check(page)


def test_a_team_subscribes_by_email_to_a_disease_and_deletes_it(
    site: System, page: Page, check: Callable[[Page], None]
) -> None:
    sign_in(site, page, "association")
    page.goto(f"{site.url}/workspace/subscriptions")
    form = page.locator("form", has=page.get_by_role("button", name="Demander l'accord de l'adresse"))
    form.get_by_label("Adresse électronique").fill("team@association.example")
    form.get_by_label("Maladies").fill("dystrophie musculaire de duchenne")
    form.get_by_role("button", name="Demander l'accord de l'adresse").click()
    card = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="team@association.example"))
    expect(card).to_contain_text("Attend l'accord de l'adresse")
    expect(card).to_contain_text("Dystrophie musculaire de Duchenne ORPHA:98896")
    check(page)
    card.locator("summary", has_text="Supprimer").click()
    card.get_by_label("Oui, supprimer").check()
    card.get_by_role("button", name="Supprimer l'abonnement").click()
    expect(page.get_by_text("L'abonnement est supprimé")).to_be_visible()
    expect(card).to_have_count(0)

    form = page.locator("form", has=page.get_by_role("button", name="Créer l'abonnement"))
    form.get_by_label("Adresse du récepteur").fill("http://127.0.0.1:9/receiver")
    form.get_by_role("button", name="Créer l'abonnement").click()
    secret = page.get_by_role("status").locator("code").inner_text()
    card = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="http://127.0.0.1:9/receiver"))
    card.locator("summary", has_text="Changer le secret").click()
    card.get_by_role("button", name="Faire un nouveau secret").click()
    expect(page.get_by_text("Nouveau secret : notez-le")).to_be_visible()
    assert page.get_by_role("status").locator("code").inner_text() != secret
    expect(card).to_contain_text("signe aussi jusqu'au")
    check(page)
