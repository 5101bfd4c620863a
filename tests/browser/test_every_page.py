"""Every page that a link leads to, for each kind of visitor: no violation, no error, nothing wider than the window."""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from services.portal.app import create_app
from services.portal.pages.language import in_language
from services.portal.settings import PortalSettings
from shared.http.route import ApiRoute
from shared.values.language import Language
from tests.browser.conftest import Site
from tests.browser.signing_in import sign_in

OpenPage = Callable[..., Page]
# What the gateway serves itself: the documentation of the API.
ELSEWHERE = {"/{path:path}"}
OF_USERS = ("/workspace", "/criteria")
# Kinds of pages that no link leads to: they answer a form, or come from an e-mail.
NOT_LINKED: set[str] = set()
# Of each kind of page so many are looked at.
EACH = 2
LINKS = "links => links.map(link => new URL(link.getAttribute('href'), document.baseURI).href)"
# Both languages, widths and schemes, without all eight combinations.
FORMS = [("fr", 1280, "light"), ("fr", 360, "dark"), ("en", 1280, "dark"), ("en", 360, "light")]


class Kinds:
    """The kinds of pages: the routes of the portal that a browser opens."""

    def __init__(self) -> None:
        routes = [one for one in create_app(PortalSettings()).routes if isinstance(one, ApiRoute)]
        self._patterns = {one.path: one.path_regex for one in routes if "GET" in (one.methods or ())}
        self.all = {path for path in self._patterns if not is_file(path)} - ELSEWHERE

    def of(self, address: str) -> str:
        """Return the route of an address."""
        path = urlsplit(address).path.removeprefix("/en") or "/"
        return next(kind for kind, pattern in self._patterns.items() if pattern.match(path))


def is_file(path: str) -> bool:
    """Return whether a path names a file: a table, a picture, a calendar."""
    return "." in path.rpartition("/")[2]


def links(page: Page, site: Site) -> Iterator[str]:
    """Return the addresses of pages of the site that a page links to, without what downloads."""
    for address in page.locator("a[href]:not([download])").evaluate_all(LINKS):
        parts = urlsplit(address)
        if address.startswith(f"{site.url}/") and not is_file(parts.path):
            yield parts._replace(fragment="").geturl()


def visited(start: str, page: Page, site: Site, kinds: Kinds, inside: Callable[[str], bool]) -> Iterator[str]:
    """Visit the pages that are reached from an address, `EACH` of a kind; yield the kind of each while it is open."""
    waiting, known, counts = deque([start]), {start}, Counter[str]()
    while waiting:
        address = waiting.popleft()
        kind = kinds.of(address)
        if counts[kind] == EACH:
            continue
        counts[kind] += 1
        answer = page.goto(address)
        assert answer is not None
        assert answer.ok, f"{address}: {answer.status}"
        yield kind
        found = [one for one in dict.fromkeys(links(page, site)) if one not in known and inside(kinds.of(one))]
        known.update(found)
        waiting.extend(found)


@pytest.mark.full
@pytest.mark.parametrize(("language", "width", "scheme"), FORMS)
def test_every_page_that_a_link_leads_to(
    site: Site, new_page: OpenPage, check: Callable[[Page], None], language: Language, width: int, scheme: str
) -> None:
    kinds, seen = Kinds(), set[str]()

    def go_round(user: str, start: str, inside: Callable[[str], bool]) -> None:
        page = new_page(color_scheme=scheme)
        if user:
            sign_in(site, page, user)
        for kind in visited(site.url + in_language(start, language), page, site, kinds, inside):
            check(page)
            seen.add(kind)

    go_round("", "/", lambda kind: kind not in ELSEWHERE)
    for user in users(site, new_page()):
        go_round(user, "/workspace", lambda kind: kind.startswith(OF_USERS))
    assert kinds.all - seen == NOT_LINKED


def users(site: Site, page: Page) -> list[str]:
    """Return the ids of the demonstration users."""
    page.goto(f"{site.url}/sign-in")
    actions = page.locator('form[action*="/demonstration/"]').evaluate_all("forms => forms.map(form => form.action)")
    return [one.rpartition("/")[2] for one in actions]
