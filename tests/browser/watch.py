"""What a test must not see in the browser: errors, requests to elsewhere, pages that are too heavy."""

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response

HEAVIEST = 200_000  # bytes of a page with all that it loads, as they travel
# The browser repeats in the console what an answer with an error says; `Watch` judges the answer itself.
REPEATED = "Failed to load resource"
# An address that a test visits, or to which a form or htmx sends: its error is a page, which the test reads.
VISITED = frozenset({"document", "xhr", "fetch"})


class Watch:
    """Collects what goes wrong in a page, and what it loads."""

    def __init__(self, page: Page, origin: str) -> None:
        self.faults: list[str] = []
        self._origin = origin
        # address of each visited page → what it loaded
        self._visits: list[tuple[str, list[Request]]] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.faults.append(f"error of a script: {error}"))
        page.on("request", self._asked)
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(REPEATED):
            self.faults.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(f"{self._origin}/"):
            self.faults.append(f"request to elsewhere: {request.url}")
        if request.is_navigation_request():
            self._visits.append((request.url, []))
        if self._visits and request.resource_type not in {"xhr", "fetch"}:
            self._visits[-1][1].append(request)

    def _failed(self, request: Request) -> None:
        # A download ends the navigation, and htmx ends a request that a newer one replaces.
        if request.failure != "net::ERR_ABORTED":
            self.faults.append(f"request failed: {request.url} {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 500 or (response.status >= 400 and response.request.resource_type not in VISITED):
            self.faults.append(f"answer {response.status}: {response.url}")

    def weights(self) -> dict[str, int]:
        """Return the bytes of each visited page with all that it loaded."""
        return {
            address: sum(one.sizes()["responseBodySize"] for one in requests if one.response() is not None)
            for address, requests in self._visits
        }


def without_cache(context: BrowserContext, page: Page) -> None:
    """Load everything anew at each visit, as on the first: the weight of a page is then that of its first visit."""
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
