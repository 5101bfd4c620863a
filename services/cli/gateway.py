"""Calls of the command line to the running system: one HTTP client, and one line for each call that fails."""

import base64
import hashlib
import json
import os
import re
import ssl
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit

import httpx

from services.supervisor.installation import CannotStartError, Installation

Authentication = Literal["none", "optional", "required"]

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
PRECONDITION_FAILED = 412
UPDATE_ATTEMPTS = 5
# Items of the largest page that a service returns.
MAX_PAGE = 200
# RFC 6749 §5.2; nothing that a terminal would interpret.
_OAUTH_ERROR = re.compile("[a-z_]{1,40}")
_OAUTH_DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]{1,300}")


class CallError(Exception):
    """A failed call. The message is the line to show; ``status`` is the HTTP status, or 0 without an answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


def gateway_url(url: str = "") -> str:
    """Return ``url`` if given, or else the address of the local gateway.

    :raises CallError: when the settings of the installation are invalid.
    """
    return (url or _installation().local_url).rstrip("/")


@contextmanager
def open_gateway(url: str = "", *, authentication: Authentication = "none", token: str = "") -> Iterator["Gateway"]:
    """Open a client for the gateway at ``url`` (default: the local one).

    ``authentication``: whether the key or token in ``CLEIO_TOKEN`` is sent never, if it is set, or always.
    ``token``: a token to send instead.

    :raises CallError: when a token is required and ``CLEIO_TOKEN`` is not set.
    """
    base, installation = gateway_url(url), _installation()
    headers = {"User-Agent": "cleio-cli"}
    if bearer := token or _token(authentication):
        headers["Authorization"] = f"Bearer {bearer}"
    address, certificate_name = base, ""
    if not url and installation.gateway.tls == "files":
        # The name in the certificate may resolve to another machine: call this one, and check for that name.
        address, certificate_name = f"https://{installation.host}:{installation.port}", installation.gateway.name
        headers["Host"] = f"{certificate_name}:{installation.port}"
    with httpx.Client(
        base_url=address,
        headers=headers,
        timeout=httpx.Timeout(60, connect=5),
        trust_env=not is_loopback(address),  # a proxy is used for remote addresses only
        verify=_trusted_certificates(installation),
    ) as client:
        yield Gateway(base, client, certificate_name)


def is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in LOOPBACK


def _installation() -> Installation:
    try:
        return Installation.from_environment(os.environ)
    except CannotStartError as error:
        raise CallError(str(error)) from None


def _trusted_certificates(installation: Installation) -> ssl.SSLContext:
    """Trust the authorities of the system and the environment, and the gateway's own authority if it has one."""
    context = httpx.create_ssl_context()
    if installation.authority.is_file():
        context.load_verify_locations(installation.authority)
    return context


