"""A demonstration fills itself: each demonstration user finds work on the start page.

It has a system of its own: other tests begin with empty lists.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from services.portal.pages.language import in_language
from shared.values.language import Language
from tests.browser.chromium import executable
from tests.browser.conftest import Site
from tests.browser.signing_in import sign_in
from tests.browser.visiting import Kinds, visited

# Both languages, widths and schemes, without all eight combinations.
FORMS = [("fr", 1280, "light"), ("fr", 360, "dark"), ("en", 1280, "dark"), ("en", 360, "light")]
# Where the addresses of pages for signed-in people begin.
OF_USERS = ("/workspace", "/criteria")
# What no link leads to: the page of components, answers to forms, the way over a provider, and parts of pages.
NOT_LINKED = {
    "/design",
    "/notify/asked",
    "/portal/assets/{digest}/{name:path}",
    "/sign-in/callback",
    "/sign-in/openid",
    "/sign-out",
    "/suggestions",
}

# What the start page of each user says, with the page that a click on it leads to.
WORK = {
    "clinician": ("à compléter : le centre demande des pièces", "Pièces demandées"),
    "centre-strasbourg": ("sites n'ont pas été confirmés", "Sites de votre centre"),
    "centre-necker": ("complétée par l'hôpital, attend votre réponse", "Envoyée"),
    "sponsor": ("accepté attend votre accord pour être publié", "Gène FIX dans l'hémophilie B sévère"),
    "coordination": ("dans la file de relecture", "Lymphocytes T modifiés dans l'histiocytose"),
    "authority": ("dossiers sont en cours dans le réseau", "Cellules CAR-T anti-BCMA dans le lupus"),
    "network": ("attend une décision de la coordination", ""),
    "association": ("n'atteint plus son récepteur", "127.0.0.1:9"),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A system as `make run` starts it, when it has filled itself."""
    if executable() is None:
        pytest.skip("no Chromium on PATH: deploy/setup/browser.sh installs it")
    running = Site(tmp_path_factory.mktemp("demonstration") / "var", CLEIO_DEMONSTRATION="true", CLEIO_RATE_READ="0")
    try:
        running.read_until("ready in")
        running.read_until("subscriptions: 2 made")
        yield running
    finally:
        running.end()


def test_each_demonstration_user_finds_work_on_the_start_page(
    site: Site, new_page: Callable[[], Page], check: Callable[[Page], None]
) -> None:
    assert [line for line in site.lines if "failed:" in line or "left out:" in line] == []
    again = site.cleio("demo").stderr.splitlines()
    assert [line for line in again if ": 0 made, " not in line] == []  # nothing is made twice
    for user, (waits, leads_to) in WORK.items():
        page = new_page()
        sign_in(site, page, user)
        expect(page).to_have_url(f"{site.url}/workspace")
        expect(page.get_by_text("démonstration : les personnes, les patients")).to_be_visible()
        sentence = page.get_by_role("listitem").filter(has_text=waits).first
        expect(sentence).to_be_visible()
        if user in {"centre-strasbourg", "network"}:
            check(page)
        if leads_to:
            sentence.get_by_role("link").click()
            expect(page.get_by_text(leads_to).first).to_be_visible()


@pytest.mark.full
@pytest.mark.parametrize(("language", "width", "scheme"), FORMS)
def test_every_page_that_a_link_leads_to(
    site: Site,
    new_page: Callable[..., Page],
    check: Callable[[Page], None],
    language: Language,
    width: int,
    scheme: str,
) -> None:
    kinds, seen = Kinds(), set[str]()
    for user in ("", *WORK):
        page = new_page(color_scheme=scheme)
        if user:
            sign_in(site, page, user)
        start = site.url + in_language("/workspace" if user else "/", language)
        for kind in visited(start, page, site, kinds, OF_USERS if user else ("/",)):
            check(page)
            seen.add(kind)
    assert kinds.all - seen == NOT_LINKED
