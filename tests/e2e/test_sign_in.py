"""People sign in to the portal with a real OpenID provider, through the gateway."""

import base64
import html
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import expect

from services.portal.sign_in.flows import Flows, new_flow
from tests.browser.accessibility import checked
from tests.browser.chromium import executable, started
from tests.e2e.conftest import System, eventually
from tests.e2e.openid import Provider, install

COOKIE = "cleio-session"
FLOW = "cleio-session-flow"
# Language and width of the window: one in `make test`, the others in `make test-full`.
_OTHERS = (("", 360), ("/en", 1280), ("/en", 360))
VARIANTS = [("", 1280), *(pytest.param(*other, marks=pytest.mark.full) for other in _OTHERS)]


@pytest.fixture(scope="module")
def system(inhabited: System, provider: Provider) -> Iterator[System]:
    inhabited.typed("org", "create", "chu-pages", "--kind", "hospital")
    if provider.process is None:
        install()
        provider.start()
    yield inhabited
    provider.stop()


class Browser(httpx.Client):
    """A browser of one person: it keeps cookies and fills in the forms of the provider. It follows no redirect."""

    def __init__(self, system: System, person: str) -> None:
        super().__init__(headers={"Accept": "text/html"}, timeout=30, trust_env=False)
        self.site = system.url
        self.person = person
        self.codes: list[str] = []

    def open(self, path: str, **options: object) -> httpx.Response:
        """Open a page of the portal."""
        return self.get(f"{self.site}{path}", **options)  # type: ignore[arg-type]

    def at_provider(self, back: str = "/about") -> str:
        """Go to the provider, sign in there and consent; return the address where it sends the browser back to."""
        answer = self.open("/sign-in/openid", params={"back": back})
        assert answer.status_code == 303, answer.text
        return self.through(answer.headers["location"])

    def through(self, address: str) -> str:
        """Follow the provider from an address to the callback of the portal."""
        answer = self.get(address)
        while True:
            if answer.is_redirect:
                address = str(answer.url.join(answer.headers["location"]))
                if address.startswith(self.site):
                    return address
                answer = self.get(address)
                continue
            action = re.search(r'<form[^>]*action="([^"]+)"', answer.text)
            assert action, answer.text
            fields = dict(re.findall(r'<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"', answer.text))
            if 'name="login"' in answer.text:
                fields |= {"login": self.person, "password": "anything"}
            answer = self.post(str(answer.url.join(html.unescape(action[1]))), data=fields)

    def sign_in(self, back: str = "/about") -> httpx.Response:
        """Sign in; return the answer to the way back."""
        callback = self.at_provider(back)
        self.codes += parse_qs(urlsplit(callback).query)["code"]
        return self.get(callback)

    @property
    def is_signed_in(self) -> bool:
        return "Se déconnecter" in self.open("/about").text


def printed(system: System) -> list[str]:
    """Return what the system has printed so far."""
    while not system._arriving.empty():
        system.lines.append(system._arriving.get() or "")
    return system.lines


def member(system: System, provider: Provider, subject: str) -> str:
    options = ["--org", "chu-pages", "--issuer", provider.url, "--subject", subject, "--roles", "clinician"]
    return system.typed("member", "add", *options).stdout.strip()


def test_a_person_signs_in_and_out_with_the_provider(system: System, provider: Provider) -> None:
    with Browser(system, "nadia") as browser:
        # The provider knows her, the network does not: she reads what to ask for. (After a failure of another test it
        # may take some seconds until the registry calls the provider again.)
        assert eventually(lambda: (found := browser.sign_in()).status_code == 403 and "nadia" in found.text, 20)
        assert not browser.is_signed_in
        member(system, provider, "nadia")
        entered = browser.sign_in("/about?from=here")
        assert (entered.status_code, entered.headers["location"]) == (303, "/about?from=here")
        cookie = entered.headers.get_list("set-cookie")
        assert any("HttpOnly" in one and "SameSite=lax" in one and "Path=/" in one for one in cookie if COOKIE in one)
        page = browser.open("/about")
        assert "Se déconnecter" in page.text
        assert page.headers["cache-control"] == "no-store"
        # Her access token lasts for 62 seconds, and is renewed a minute before: the page works on.
        time.sleep(2.5)
        assert browser.is_signed_in
        csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert csrf
        out = browser.post(f"{system.url}/sign-out", data={"csrf": csrf[1]})
        target = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', out.text)
        assert target
        assert html.unescape(target[1]).startswith(f"{provider.url}/session/end?id_token_hint=")
        assert "logout" in browser.get(html.unescape(target[1])).text.lower()
        assert not browser.is_signed_in
        session = re.findall(rf"{COOKIE}=([^;]+)", "; ".join(cookie))
        log = "\n".join(printed(system))
        assert "/sign-in/callback" in log
        # Nor any token: each begins like this.
        assert [one for one in (*session, *browser.codes, csrf[1], "eyJ") if one in log] == []