class Gateway:
    """An HTTP client whose calls either succeed or raise `CallError`."""

    def __init__(self, base: str, client: httpx.Client, certificate_name: str = "") -> None:
        """``certificate_name``: the name that the certificate must hold, if it differs from the host that is called."""
        self.base = base
        self._client = client
        self._extensions = {"sni_hostname": certificate_name} if certificate_name else {}

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
        """Send one request with ``content``, or with ``body`` as JSON. ``path`` may be a whole URL.

        :raises CallError: when there is no answer, or the answer is an error.
        """
        all_headers = {"Accept-Language": language, **(headers or {})}
        if body is not None:
            content = json.dumps(body).encode()
        if content is not None:
            all_headers["Content-Type"] = media_type
        if method == "POST":
            # A request that is sent twice on the way takes effect once.
            all_headers["Idempotency-Key"] = uuid.uuid4().hex
        answer = self._request(method, path, content, all_headers, query)
        if answer.is_success:
            return answer
        if answer.status_code == httpx.codes.UNAUTHORIZED and "Authorization" in answer.request.headers:
            raise CallError(
                "CLEIO_TOKEN rejected: expired, revoked or meant for another system (401 unauthenticated)",
                answer.status_code,
            )
        raise CallError(_describe_error(answer), answer.status_code)

    def probe(self, path: str) -> httpx.Response:
        """Return the answer to a GET, whatever its status.

        :raises CallError: when there is no answer.
        """
        return self._request("GET", path, None, {}, {})

    def _request(
        self, method: str, path: str, content: bytes | None, headers: Mapping[str, str], query: Mapping[str, str]
    ) -> httpx.Response:
        try:
            return self._client.request(
                method, path, content=content, headers=headers, params=query or None, extensions=self._extensions
            )
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise CallError(f"{self.base} is not a valid address") from None
        except httpx.ConnectError:
            raise CallError(
                f"nothing listens at {self.base}: start the system with `make run`, or name another address with --url"
            ) from None
        except httpx.TimeoutException:
            raise CallError(f"{self.base} did not answer in time") from None
        except httpx.HTTPError as error:
            raise CallError(f"the call to {self.base} failed ({type(error).__name__})") from None

    def read(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """Return the JSON at ``path``.

        :raises CallError: as `send`, and when the answer is not JSON.
        """
        return read_json(self.send("GET", f"{path}?{urlencode(query)}" if query else path))

    def walk(self, path: str, filters: Mapping[str, str] | None = None, size: int = MAX_PAGE) -> Iterator[Any]:
        """Yield every item of a list, page by page. ``size``: the items of a page.

        :raises CallError: as `read`.
        """
        query = {**(filters or {}), "limit": str(min(size, MAX_PAGE))}
        page = self.read(path, query)
        yield from page["items"]
        while page["next"]:
            page = self.read(path, {**query, "cursor": page["next"]})
            yield from page["items"]

    def first(self, limit: int, path: str, filters: Mapping[str, str] | None = None) -> list[Any]:
        """Return up to ``limit`` items of a list, page by page.

        :raises CallError: as `read`.
        """
        return list(islice(self.walk(path, filters, limit), limit))

    def change(self, path: str, write: Callable[[Any], tuple[str, str, Any]]) -> httpx.Response:
        """Read the resource at ``path`` and send the request that ``write`` makes of it: method, path and body.

        When the resource changes in between, start again.

        :raises CallError: as `send`.
        """
        for _ in range(UPDATE_ATTEMPTS):
            current = self.send("GET", path)
            method, target, body = write(read_json(current))
            try:
                return self.send(method, target, body=body, headers={"If-Match": current.headers["etag"]})
            except CallError as error:
                if error.status != PRECONDITION_FAILED:
                    raise
        raise CallError("it was changed by another caller at every attempt: try again", PRECONDITION_FAILED)


def read_json(answer: httpx.Response) -> Any:
    """Parse the body of an answer.

    :raises CallError: when it is not JSON.
    """
    try:
        return answer.json()
    except ValueError:
        raise CallError(f"{answer.request.url.host} did not answer with JSON: is the address right?") from None


def fetch_file(url: str, token: str, target: Path) -> None:
    """Download a file from a service on this machine to ``target`` and check it against the digest in the answer.

    :raises CallError: when it does not arrive complete.
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
                raise CallError(_describe_error(answer))
            for chunk in answer.iter_bytes():
                digest.update(chunk)
                file.write(chunk)
            expected = answer.headers.get("content-digest", "")
    except httpx.HTTPError as error:
        raise CallError(f"the download of {url} failed ({type(error).__name__})") from None
    if expected != f"sha-256=:{base64.b64encode(digest.digest()).decode()}:":
        raise CallError(f"the download of {url} is incomplete: its digest differs")


def _describe_error(answer: httpx.Response) -> str:
    try:
        problem: Any = answer.json()
        if _OAUTH_ERROR.fullmatch(problem.get("error", "")):
            description = problem.get("error_description", "")
            details = f": {description}" if _OAUTH_DESCRIPTION.fullmatch(description) else ""
            return f"{answer.request.url.path} refused: {problem['error']}{details} ({answer.status_code})"
        text = problem.get("detail") or problem["title"]  # a problem has a detail where it says more than the title
        line = f"{text} ({answer.status_code} {problem['code']})"
        faults = [f"{fault['pointer'] or '/'}: {fault['detail']}" for fault in problem.get("errors", [])]
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"{answer.request.url.path} answered {answer.status_code}"
    return "\n  ".join([line, *faults[:20]])


def _token(authentication: Authentication) -> str:
    token = os.environ.get("CLEIO_TOKEN", "") if authentication != "none" else ""
    if authentication == "required" and not token:
        raise CallError(
            'this command needs a token: export CLEIO_TOKEN="$(cleio admin create)" '
            "creates an administrator of this installation and uses its key"
        )
    return token
