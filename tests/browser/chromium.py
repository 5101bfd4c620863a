"""The browser of the tests and pictures: the Chromium that is on PATH, never one that a package downloads."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# As root there is no sandbox. The rest keeps the browser from sending requests of its own.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
    "--disable-quic",
)


def executable() -> str | None:
    """Return the path of the browser; None: there is none."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@contextmanager
def started(path: str) -> Iterator[Browser]:
    """Start the browser at ``path``; it ends with the block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS])
        try:
            yield browser
        finally:
            browser.close()
