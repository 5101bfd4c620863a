"""Fixtures of the tests in a browser: the system, pages that notice what goes wrong, and checks of accessibility."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from playwright.sync_api import Browser, Page

from tests.browser.accessibility import checked
from tests.browser.chromium import executable, started
from tests.browser.watch import HEAVIEST, Watch, without_cache
from tests.conftest import free_port
from tests.e2e.conftest import System

# A page takes a hundredth of it on a free machine, and seconds where three workers share two slow processors.
PATIENCE = 30_000  # ms
HEIGHT = 900


class Site(System):
    """A system whose commands run in a thread of their own: in that of the tests the browser's event loop runs."""

    def cleio(self, *arguments: str, check: bool = True, **settings: str) -> Any:
        with ThreadPoolExecutor(1) as apart:
            return apart.submit(super().cleio, *arguments, check=check, **settings).result()

    def typed(self, *arguments: str, token: str = "", code: int | None = 0) -> Any:
        token = token or self.admin_key
        with ThreadPoolExecutor(1) as apart:
            return apart.submit(super().typed, *arguments, token=token, code=code).result()


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The browser. Its event loop ends with these tests, because those of other folders start their own."""
    if (path := executable()) is None:
        pytest.skip("no Chromium on PATH: deploy/setup/browser.sh installs it")
    with started(path) as browser:
        yield browser


class Outbox:
    """A mail server that keeps what it gets."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        message = message_from_bytes(envelope.content, policy=default)  # type: ignore[arg-type]
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        return "250 OK"

    def link(self, count: int) -> str:
        """Wait for this many messages in all; return the first link in the last of them."""
        until = time.monotonic() + PATIENCE / 1000
        while len(self.messages) < count and time.monotonic() < until:
            time.sleep(0.05)
        body = self.messages[count - 1].get_body(("plain",))
        assert body is not None
        return next(word for word in str(body.get_content()).split() if word.startswith("http"))


@pytest.fixture(scope="package")
def mail_server() -> Iterator[Controller]:
    """The mail server of the system; its handler is an `Outbox`."""
    server = Controller(Outbox(), hostname="127.0.0.1", port=free_port())
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def outbox(mail_server: Controller) -> Outbox:
    """The messages that the system sent, from the beginning of a test on."""
    found: Outbox = mail_server.handler
    found.messages.clear()
    return found


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory, mail_server: Controller) -> Iterator[Site]:
    """A running system with the sample, shared by all tests in a browser. Its pages begin at ``site.url``."""
    if executable() is None:
        pytest.skip("no Chromium on PATH: deploy/setup/browser.sh installs it")
    # All tests come from one address: together they ask more in a minute than a person may.
    quotas = dict.fromkeys(("CLEIO_RATE_READ", "CLEIO_RATE_MATCH", "CLEIO_RATE_WRITE"), "0")
    mail = {
        "CLEIO_NOTIFICATIONS_SMTP_URL": f"smtp://127.0.0.1:{mail_server.port}",
        "CLEIO_NOTIFICATIONS_MAIL_FROM": "notices@cleio.example",
        "CLEIO_NOTIFICATIONS_MAIL_COLLECT_SECONDS": "0",
    }
    running = Site(tmp_path_factory.mktemp("site") / "var", **quotas, **mail)
    try:
        running.read_until("ready in")
        yield running
    finally:
        running.end()


@pytest.fixture(params=["fr", "en"])
def language(request: pytest.FixtureRequest) -> str:
    """A language: of the pages that `in_language` addresses; for the full versions of tests."""
    return str(request.param)


@pytest.fixture(params=[360, 1280])
def width(request: pytest.FixtureRequest) -> int:
    """A width of the window in pixels: a telephone's and a desk's; for the full versions of tests."""
    return int(request.param)


@pytest.fixture
def new_page(request: pytest.FixtureRequest, chromium: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """Open a page of its own session, 1280 px wide unless the test has the fixture ``width``.

    Takes the options of Playwright's ``new_context``, such as ``java_script_enabled=False``. After the test no page
    may have had an error, asked another origin, or been heavier than `HEAVIEST`.
    """
    wide = request.getfixturevalue("width") if "width" in request.fixturenames else 1280
    opened: list[tuple[Page, Watch]] = []

    def open_page(**options: Any) -> Page:
        context = chromium.new_context(
            **{"viewport": {"width": wide, "height": HEIGHT}, "reduced_motion": "reduce", **options}
        )
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        without_cache(context, page)
        opened.append((page, Watch(page, site.url)))
        return page

    yield open_page
    faults = [fault for _, watch in opened for fault in watch.faults]
    weights = {address: bytes_ for _, watch in opened for address, bytes_ in watch.weights().items()}
    for page, _ in opened:
        page.context.close()
    assert faults == []
    assert {address: bytes_ for address, bytes_ in weights.items() if bytes_ > HEAVIEST} == {}


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """A page of an anonymous visitor."""
    return new_page()


@pytest.fixture(scope="session")
def check() -> Callable[[Page], None]:
    """Check a page as it is now: no violation that axe-core finds, and nothing wider than the window."""
    return checked
