"""The public gateway: what it passes on, what it refuses, and the form of its answers."""

import html
import json
import socket
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import EHR_ORIGIN, System, eventually

INNER = [
    "/metrics", "/registry/metrics", "/registry//metrics", "/registry/%6detrics", "/registry/x/../metrics",
    "/fhir/metrics",
    "/registry/v1/internal/x", "/registry/v1/internal", "/matching/internal/x", "/registry/v1/%69nternal/x",
    "/registry/v1//internal/x",
    "/registry/v1/Internal/x", "/registry/v1/x/../internal/y", "/oauth/internal", "/internal/x",
    "/backup", "/registry/v1/backup", "/registry/v1/backup/1", "/registry/v1/backups", "/notifications/v1/backup-now",
    "/notifications/backup",
]  # fmt: skip


def test_metrics_backups_and_internal_routes_are_not_public(system: System) -> None:
    for number, path in enumerate(INNER):
        # Written by hand: a client would normalise the path.
        with socket.create_connection(("127.0.0.1", system.port)) as connection:
            headers = f"Host: localhost\r\nX-Request-Id: inner-{number:06}\r\nConnection: close\r\n"
            connection.sendall(f"GET {path} HTTP/1.1\r\n{headers}\r\n".encode())
            assert connection.recv(64).startswith(b"HTTP/1.1 404 "), path
    with system.client() as client:
        for service in ("registry", "matching", "notifications"):
            client.get(f"/{service}/v1/nowhere", headers={"X-Request-Id": f"outer-{service}"})
            system.read_until(f"outer-{service}")
    # No service was called.
    assert [line for line in system.lines if "inner-" in line] == []


@pytest.mark.parametrize("path", ["/oauth/token", "/.well-known/smart-configuration", "/.well-known/jwks.json"])
def test_the_token_endpoint_and_its_discovery_belong_to_the_registry(system: System, path: str) -> None:
    name = f"asked-for{path.replace('/', '-').replace('.', '')}"[:64]
    with system.client() as client:
        client.get(path, headers={"X-Request-Id": name})
    assert system.read_until(name).startswith("registry")


def test_a_token_request_has_a_small_limit_and_its_query_is_not_logged(system: System) -> None:
    with system.client() as client:
        client.get("/oauth/authorize?login_hint=somebody", headers={"X-Request-Id": "with-a-query"})
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert client.post("/oauth/token", content=bytes(64 * 1024 + 1), headers=form).status_code == 413

        def chunked() -> Iterator[bytes]:
            yield from (bytes(32 * 1024) for _ in range(3))

        assert client.post("/oauth/token", content=chunked(), headers=form).status_code == 413
    log = system.folder / "gateway" / "access.log"
    assert eventually(lambda: "with-a-query" in log.read_text(), 10)
    line = next(line for line in log.read_text().splitlines() if "with-a-query" in line)
    assert json.loads(line)["request"]["uri"] == "/oauth"
    assert "somebody" not in log.read_text()


@pytest.mark.parametrize(("language", "title"), [("fr", "Introuvable"), ("en-GB", "Not found")])
def test_an_unknown_path_is_a_problem_for_programs_in_their_language(system: System, language: str, title: str) -> None:
    with system.client() as client:
        answer = client.get("/nowhere", headers={"Accept-Language": language, "X-Request-Id": "one-of-our-own"})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == "one-of-our-own"
    problem = answer.json()
    assert problem.pop("detail")
    assert problem == {
        "type": "urn:cleio:problem:not_found",
        "title": title,
        "status": 404,
        "code": "not_found",
        "instance": "urn:request:one-of-our-own",
        "errors": [],
    }


@pytest.mark.parametrize(
    ("path", "status", "title"),
    [
        ("/nowhere", 404, "Cette page n'existe pas"),
        ("/en/nowhere", 404, "There is no such page"),
        ("/internal", 404, "Cette page n'existe pas"),  # the gateway itself answers
        ("/docs/nowhere", 404, "There is no such page"),
        (f"/en/trials?q={'a' * 9_000}", 414, "This address is too long"),
    ],
)
def test_an_error_is_a_page_for_browsers(system: System, path: str, status: int, title: str) -> None:
    with system.client() as client:
        answer = client.get(path, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert title in html.unescape(answer.text)


@pytest.mark.parametrize("path", ["/sitemap.xml", "/trials.csv?q=duchenne"])
def test_a_file_is_sent_whatever_the_browser_prefers(system: System, path: str) -> None:
    with system.client() as client:
        assert client.get(path, headers={"Accept": "text/html"}).status_code == 200


def test_an_invalid_request_id_is_replaced(system: System) -> None:
    with system.client() as client:
        given = client.get("/registry/readyz", headers={"X-Request-Id": 'x" <script>'}).headers["x-request-id"]
    assert "script" not in given
    assert len(given) >= 8


def test_a_body_too_large_is_refused(system: System) -> None:
    with system.client(as_admin=True) as client:
        answer = client.post(
            "/matching/v1/match", content=bytes(16 * 1024 * 1024 + 1), headers={"Content-Type": "application/json"}
        )
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        page = client.post("/match", content=bytes(12 * 1024 * 1024 + 1), headers={"Accept": "text/html"})
        assert (page.status_code, "trop volumineux" in page.text) == (413, True)
        # The limit of the bulk upload is larger: the registry itself answers.
        bulk = client.put(
            "/registry/v1/sources/ctgov/trials",
            content=b"\n" * (3 * 1024 * 1024),
            headers={"Content-Type": "application/x-ndjson"},
        )
        assert bulk.status_code != 413


@pytest.mark.parametrize(
    ("path", "length"),
    [
        ("/matching/v1/match", 16 * 1024 * 1024),
        ("/registry/v1/trials", 2 * 1024 * 1024),
        ("/registry/v1/sources/partner:pedstart/trials", 128 * 1024 * 1024),
    ],
)
def test_a_body_declared_too_long_is_refused_before_it_is_sent(system: System, path: str, length: int) -> None:
    with socket.create_connection(("127.0.0.1", system.port), timeout=30) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length + 1}\r\n\r\n".encode())
        assert connection.recv(64).startswith(b"HTTP/1.1 413 ")


