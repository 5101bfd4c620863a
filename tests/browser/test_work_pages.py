"""Every page of the workspaces in each language and width, with real dossiers, answers and referrals."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page

from services.portal.pages.language import in_language
from tests.browser.conftest import Site
from tests.browser.signing_in import sign_in
from tests.browser.studies import caller, send_answers, send_questionnaire, send_referral

USERS = ("clinician", "centre-strasbourg", "sponsor", "coordination", "authority")
CENTRE = "fr-strasbourg"
# user → pages; in them stand a dossier that waits for answers, one with answers, and a referral.
PAGES = (
    ("clinician", "/workspace"),
    ("clinician", "/workspace/referrals"),
    ("clinician", "/workspace/referrals/{referral}"),
    ("clinician", "/workspace/dossiers"),
    ("centre-strasbourg", "/workspace"),
    ("centre-strasbourg", "/workspace/referrals/{referral}"),
    ("centre-strasbourg", "/workspace/sites"),
    ("centre-strasbourg", "/workspace/places"),
    ("centre-strasbourg", "/workspace/places/CLEIO-DEMO-0004"),
    ("centre-strasbourg", "/workspace/places/CLEIO-DEMO-0004/fr-strasbourg"),
    ("centre-strasbourg", "/workspace/capabilities"),
    ("centre-strasbourg", "/workspace/capabilities/contact"),
    ("centre-strasbourg", "/workspace/feasibility"),
    ("centre-strasbourg", "/workspace/feasibility/{waiting}/fr-strasbourg"),
    ("centre-strasbourg", "/workspace/reports"),
    ("sponsor", "/workspace/dossiers"),
    ("sponsor", "/workspace/dossiers/{answered}"),
    ("sponsor", "/workspace/feasibility/{answered}"),
    ("sponsor", "/workspace/subscriptions"),
    ("coordination", "/workspace/dossiers"),
    ("coordination", "/workspace/dossiers/{waiting}"),
    ("coordination", "/workspace/feasibility"),
    ("coordination", "/workspace/feasibility/{answered}"),
    ("coordination", "/workspace/feasibility/{waiting}/fr-strasbourg"),
    ("coordination", "/workspace/fit?trial=CLEIO-DEMO-0004"),
    ("coordination", "/workspace/reviews"),
    ("coordination", "/workspace/reports"),
    ("authority", "/workspace/dossiers/{answered}"),
)


@pytest.fixture(scope="package")
def subjects(site: Site, chromium: Browser) -> dict[str, str]:
    """What the pages are about: references by name."""
    for user in USERS:
        page = chromium.new_page()
        sign_in(site, page, user)
        page.close()
    sponsor, coordination = caller(site, "demo-sponsor"), caller(site, "demo-coordination")
    answered = send_questionnaire(sponsor, coordination, CENTRE, "670780055")
    send_answers(coordination, answered, CENTRE, named=True)
    waiting = send_questionnaire(sponsor, coordination, CENTRE, "670780055")
    referral = send_referral(caller(site, "demo-hospital"), "CLEIO-DEMO-0004", CENTRE)
    return {"answered": answered, "waiting": waiting, "referral": referral}


@pytest.mark.full
@pytest.mark.parametrize(("user", "path"), PAGES)
def test_a_workspace_reads_well_in_each_language_and_width(
    site: Site,
    page: Page,
    check: Callable[[Page], None],
    subjects: dict[str, str],
    language: str,
    width: int,
    user: str,
    path: str,
) -> None:
    sign_in(site, page, user)
    page.goto(site.url + in_language(path.format(**subjects), language))  # type: ignore[arg-type]
    check(page)
    for details in page.locator("main details").all():
        details.evaluate("one => { one.removeAttribute('name'); one.open = true }")
    check(page)
