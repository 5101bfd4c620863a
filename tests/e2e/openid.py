"""A real OpenID provider (npm's oidc-provider, run by the node of its wheel), and a scripted browser for it."""

import base64
import hashlib
import html
import http.cookiejar
import json
import os
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from joserfc.jwk import ECKey, RSAKey

from tests import node_packages

FOLDER = Path(__file__).resolve().parents[1] / "node" / "oidc"
AUDIENCE = "urn:cleio:api"
NATIVE_REDIRECT = "http://127.0.0.1/callback"


def install() -> None:
    """Install the packages of the provider."""
    node_packages.install(FOLDER)


class Provider:
    """The provider's process on ``port``; ``other``, on the next port, is a second issuer with the same keys."""

    def __init__(self, port: int) -> None:
        self.ports = (port, port + 1)
        self.url, self.other = (f"http://127.0.0.1:{port}" for port in self.ports)
        self.process: subprocess.Popen[str] | None = None
        # The same after a restart: the services keep public keys for some minutes.
        elliptic = ECKey.generate_key("P-256", {"kid": "of-the-provider-es", "use": "sig"})
        rsa = RSAKey.generate_key(2048, {"kid": "of-the-provider-rs", "use": "sig"})
        self._keys = json.dumps([elliptic.as_dict(private=True), rsa.as_dict(private=True)])

    def start(self) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "PORT": str(self.ports[0]),
            "OTHER_PORT": str(self.ports[1]),
            "AUDIENCE": AUDIENCE,
            "KEYS": self._keys,
        }
        self.process = subprocess.Popen(
            [node_packages.NODE, "provider.mjs"],
            cwd=FOLDER,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        for _ in self.ports:
            assert self.process.stdout.readline().startswith("listening")
        self.short_lived = self.program_token(
            "hasty"
        )  # for one second; by the time that a test looks at it, it is over

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def program_token(self, client: str = "planning", resource: str = AUDIENCE, issuer: str = "") -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": client,
            "client_secret": "of-the-tests",
            "resource": resource,
        }
        answer = httpx.post(f"{issuer or self.url}/token", data=form, trust_env=False)
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token

    def id_token(self, person: str, client: str) -> tuple[str, str]:
        """The access token and the ID token that a native program gets when the person signs in."""
        verifier = "v" * 43
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        client_fields: dict[str, str] = {"client_id": client, "redirect_uri": NATIVE_REDIRECT, "resource": AUDIENCE}
        query = {
            "response_type": "code",
            "scope": "openid",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **client_fields,
        }
        browser = Browser(person)
        browser.sign_in(f"{self.url}/auth?{urllib.parse.urlencode(query)}")
        code = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(browser.returned).query))["code"]
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier, **client_fields}
        answer: dict[str, Any] = httpx.post(f"{self.url}/token", data=form, trust_env=False).json()
        return answer["access_token"], answer["id_token"]


class Browser(urllib.request.HTTPRedirectHandler):
    """Keeps cookies, follows redirects and fills in the forms of the provider."""

    def __init__(self, person: str) -> None:
        self.person = person
        self.returned = ""
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._agent = urllib.request.build_opener(urllib.request.ProxyHandler({}), jar, self)

    def redirect_request(self, request: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if newurl.startswith(NATIVE_REDIRECT):  # no server listens there: the tests read the address from here
            self.returned = newurl
            return None
        return super().redirect_request(request, fp, code, msg, headers, newurl)

    def sign_in(self, url: str) -> str:
        """Login, consent, and back to where the last redirect leads; the page that is shown there."""
        page = self._open(url)
        for _ in range(2):
            action = re.search(r'<form[^>]*action="([^"]+)"', page)
            assert action, page
            fields = dict(re.findall(r'<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page))
            if 'name="login"' in page:
                fields |= {"login": self.person, "password": "anything"}
            page = self._open(urllib.parse.urljoin(url, html.unescape(action[1])), fields)
        return page

    def _open(self, url: str, fields: Mapping[str, str] | None = None) -> str:
        try:
            with self._agent.open(
                url, urllib.parse.urlencode(fields).encode() if fields else None, timeout=20
            ) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                if self.returned:
                    return ""
            raise
