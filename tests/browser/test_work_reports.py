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
    page.get_by_label("Adresse du récepteur").fill("https://127.0.0.1/receiver")
    page.get_by_role("button", name="Créer l'abonnement").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Adresse du récepteur")).to_have_value("https://127.0.0.1/receiver")
