"""Sign in as a person at the OpenID provider with a browser, and receive the access token on this machine.

Authorization code with PKCE over a redirect to loopback (RFC 8252, RFC 7636, RFC 9207).
"""

import base64
import hashlib
import hmac
import os
import queue
import re
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from services.cli.gateway import CallError, Gateway, is_loopback, open_gateway, read_json
from shared.access.id_tokens import check_id_token as check
from shared.access.tokens import InvalidTokenError

CALLBACK = "/callback"
MAX_TARGET_LENGTH = 8 * 1024
_ERROR_CODE = re.compile("[a-z_]{1,40}")
_DONE = "Vous pouvez fermer cette page et revenir au terminal. / You can close this page and return to the terminal.\n"
_UNEXPECTED = "Page introuvable. / Page not found.\n"


@dataclass(frozen=True)
class Provider:
    """The endpoints of the provider. ``client`` is the client id of the command line there."""

    issuer: str
    client: str
    audience: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    returns_issuer: bool


def discover(gateway: Gateway, issuer: str, client: str, audience: str) -> Provider:
    """Read the provider's configuration.

    :raises CallError: when it names another issuer, lacks PKCE or has an endpoint without https.
    """
    document = gateway.read(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if not isinstance(document, dict) or document.get("issuer") != issuer:
        raise CallError(f"{issuer} gives itself another address: write --issuer exactly as the provider does")
    methods = document.get("code_challenge_methods_supported")
    if isinstance(methods, list) and "S256" not in methods:
        raise CallError(f"{issuer} does not offer PKCE with S256")
    authorization, token, keys = (
        str(document.get(name, "")) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
    )
    for endpoint in (authorization, token, keys):
        _check_safe(endpoint)
    returns_issuer = document.get("authorization_response_iss_parameter_supported") is True
    return Provider(issuer, client, audience, authorization, token, keys, returns_issuer)


def _check_safe(url: str) -> None:
    if urlsplit(url).scheme != "https" and not (urlsplit(url).scheme == "http" and is_loopback(url)):
        raise CallError(f"{url or 'an endpoint'} is not https: signing in over it would not be safe")


def log_in(
    issuer: str, client: str, audience: str, *, browser: bool, timeout: float, report: Callable[[str], None]
) -> dict[str, Any]:
    """Sign in, check the ID token and return the answer of the provider's token endpoint.

    ``timeout``: seconds to wait for the person. ``report`` receives lines to show.

    :raises CallError: when it does not succeed.
    """
    _check_safe(issuer)
    with open_gateway(issuer) as gateway, _listening() as (redirect, answers):
        provider = discover(gateway, issuer, client, audience)
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        url = _authorization_url(provider, redirect, state, nonce, verifier)
        report(f"Sign in with a browser on this machine:\n  {url}")
        if browser:
            _open_browser(url)
        code = _authorization_code(provider, _await_callback(answers, state, timeout))
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "client_id": client,
            "code_verifier": verifier,
            "resource": audience,
        }
        content = urlencode(form).encode()
        answer = read_json(
            gateway.send(
                "POST", provider.token_endpoint, content=content, media_type="application/x-www-form-urlencoded"
            )
        )
        keys = gateway.read(provider.jwks_uri)
    if (
        not isinstance(answer, dict)
        or not isinstance(answer.get("access_token"), str)
        or str(answer.get("token_type", "")).lower() != "bearer"
    ):
        raise CallError(f"{issuer} gave no access token")
    check_id_token(provider, str(answer.get("id_token", "")), keys, nonce)
    return answer


def _authorization_url(provider: Provider, redirect: str, state: str, nonce: str, verifier: str) -> str:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": provider.client,
        "redirect_uri": redirect,
        "scope": "openid",
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "resource": provider.audience,  # RFC 8707; a provider that does not support it ignores it
    }
    parts = urlsplit(provider.authorization_endpoint)
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, urlencode(query)))), fragment=""))


def _await_callback(answers: "queue.Queue[dict[str, str]]", state: str, timeout: float) -> Mapping[str, str]:
    """Wait for the callback with our ``state``; ignore every other one."""
    end = time.monotonic() + timeout
    while (left := end - time.monotonic()) > 0:
        try:
            given = answers.get(timeout=left)
        except queue.Empty:
            break
        if hmac.compare_digest(given.get("state", "").encode(), state.encode()):
            return given
    raise CallError(f"no sign-in within {timeout:.0f} seconds")


def _authorization_code(provider: Provider, given: Mapping[str, str]) -> str:
    if ("iss" in given or provider.returns_issuer) and given.get("iss") != provider.issuer:
        raise CallError("the answer came from another provider")
    if "error" in given:
        code = given["error"]
        raise CallError(f"{provider.issuer} refused: {code if _ERROR_CODE.fullmatch(code) else 'error'}")
    if not given.get("code"):
        raise CallError(f"{provider.issuer} answered without a code")
    return given["code"]


def check_id_token(provider: Provider, token: str, keys: Any, nonce: str) -> None:
    """Check that the ID token belongs to this sign-in (OpenID Connect Core §3.1.3.7).

    :raises CallError: when it does not.
    """
    found = keys.get("keys") if isinstance(keys, dict) else None
    published = [key for key in found or () if isinstance(key, dict)]
    try:
        check(token, published, issuer=provider.issuer, client=provider.client, nonce=nonce, now=int(time.time()))
    except InvalidTokenError as error:
        raise CallError(f"the ID token of {provider.issuer} is not valid ({error.reason})") from None


@contextmanager
def _listening() -> "Iterator[tuple[str, queue.Queue[dict[str, str]]]]":
    """Listen on loopback; yield the redirect address and a queue of the parameters that arrive there."""
    answers: queue.Queue[dict[str, str]] = queue.Queue(maxsize=100)

    class Callback(BaseHTTPRequestHandler):
        timeout = 5

        def do_GET(self) -> None:
            target = urlsplit(self.path)
            given = (
                parse_qs(target.query, max_num_fields=20)
                if target.path == CALLBACK and len(self.path) <= MAX_TARGET_LENGTH
                else {}
            )
            expected = given and all(len(values) == 1 for values in given.values()) and not answers.full()
            content = (_DONE if expected else _UNEXPECTED).encode()
            self.send_response(200 if expected else 404)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("Referrer-Policy", "no-referrer")
            self.end_headers()
            self.wfile.write(content)
            if expected:
                answers.put_nowait({name: values[0] for name, values in given.items()})

        def log_message(self, *_: object) -> None:
            """Log nothing: the address contains the code."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Callback) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}{CALLBACK}", answers
        finally:
            server.shutdown()


def _open_browser(url: str) -> None:
    """Try to open a browser, in a process of its own so that its output does not mix with the token."""
    quiet: Any = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
        "start_new_session": True,
    }
    subprocess.Popen([sys.executable, "-m", "webbrowser", url], **quiet)  # noqa: S603 - not a shell; the URL is https or loopback


def write_token(file: Path, token: str) -> None:
    """Replace ``file`` with the token, readable only by its owner.

    :raises OSError: when it cannot be written.
    """
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as opened:
            opened.write(token + "\n")
        draft.replace(file)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