def test_headers_too_large_are_refused(system: System) -> None:
    with system.client() as client:
        assert client.get("/registry/readyz", headers={"X-Long": "a" * 20_000}).status_code == 431


def test_a_forged_client_address_is_ignored(system: System) -> None:
    # Without a token a match is only for this machine: a header can neither change nor hide the address of a client.
    claims = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9", "X-Real-IP": "203.0.113.9"}
    with system.client() as client:
        assert (
            client.post("/matching/v1/match", json={}, headers=claims).status_code
            == client.post("/matching/v1/match", json={}).status_code
            != 401
        )


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/matching/v1/match?birth=2015-03-14", "/matching/v1/match"),
        ("/matching/v1/match/2015-03-14", "/matching/v1/match"),
        ("/matching/v1/jeanne", "/matching/v1"),
        ("/registry/v1/trials?q=2015-03-14&limit=1", "/registry/v1/trials"),
        ("/registry/v1/trials/2015-03-14/history?x=1", "/registry/v1/trials"),
        ("/registry/v1/2015-03-14", "/registry/v1"),
        ("/fhir/Patient/2015-03-14", "/fhir"),
        ("/2015-03-14", ""),
    ],
)
def test_the_access_log_contains_nothing_written_by_a_caller(system: System, path: str, logged: str) -> None:
    with system.client() as client:
        client.request("JEANNE", path, headers={"Host": "jeanne.example", "X-Request-Id": "kept-on-purpose"})
    text = (system.folder / "gateway" / "access.log").read_text()
    request = json.loads(text.splitlines()[-1])["request"]
    assert request["uri"] == logged
    assert not {"headers", "host"} & request.keys()
    assert "kept-on-purpose" in text
    for written in ("2015-03-14", "jeanne", "JEANNE"):
        assert written not in text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/cds-services"),
        ("POST", "/cds-services/trials"),
        ("POST", "/fhir/ResearchStudy/$match"),
        ("GET", "/fhir/ResearchStudy"),
    ],
)
def test_a_browser_of_a_listed_origin_may_call(system: System, method: str, path: str) -> None:
    asked = {
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type,traceparent",
    }
    with system.client() as client:
        for origin, allowed in ((EHR_ORIGIN, EHR_ORIGIN), ("https://elsewhere.example", None)):
            preflight = client.options(path, headers={"Origin": origin, **asked})
            assert preflight.is_success == (allowed is not None)
            answer = client.request(method, path, headers={"Origin": origin}, json={} if method == "POST" else None)
            for one in (preflight, answer):
                assert one.headers.get("access-control-allow-origin") == allowed
                assert "Origin" in one.headers["vary"]
                assert "access-control-allow-credentials" not in one.headers
        assert "X-Request-Id" in answer.headers["access-control-expose-headers"]
        # The native interface is for servers.
        native = client.options("/matching/v1/match", headers={"Origin": EHR_ORIGIN, **asked})
        assert "access-control-allow-origin" not in native.headers


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_lists_are_compressed_and_nothing_that_is_sent_back_or_waits(system: System, encoding: str) -> None:
    asked = {"Accept-Encoding": encoding}
    with system.client() as client, client.stream("GET", "/registry/v1/trials", headers=asked) as small:
        sent = sum(map(len, small.iter_raw()))
        assert small.headers["content-encoding"] == encoding
        assert small.headers["etag"].startswith('W/"')
        assert "Accept-Encoding" in small.headers.get_list("vary")
        plain = client.get("/registry/v1/trials", headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.headers["etag"] == small.headers["etag"]
        assert sent < len(plain.content) / 3
        unchanged = client.get("/registry/v1/trials", headers={**asked, "If-None-Match": small.headers["etag"]})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        # A version is sent back in If-Match; the feed waits; the export tells its length.
        for path in ("/registry/v1/trials/CLEIO-DEMO-0001", "/registry/v1/feed", "/registry/v1/export"):
            assert "content-encoding" not in client.get(path, headers=asked).headers, path
        assert client.get("/registry/v1/trials/CLEIO-DEMO-0001", headers=asked).headers["etag"].startswith('"v')
