"""Visit the pages that links lead to, some of each kind."""

from collections import Counter, deque
from collections.abc import Iterator
from urllib.parse import urlsplit

from playwright.sync_api import Page

from services.portal.app import create_app
from services.portal.settings import PortalSettings
from shared.http.route import ApiRoute
from tests.browser.conftest import Site

# What the gateway serves itself: the documentation of the API.
ELSEWHERE = {"/{path:path}"}
# Of each kind of page so many are looked at.
EACH = 2
LINKS = "links => links.map(link => new URL(link.getAttribute('href'), document.baseURI).href)"


class Kinds:
    """The kinds of pages: the routes of the portal that a browser opens."""

    def __init__(self) -> None:
        routes = [one for one in create_app(PortalSettings()).routes if isinstance(one, ApiRoute)]
        self._patterns = {
            one.path: one.path_regex for one in routes if "pages" in one.tags and "GET" in (one.methods or ())
        }
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


def visited(start: str, page: Page, site: Site, kinds: Kinds, within: tuple[str, ...]) -> Iterator[str]:
    """Visit the pages that are reached from an address, `EACH` of a kind; yield the kind of each while it is open.

    ``within``: what their addresses begin with.
    """
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
        found = {one: kinds.of(one) for one in links(page, site) if one not in known}
        known.update(found)
        waiting.extend(one for one, kind in found.items() if kind.startswith(within) and kind not in ELSEWHERE)
