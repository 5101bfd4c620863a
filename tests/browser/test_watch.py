"""The tests notice what a page must not do."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Site
from tests.browser.watch import Watch


def test_what_a_page_must_not_do_is_noticed(site: Site, chromium: Browser) -> None:
    page = chromium.new_page()
    watch = Watch(page, site.url)
    page.goto(f"{site.url}/about")
    assert watch.faults == []
    assert 20_000 < watch.weights()[f"{site.url}/about"] < 200_000
    page.evaluate("fetch('https://elsewhere.example/').catch(() => 0)")
    page.evaluate("new Promise(then => {const i = new Image(); i.onerror = then; i.src = '/portal/assets/0/none.svg'})")
    page.evaluate("setTimeout(() => { throw new Error('broken') })")
    page.wait_for_timeout(50)
    page.close()
    noticed = " | ".join(watch.faults)
    for word in ("Content Security Policy", "404: ", "error of a script: broken"):
        assert word in noticed


def test_a_fault_of_accessibility_and_a_page_that_is_too_wide_are_noticed(
    site: Site, chromium: Browser, check: Callable[[Page], None]
) -> None:
    page = chromium.new_page()
    page.goto(f"{site.url}/about")
    page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    with pytest.raises(AssertionError, match="button-name"):
        check(page)
    page.evaluate("document.querySelector('main button').remove()")
    page.evaluate("document.querySelector('main p').style.width = '200rem'")
    page.evaluate("document.querySelector('main p').style.maxWidth = 'none'")
    with pytest.raises(AssertionError, match="scrolls sideways"):
        check(page)
    page.close()