def test_a_revoked_member_loses_the_pages_at_the_next_request(system: System, provider: Provider) -> None:
    identifier = member(system, provider, "ines")
    with Browser(system, "ines") as browser:
        assert eventually(lambda: browser.sign_in().status_code == 303 and browser.is_signed_in, 20)
        assert browser.open("/centres").status_code == 200
        system.typed("member", "revoke", identifier)
        ended = browser.open("/centres")
        assert (ended.status_code, "Votre session a pris fin" in ended.text) == (401, True)
        assert COOKIE not in browser.cookies
        # As an anonymous visitor she reads the public pages again.
        assert browser.open("/centres").status_code == 200


def test_an_answer_counts_once_and_only_in_the_browser_that_asked(system: System, provider: Provider) -> None:
    member(system, provider, "omar")
    with Browser(system, "omar") as browser, Browser(system, "omar") as other:
        callback = browser.at_provider()
        given = {name: values[0] for name, values in parse_qs(urlsplit(callback).query).items()}
        # In another browser, with another state, from another provider, or refused by it.
        assert other.get(callback).status_code == 400
        path = "/sign-in/callback"
        for changed, status in (
            ({"state": "wrong"}, 400),
            ({"state": ""}, 400),
            ({"iss": provider.other}, 400),
            ({"code": "invented"}, 400),
        ):
            assert browser.open(path, params={**given, **changed}).status_code == status, changed
        refused = {"state": given["state"], "iss": given["iss"], "error": "access_denied"}
        assert browser.open(path, params=refused).status_code == 403
        assert not browser.is_signed_in


def test_an_id_token_of_another_sign_in_is_refused(system: System, provider: Provider) -> None:
    member(system, provider, "lea")
    flows = Flows(_key(system))
    with Browser(system, "lea") as browser:
        callback = browser.at_provider()
        flow = flows.read(browser.cookies[FLOW])
        assert flow is not None
        browser.cookies.set(FLOW, flows.write(replace(flow, nonce=new_flow("/").nonce)), domain="127.0.0.1")
        assert browser.get(callback).status_code == 400
        # A flow that is too old, and one of another installation.
        callback = browser.at_provider()
        flow = flows.read(browser.cookies[FLOW])
        assert flow is not None
        for text in (flows.write(replace(flow, until=1)), Flows(bytes(64)).write(flow), "invented"):
            browser.cookies.set(FLOW, text, domain="127.0.0.1")
            assert browser.get(callback).status_code == 400
        browser.cookies.set(FLOW, flows.write(flow), domain="127.0.0.1")
        assert browser.get(callback).status_code == 303
        # The same answer a second time: the cookie is gone; with a kept cookie the provider refuses the code.
        assert browser.get(callback).status_code == 400
        browser.cookies.set(FLOW, flows.write(flow), domain="127.0.0.1")
        assert browser.get(callback).status_code == 400


@pytest.mark.skipif(executable() is None, reason="no Chromium on PATH: deploy/setup/browser.sh installs it")
@pytest.mark.parametrize(("prefix", "width"), VARIANTS)
def test_the_pages_of_a_sign_in_are_used_with_the_keyboard(
    system: System, provider: Provider, prefix: str, width: int
) -> None:
    with started(executable() or "") as chromium:
        page = chromium.new_context(viewport={"width": width, "height": 900}).new_page()
        page.set_default_timeout(10_000)

        def begin() -> None:
            page.goto(f"{system.url}{prefix}/sign-in")
            checked(page)
            page.locator('a[href*="/sign-in/openid"]').focus()
            page.keyboard.press("Enter")
            page.wait_for_url(f"{provider.url}/**")

        # The person cancels at the provider.
        begin()
        page.get_by_role("link", name="Cancel").click()
        page.wait_for_url("**/sign-in/callback?**")
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign-in refused" if prefix else "Connexion refusée")
        checked(page)
        # The network does not know the person: the page says what to ask for.
        begin()
        page.locator("input[name=login]").fill(f"vera-{width}")
        page.locator("input[name=password]").fill("anything")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Continue").press("Enter")
        page.wait_for_url("**/sign-in/callback?**")
        expect(page.get_by_text(f"vera-{width}", exact=True)).to_be_visible()
        checked(page)
        # An answer that was not asked for.
        page.goto(f"{system.url}{prefix}/sign-in/callback?state=wrong&code=wrong")
        expect(page.get_by_role("main").get_by_role("link").first).to_be_visible()
        checked(page)


def _key(system: System) -> bytes:
    return base64.b64decode((system.folder / "secrets" / "cursor-key").read_text(encoding="ascii"))
