"""Checks of the accessibility of a page."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE = Axe()


def checked(page: Page) -> None:
    """Check a page as it is now: no violation that axe-core finds, and nothing wider than the window."""
    page.wait_for_load_state()  # a text can be there before the style sheets are
    found = AXE.run(page, options={"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]})
    violations = [_in_words(one) for one in found.response["violations"]]
    assert violations == [], f"{page.url}: {violations}"
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, f"{page.url} scrolls sideways"


def _in_words(violation: dict[str, Any]) -> str:
    places = ", ".join(" ".join(map(str, node["target"])) for node in violation["nodes"])
    return f"{violation['id']}: {violation['help']} ({places})"
