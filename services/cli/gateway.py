"""The command line's calls to the running system: one HTTP client, and one clear line when a call does not succeed."""

import base64
import hashlib
import json
import os
import re
import ssl
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from services.supervisor.installation import CannotStartError, Installation

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
STALE = 412
TRIES = 5
_OAUTH_ERROR = re.compile("[a-z_]{1,40}")  # RFC 6749 §5.2


class CallError(Exception):
    """A call did not succeed; the message is the line to show, ``status`` the answer's (0: there was none)."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


def gateway_url(url: str = "") -> str:
    """``url`` as given, or where `cleio up` listens.

    :raises CallError: when the installation's settings make no sense.
    """
    return (url or _installation().local_url).rstrip("/")


@contextmanager
def open_gateway(url: str = "", *, as_caller: bool = False, token: str = "") -> Iterator["Gateway"]:
    """``as_caller``: with the key or token of ``CLEIO_TOKEN``; or with the ``token`` given.

    :raises CallError: when the call needs a token and none is set.
    """
    base, home = gateway_url(url), _installation()
    headers = {"User-Agent": "cleio-cli"}
    if as_caller or token:
        headers["Authorization"] = f"Bearer {token or _token()}"
    called, name = base, ""
    if not url and home.door.tls == "files":
        # The certificate's name may lead elsewhere: the gateway is on this machine, under that name.
        called, name = f"https://{home.host}:{home.port}", home.door.name
        headers["Host"] = f"{name}:{home.port}"
    # A proxy of the environment is for addresses elsewhere.
    elsewhere = not is_loopback(called)
    with httpx.Client(
        base_url=called,
        headers=headers,
        timeout=httpx.Timeout(60, connect=5),
        trust_env=elsewhere,
        verify=_trusted(home),
    ) as client:
        yield Gateway(base, client, name)


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine."""
    return urlsplit(url).hostname in LOOPBACK


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
    """Calls that either succeed or raise `CallError`."""

    def __init__(self, base: str, client: httpx.Client, certified: str = "") -> None:
        """``certified``: the name on its certificate, where it is called under another."""
        self.base = base
        self._client = client
        self._extensions = {"sni_hostname": certified} if certified else {}

    def send(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        body: Any = None,
        media_type: str = "application/json",
        language: str = "en",
        headers: Mapping[str, str] | None = None,
        **query: str,
    ) -> httpx.Response:
        """The answer to one request, with ``content`` or with ``body`` as JSON. ``path`` may be a whole URL.

        :raises CallError: when nothing answers, or the answer is an error.
        """
        told = {"Accept-Language": language, **(headers or {})}
        if body is not None:
            content = json.dumps(body).encode()
        if content is not None:
            told["Content-Type"] = media_type
        if method == "POST":
            # What is sent again on the way takes effect once.
            told["Idempotency-Key"] = uuid.uuid4().hex
        try:
            answer = self._client.request(
                method, path, content=content, headers=told, params=query or None, extensions=self._extensions
            )
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise CallError(f"{self.base} is not an address that can be called") from None
        except httpx.ConnectError:
            raise CallError(
                f"nothing listens at {self.base}: start it with `make run`, or name another address with --url"
            ) from None
        except httpx.TimeoutException:
            raise CallError(f"{self.base} did not answer in time") from None
        except httpx.HTTPError as error:
            raise CallError(f"the call to {self.base} broke off ({type(error).__name__})") from None
        if answer.is_success:
            return answer
        if answer.status_code == httpx.codes.UNAUTHORIZED and "Authorization" in answer.request.headers:
            raise CallError(
                "CLEIO_TOKEN is not believed: it is over, revoked, or not meant for this (401 unauthenticated)",
                answer.status_code,
            )
        raise CallError(_explain(answer), answer.status_code)

    def read(self, path: str) -> Any:
        """The JSON at ``path``.

        :raises CallError: as `send`; or what answers speaks no JSON.
        """
        return read_json(self.send("GET", path))

    def walk(self, path: str) -> Iterator[Any]:
        """Every item of a list, page after page.

        :raises CallError: as `read`.
        """
        page = self.read(f"{path}?limit=200")
        yield from page["items"]
        while page["next"]:
            page = read_json(self.send("GET", path, limit="200", cursor=page["next"]))
            yield from page["items"]

    def change(self, path: str, write: Callable[[Any], tuple[str, str, Any]]) -> httpx.Response:
        """Read what is at ``path`` and write what follows from it: ``write`` gives method, path and body. Where another came first, it is done again.

        :raises CallError: as `send`.
        """
        for _ in range(TRIES):
            held = self.send("GET", path)
            method, target, body = write(read_json(held))
            try:
                return self.send(method, target, body=body, headers={"If-Match": held.headers["etag"]})
            except CallError as error:
                if error.status != STALE:
                    raise
        raise CallError("somebody else changed it each time: try again", STALE)


def read_json(answer: httpx.Response) -> Any:
    """:raises CallError: it is none."""
    try:
        return answer.json()
    except ValueError:
        raise CallError(
            f"{answer.request.url.host} answered something else than JSON: is it the right address?"
        ) from None


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
        if _OAUTH_ERROR.fullmatch(problem.get("error", "")):
            return f"{answer.request.url.path} refused: {problem['error']} ({answer.status_code})"
        told = f"{problem['detail']} ({answer.status_code} {problem['code']})"
        faults = [f"{fault['pointer'] or '/'}: {fault['detail']}" for fault in problem.get("errors", [])]
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"{answer.request.url.path} answered {answer.status_code}"
    return "\n  ".join([told, *faults[:20]])


def _token() -> str:
    if token := os.environ.get("CLEIO_TOKEN"):
        return token
    raise CallError(
        'this needs a right: export CLEIO_TOKEN="$(cleio admin create)" makes an administrator of this installation and takes its key'
    )
