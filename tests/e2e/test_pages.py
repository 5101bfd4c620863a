"""The pages for browsers: they load nothing from elsewhere, and their policy allows everything that they need."""

import re
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from tests.e2e.conftest import ROOT, System

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
SERVICES = ("registry", "matching", "notifications")
PORTAL = ("/", "/en", "/about", "/sign-in")
PAGES = (*PORTAL, "/docs", *(f"/docs/{name}" for name in SERVICES))
GUIDES = (
    "/guides/README.md",
    *(f"/guides/docs/{name}.md" for name in ("guides/hospital", "eligibility", "operations")),
)


class Page(HTMLParser):
    """The links of a page, what it loads with the directive that must allow it, and what a strict policy forbids.

    ``targets``: where its forms go.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[tuple[str, str]] = []
        self.forbidden: list[str] = []
        self.targets: list[str] = []
        self.language = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "html":
            self.language = given["lang"]
        elif tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "script" and "src" in given:
            self.loads.append(("script-src", given["src"]))
        elif tag == "link" and given["rel"] in {"icon", "stylesheet"}:
            self.loads.append(("img-src" if given["rel"] == "icon" else "style-src", given["href"]))
        elif tag == "form":
            self.targets.append(given["action"])
        elif tag == "img":
            self.loads.append(("img-src", given["src"]))
        elif tag in {"script", "style", "iframe", "object", "embed", "base"}:
            self.forbidden.append(tag)
        self.forbidden += [name for name in given if name == "style" or name.startswith("on")]


def policy_of(answer: httpx.Response) -> dict[str, set[str]]:
    parts = [part.split() for part in answer.headers["content-security-policy"].split(";")]
    return {name: set(values) for name, *values in parts}


@pytest.mark.parametrize("path", [*PAGES, *GUIDES])
def test_a_page_has_no_inline_code_and_loads_only_what_its_policy_allows(system: System, path: str) -> None:
    with system.client() as client:
        answer = client.get(path, headers=BROWSER)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        policy, page = policy_of(answer), Page(answer.text)
        assert policy["default-src"] == {"'none'"}
        assert {"'unsafe-inline'", "'unsafe-eval'", "*", "http:", "https:"} & set().union(*policy.values()) == set()
        assert page.forbidden == []
        assert policy["form-action"] == ({"'self'"} if path in PORTAL else {"'none'"})
        assert [target for target in page.targets if not target.startswith("/")] == []
        for directive, named in page.loads:
            assert not urlsplit(named).netloc
            address = urljoin(path, named)
            assert "'self'" in policy[directive], (directive, address)
            loaded = client.get(address)
            assert loaded.status_code == 200, address
            assert loaded.headers["x-content-type-options"] == "nosniff"
            expected = {"script-src": "text/javascript", "style-src": "text/css", "img-src": "image/"}[directive]
            assert loaded.headers["content-type"].startswith(expected), address
        script = any(directive == "script-src" for directive, _ in page.loads)
        assert script == (path in PORTAL or path.startswith("/docs"))


@pytest.mark.parametrize("service", SERVICES)
def test_the_reference_has_its_document_and_its_style_sheet_needs_nothing_else(system: System, service: str) -> None:
    with system.client() as client:
        assert "'self'" in policy_of(client.get(f"/docs/{service}"))["connect-src"]
        document = client.get(f"/docs/openapi/{service}.json")
        assert document.headers["content-type"] == "application/json"
        assert document.json()["info"]["title"] == f"CLEIO {service}"
        script = client.get("/assets/reference.js").text
        assert "/docs/openapi/${service}.json" in script
        assert "validatorUrl: null" in script
        style = client.get("/docs/assets/swagger-ui.css").text
    # Pictures in the style sheet itself, which `img-src data:` allows.
    assert {address[:5] for address in re.findall(r"url\([\"']?([^)\"']+)", style)} == {"data:"}
    assert "@import" not in style


def test_swagger_ui_is_served_with_its_licences(system: System) -> None:
    (folder,) = (ROOT / "deploy" / "gateway" / "site" / "assets").glob("swagger-ui-*")
    with system.client() as client:
        # The licences are those of the version that the package contains.
        assert folder.name.removeprefix("swagger-ui-") in client.get("/docs/assets/swagger-ui-bundle.js").text
        for name, words in (
            ("LICENSE.txt", "Apache License"),
            ("NOTICE.txt", "SmartBear Software"),
            ("swagger-ui-bundle.js.LICENSE.txt", "@license"),
        ):
            licence = client.get(f"/assets/{folder.name}/{name}")
            assert (licence.status_code, licence.headers["content-type"]) == (200, "text/plain; charset=utf-8")
            assert words in licence.text


def test_every_link_of_the_start_page_and_of_the_reference_leads_somewhere(system: System) -> None:
    with system.client() as client:
        for path in ("/", "/en", "/docs", "/guides/README.md", "/guides/docs/guides/hospital.md"):
            for link in Page(client.get(path, headers=BROWSER).text).links:
                target = urlsplit(urljoin(path, link))
                # The guides also name other sites, and folders and programs of the repository, which are not served.
                if not target.netloc and ("." not in target.path or target.path.endswith((".md", ".json"))):
                    assert client.get(target.geturl()).status_code == 200, (path, link)


@pytest.mark.parametrize(("path", "language"), [("/", "fr"), ("/en", "en")])
def test_the_language_of_a_page_is_in_its_address(system: System, path: str, language: str) -> None:
    with system.client() as client:
        answer = client.get(path, headers={**BROWSER, "Accept-Language": "de"})
    assert Page(answer.text).language == answer.headers["content-language"] == language
    assert {"/docs", "/guides/README.md"} <= set(Page(answer.text).links)


def test_a_program_gets_the_links_as_json(system: System) -> None:
    with system.client() as client:
        answer = client.get("/", headers={"Accept": "application/json"})
        assert answer.headers["content-type"] == "application/json"
        links = answer.json()["links"]
        for path in (links["reference"], links["guides"], links["trials"], links["feed"], *links["openapi"].values()):
            assert client.get(path).status_code == 200, path
        assert client.get(links["authorization_server"]).status_code == 200


def test_a_demonstration_is_not_listed_by_search_engines(system: System) -> None:
    with system.client() as client:
        robots = client.get("/robots.txt")
        assert robots.headers["content-type"] == "text/plain; charset=utf-8"
        assert robots.text.splitlines()[-2:] == ["User-agent: *", "Disallow: /"]
        assert client.get("/").headers["x-robots-tag"] == "none"
        assert client.get("/favicon.ico").headers["content-type"] == "image/svg+xml"


OTHERS = (
    "/docs/x",
    "/docs/openapi/x.json",
    "/docs/assets/redoc.standalone.js",
    "/guides/pyproject.toml",
    "/guides/docs/x.md",
    "/guides/docs/../pyproject.toml",
    "/guides/docs/../var/x.json",
    "/guides/deploy/gateway/site/guide.html",
    "/assets/x",
    "/assets/../guide.html",
)


@pytest.mark.parametrize("path", OTHERS)
def test_no_other_file_is_served(system: System, path: str) -> None:
    with system.client() as client:
        answer = client.get(path, headers={"Accept-Language": "en"})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        refused = client.post("/docs")
        assert (refused.status_code, refused.json()["code"]) == (405, "method_not_allowed")
        assert refused.headers["allow"] == "GET, HEAD"
