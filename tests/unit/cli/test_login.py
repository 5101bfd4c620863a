"""`cleio login` accepts only the answer to its own request, from the right provider, with a matching ID token."""

import queue
import time
import urllib.error
import urllib.request
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from services.cli import login
from services.cli.gateway import CallError
from services.cli.login import Provider, check_id_token

ISSUER = "https://idp.example"
KEY = ECKey.generate_key("P-256", {"kid": "one"})
KEYS = {"keys": [KEY.as_dict(private=False)]}
PROVIDER = Provider(
    ISSUER,
    "cleio",
    "urn:cleio:api",
    f"{ISSUER}/auth?tenant=1",
    f"{ISSUER}/token",
    f"{ISSUER}/jwks",
    returns_issuer=True,
)


def id_token(key: ECKey = KEY, typ: str = "JWT", **claims: Any) -> str:
    now = int(time.time())
    said = {"iss": ISSUER, "aud": "cleio", "sub": "marie", "iat": now, "exp": now + 60, "nonce": "n", **claims}
    return jwt.encode(
        {"alg": "ES256", "typ": typ, "kid": "one"},
        {name: value for name, value in said.items() if value is not None},
        key,
    )


@pytest.mark.parametrize("claims", [{}, {"aud": ["cleio", "another"], "azp": "cleio"}])
def test_a_matching_id_token_is_accepted(claims: dict[str, Any]) -> None:
    check_id_token(PROVIDER, id_token(**claims), KEYS, "n")


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        id_token(nonce="another"),
        id_token(nonce=None),
        id_token(iss="https://elsewhere.example"),
        id_token(aud="another"),
        id_token(aud=["cleio", "another"], azp="another"),
        id_token(exp=1),
        id_token(typ="at+jwt"),
        id_token(ECKey.generate_key("P-256", {"kid": "one"})),
    ],
)
def test_every_other_id_token_is_refused(token: str) -> None:
    with pytest.raises(CallError, match="is not valid"):
        check_id_token(PROVIDER, token, KEYS, "n")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"code": "c"}, "from another provider"),
        ({"code": "c", "iss": "https://elsewhere.example"}, "from another provider"),
        ({"error": "access_denied", "iss": ISSUER}, "refused: access_denied"),
        ({"error": "\x1b[31mred", "iss": ISSUER}, "refused: error$"),
        ({"iss": ISSUER}, "without a code"),
    ],
)
def test_only_the_right_provider_is_accepted(given: dict[str, str], why: str) -> None:
    with pytest.raises(CallError, match=why):
        login._authorization_code(PROVIDER, given)


def test_the_authorization_url_keeps_the_query_and_contains_only_the_challenge() -> None:
    url = login._authorization_url(PROVIDER, "http://127.0.0.1:1/callback", "s", "n", "the-verifier")
    assert url.startswith(f"{ISSUER}/auth?tenant=1&response_type=code&")
    assert "code_challenge_method=S256" in url
    assert "the-verifier" not in url


def test_a_callback_with_another_state_is_ignored() -> None:
    answers: queue.Queue[dict[str, str]] = queue.Queue()
    for given in ({"code": "forged"}, {"code": "forged", "state": "another"}, {"code": "right", "state": "s"}):
        answers.put(given)
    assert login._await_callback(answers, "s", 5)["code"] == "right"
    with pytest.raises(CallError, match="no sign-in within"):
        login._await_callback(answers, "s", 0.05)


def test_the_listener_has_one_page_and_refuses_repeated_parameters() -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with login._listening() as (redirect, answers):
        for target in (
            f"{redirect}?state=s&state=s",
            redirect,
            f"{redirect}/x?code=c",
            redirect.replace("/callback", "/favicon.ico"),
        ):
            with pytest.raises(urllib.error.HTTPError) as refused:
                opener.open(target)
            refused.value.close()
            assert refused.value.code == 404
        assert answers.empty()
        with opener.open(f"{redirect}?code=c&state=s") as page:
            assert (page.status, page.headers["Cache-Control"], page.headers["Referrer-Policy"]) == (
                200,
                "no-store",
                "no-referrer",
            )
        assert answers.get(timeout=5) == {"code": "c", "state": "s"}


@pytest.mark.parametrize(
    "url", ["http://idp.example", "ftp://idp.example", "", "idp.example", "http://127.0.0.1.idp.example/"]
)
def test_an_unencrypted_provider_is_refused(url: str) -> None:
    with pytest.raises(CallError, match="not https"):
        login._check_safe(url)


@pytest.mark.parametrize("url", ["https://idp.example/realms/network", "http://127.0.0.1:8080", "http://[::1]:8080"])
def test_loopback_and_https_are_safe(url: str) -> None:
    login._check_safe(url)
