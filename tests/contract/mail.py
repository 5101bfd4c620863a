"""A real mail server on loopback, and what a recipient does with its messages."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import httpx
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.conftest import client_of, free_port
from tests.contract.notifications import Notifications, new_key, until

MAIL = "/notifications/v1/mail-subscriptions"
PUBLIC_MAIL = "/notifications/v1/public-mail-subscriptions"
SENDER = "notices@cleio.example"
ADDRESS = "recherche@chu.example"
_LINK = re.compile(r"http://127\.0\.0\.1:8080(/notifications/v1/(?:confirm|unsubscribe)/[A-Za-z0-9_-]+)")


@dataclass
class MailServer:
    """``script``: the next replies to a message, each with its place (`rcpt` or `data`); then it is accepted."""

    port: int
    script: list[tuple[str, str]] = field(default_factory=list)
    received: list[EmailMessage] = field(default_factory=list)
    # While it is clear, messages wait for their reply.
    hold: asyncio.Event = field(default_factory=asyncio.Event)
    tried: int = 0
    _server: asyncio.Server | None = None

    @property
    def settings(self) -> dict[str, Any]:
        return {"smtp_url": f"smtp://127.0.0.1:{self.port}", "mail_from": SENDER, "mail_collect_seconds": 0}

    async def open(self) -> None:
        self.hold.set()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, hostname="mail.example", loop=loop), "127.0.0.1", self.port, reuse_address=True
        )

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def handle_RCPT(  # noqa: N802 - the names of aiosmtpd
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        self.tried += 1
        envelope.rcpt_tos.append(address)
        return self.script.pop(0)[1] if self.script and self.script[0][0] == "rcpt" else "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.script and self.script[0][0] == "data":
            return self.script.pop(0)[1]
        await self.hold.wait()
        message = message_from_bytes(envelope.content, policy=default)  # type: ignore[arg-type]
        assert isinstance(message, EmailMessage)
        assert [message["To"]] == envelope.rcpt_tos
        self.received.append(message)
        return "250 OK"

    async def next(self, count: int) -> EmailMessage:
        """Wait for this many messages in all; return the last of them."""
        await until(lambda: len(self.received) >= count)
        return self.received[count - 1]


@asynccontextmanager
async def running_mail_server() -> AsyncIterator[MailServer]:
    server = MailServer(free_port())
    await server.open()
    try:
        yield server
    finally:
        await server.close()


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def html_of(message: EmailMessage) -> str:
    body = message.get_body(("html",))
    assert body is not None
    return str(body.get_content())


def link_of(message: EmailMessage) -> str:
    """Return the path of the link to confirm or to unsubscribe."""
    found = _LINK.search(text_of(message))
    assert found is not None, text_of(message)
    return found[1]


async def visit(service: Notifications, method: str, path: str, **more: Any) -> httpx.Response:
    """Follow a link as a browser without a login does."""
    async with client_of(service.app, address="203.0.113.9") as browser:
        return await browser.request(method, path, **more)


async def subscribe(
    service: Notifications, *, types: list[str] | None = None, caller: httpx.AsyncClient | None = None, **channel: Any
) -> dict[str, Any]:
    asked = {"channel": {"type": "email", "address": ADDRESS, **channel}, "types": types or []}
    answer = await (caller or service.admin).post(MAIL, json=asked, headers=new_key())
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def confirmed(service: Notifications, mail: MailServer, **channel: Any) -> dict[str, Any]:
    """Subscribe, follow the link in the first message, and forget that message."""
    made = await subscribe(service, **channel)
    answer = await visit(service, "POST", link_of(await mail.next(1)))
    assert answer.status_code == 200, answer.text
    mail.received.clear()
    mail.tried = 0
    return made


async def log(service: Notifications, subscription: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await service.admin.get(f"{MAIL}/{subscription['id']}/deliveries")
    items: list[dict[str, Any]] = answer.json()["items"]
    return items
