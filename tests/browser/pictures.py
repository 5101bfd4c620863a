"""`make pictures`: write docs/pictures/*.png, the main pages of a new demonstration."""

import argparse
import itertools
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urljoin

from playwright.sync_api import Browser, Page

from tests.browser.chromium import executable, started
from tests.browser.palette import with_palette
from tests.e2e.conftest import ROOT, System

FOLDER = ROOT / "docs" / "pictures"


def _example(page: Page) -> None:
    """Evaluate the first fictitious patient."""
    page.get_by_role("button", name="Garçon, myopathie de Duchenne (JSON)").click()
    page.locator(".trials > li").first.wait_for()
    page.locator(".trials").evaluate("trials => trials.scrollIntoView()")


def _signed_in(user: str, path: str, link: str = "") -> Callable[[Page], None]:
    """Sign in as a demonstration user and go to a page; then follow the first link in its table, if ``link`` is one."""

    def do(page: Page) -> None:
        page.locator(f'form[action$="/demonstration/{user}"] button').click()
        page.goto(urljoin(page.url, path))
        if link:
            page.get_by_role("link", name=link).first.click()
            page.wait_for_load_state("networkidle")

    return do


# What is done on a page before its picture is taken.
BEFORE: dict[str, Callable[[Page], None]] = {
    "workbench": _example,
    "workspace": _signed_in("centre-strasbourg", "/workspace"),
    "referral": _signed_in("clinician", "/workspace/referrals?state=manufacturing", "REF-"),
    "sites": _signed_in("centre-strasbourg", "/workspace/sites"),
    "dossiers": _signed_in("coordination", "/workspace/dossiers"),
    "review": _signed_in("coordination", "/workspace/reviews?kind=conflict", "[Fictif]"),
    "proposal": _signed_in("coordination-2", "/criteria/CLEIO-DEMO-0002/proposals/1"),
}
# name → address of the page
PAGES = {
    "find": "/",
    "trials": "/trials",
    "trial": "/trials/CLEIO-DEMO-0001",
    "map": "/map?disease=ORPHA:275752&sample=demo#map-heading",
    "workbench": "/match",
    "workspace": "/sign-in",
    "referral": "/sign-in",
    "sites": "/sign-in",
    "dossiers": "/sign-in",
    "review": "/sign-in",
    "proposal": "/sign-in",
    "centre": "/centres/fr-lille",
    "design": "/design",
}
# The communes of France, for the map. Without CLEIO_TEST_DATA its pictures stay as they are.
GEOGRAPHY = Path(os.environ.get("CLEIO_TEST_DATA", "")) / "geo_fr"
FILES = ("communes.csv", "departements.json", "regions.json")
# width and height of the window in pixels
SIZES = ((1280, 880), (360, 740))
# bytes of a picture
LARGEST = 150_000


def draw(browser: Browser, url: str, pages: dict[str, str]) -> None:
    """Write the picture of each page in each size.

    :raises SystemExit: a page is not there, or its picture is too large.
    """
    for (name, path), (width, height) in itertools.product(pages.items(), SIZES):
        with browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce") as context:
            page = context.new_page()
            answer = page.goto(url + path, wait_until="networkidle")
            if answer is None or not answer.ok:
                raise SystemExit(f"{path} answers {answer and answer.status}")
            if name in BEFORE:
                BEFORE[name](page)
            png = with_palette(page.screenshot(animations="disabled", caret="hide"))
        if len(png) > LARGEST:
            raise SystemExit(f"The picture of {path}, {width} px wide, has {len(png)} bytes, more than {LARGEST}.")
        (FOLDER / f"{name}-{width}.png").write_bytes(png)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="a running demonstration; by default a new one")
    given = parser.parse_args().url
    if (path := executable()) is None:
        raise SystemExit("No Chromium: deploy/setup/browser.sh installs it, or says how.")
    FOLDER.mkdir(exist_ok=True)
    with started(path) as browser, tempfile.TemporaryDirectory() as folder:
        if given:
            draw(browser, given, PAGES)
            return
        system = System(Path(folder) / "var", CLEIO_DEMONSTRATION="true")
        try:
            system.read_until("subscriptions:")  # the last line of what fills the demonstration
            draw(browser, system.url, pages_of(system))
        finally:
            system.end()


def pages_of(system: System) -> dict[str, str]:
    """Return the pages to draw, after loading the geography where there is one."""
    if not GEOGRAPHY.is_dir():
        return {name: path for name, path in PAGES.items() if name != "map"}
    key = system.in_a_process("admin", "create").stdout.strip()
    files = [str(GEOGRAPHY / name) for name in FILES]
    system.in_a_process("geo", "load", *files, CLEIO_TOKEN=key).check_returncode()
    return PAGES


if __name__ == "__main__":
    main()
