"""The command line's calls to the running system: one HTTP client, and one clear line when a call does not succeed."""

import base64
import hashlib
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from services.supervisor.installation import CannotStartError, Installation


class CallError(Exception):
    """A call did not succeed; the message is the line to show."""


def gateway_url(url: str = "") -> str:
    """``url`` as given, or where `cleio up` listens.

    :raises CallError: when the installation's settings make no sense.
    """
    return (url or _installation().local_url).rstrip("/")


@contextmanager
def open_gateway(url: str = "", *, as_admin: bool = False) -> Iterator["Gateway"]:
    """:raises CallError: when the administrator's token is needed and cannot be read."""
    base, called, home = gateway_url(url), gateway_url(url), _installation()
    headers = {"User-Agent": "cleio-cli"}
    if as_admin:
        headers["Authorization"] = f"Bearer {_admin_token()}"
    if not url and home.door.tls == "files":
        # The certificate's name may lead elsewhere: the gateway is on this machine, under that name.
        headers["Host"], called = f"{home.door.name}:{home.port}", f"https://{home.host}:{home.port}"
    # A proxy of the environment is for addresses elsewhere.
    elsewhere = urlsplit(called).hostname not in {"127.0.0.1", "localhost", "::1"}
    with httpx.Client(base_url=called, headers=headers, timeout=httpx.Timeout(60, connect=5), trust_env=elsewhere, verify=_trusted(home)) as client:
        yield Gateway(base, client)


def _installation() -> Installation:
    try:
        return Installation.from_environment(os.environ)
    except CannotStartError as error:
        raise CallError(str(error)) from None


def _trusted(home: Installation) -> ssl.SSLContext:
    """The authorities that the system and the environment name, and the gateway's own where it has one."""
    context = httpx.create_ssl_context()
    if home.authority.is_file():
        context.load_verify_locations(home.authority)
    return context


class Gateway:
    """Calls that either give a JSON body or raise `CallError`."""

    def __init__(self, base: str, client: httpx.Client) -> None:
        self._base = base
        self._client = client

    def send(
        self, method: str, path: str, *, content: bytes, media_type: str = "application/json", language: str = "en", **query: str
    ) -> httpx.Response:
        """The answer to one request with a body.

        :raises CallError: when nothing answers, or the answer is an error.
        """
        headers = {"Content-Type": media_type, "Accept-Language": language}
        name = {"sni_hostname": urlsplit(self._base).hostname}
        try:
            answer = self._client.request(method, path, content=content, headers=headers, params=query or None, extensions=name)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise CallError(f"{self._base} is not an address that can be called") from None
        except httpx.ConnectError:
            raise CallError(f"nothing listens at {self._base}: start it with `make run`, or name another address with --url") from None
        except httpx.TimeoutException:
            raise CallError(f"{self._base} did not answer in time") from None
        except httpx.HTTPError as error:
            raise CallError(f"the call to {self._base} broke off ({type(error).__name__})") from None
        if answer.is_success:
            return answer
        raise CallError(_explain(answer))


def fetch_file(url: str, token: str, target: Path) -> None:
    """GET a file from a service on this machine into ``target``, checked against the digest that comes with it.

    :raises CallError: when it does not arrive whole.
    """
    digest = hashlib.sha256()
    try:
        with (
            httpx.Client(timeout=httpx.Timeout(600, connect=5), trust_env=False) as client,
            client.stream("GET", url, headers={"Authorization": f"Bearer {token}", "Accept-Language": "en"}) as answer,
            target.open("xb") as file,
        ):
            if answer.status_code != httpx.codes.OK:
                answer.read()
                raise CallError(_explain(answer))
            for chunk in answer.iter_bytes():
                digest.update(chunk)
                file.write(chunk)
            told = answer.headers.get("content-digest", "")
    except httpx.HTTPError as error:
        raise CallError(f"the copy from {url} broke off ({type(error).__name__})") from None
    if told != f"sha-256=:{base64.b64encode(digest.digest()).decode()}:":
        raise CallError(f"the copy from {url} did not arrive whole")


def _explain(answer: httpx.Response) -> str:
    try:
        problem: Any = answer.json()
        told = f"{problem['detail']} ({answer.status_code} {problem['code']})"
        faults = [f"{fault['pointer'] or '/'}: {fault['detail']}" for fault in problem.get("errors", [])]
    except (ValueError, KeyError, TypeError):
        return f"{answer.request.url.path} answered {answer.status_code}"
    return "\n  ".join([told, *faults[:20]])


def _admin_token() -> str:
    if token := os.environ.get("CLEIO_ADMIN_TOKEN"):
        return token
    path = Path(os.environ.get("CLEIO_DATA_DIR") or "var") / "secrets" / "admin-token"
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        raise CallError(f"no administrator's token at {path}: run this where `cleio up` runs, or set CLEIO_ADMIN_TOKEN") from None
