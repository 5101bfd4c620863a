"""Messages by SMTP, encrypted unless the server is on this machine."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from ipaddress import ip_address
from time import perf_counter
from urllib.parse import unquote, urlsplit

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from services.notifications.deliveries.model import Attempt
from shared.values.clock import Clock, utc_now

PORTS = {"smtp": 587, "smtps": 465}
FOR_GOOD = 500


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """A mail server. ``encrypted``: TLS from the first byte, else STARTTLS, which only a loopback server may lack."""

    host: str
    port: int
    encrypted: bool
    user: str
    password: str = field(repr=False)

    @property
    def is_local(self) -> bool:
        if self.host == "localhost":
            return True
        with suppress(ValueError):
            return ip_address(self.host).is_loopback
        return False


def read_smtp_url(text: str) -> SmtpServer:
    """Read ``smtp://user:password@host:587`` or ``smtps://…``.

    :raises ValueError: it is not one; the message does not contain it.
    """
    url = urlsplit(text)
    try:
        port = url.port or PORTS.get(url.scheme, 0)
    except ValueError:
        port = 0
    if url.scheme not in PORTS or not url.hostname or not port or url.path.strip("/") or url.query or url.fragment:
        raise ValueError("smtp://user:password@host:port or smtps://user:password@host:port is expected")
    return SmtpServer(
        url.hostname, port, url.scheme == "smtps", unquote(url.username or ""), unquote(url.password or "")
    )


class SmtpChannel:
    """Sends messages from ``sender`` through one server, each on a connection of its own."""

    def __init__(self, server: SmtpServer, sender: str, seconds: float, clock: Clock = utc_now) -> None:
        self._server = server
        self.sender = sender
        self._seconds = seconds
        self._clock = clock

    async def send(self, message: EmailMessage, address: str) -> tuple[Attempt, bool]:
        """Make one attempt; return it, and whether the address or the message was refused for good.

        The status is the reply of the server. A failure of the server is a result, not an exception.
        """
        at, started = self._clock(), perf_counter()
        status, error, refused = None, None, False
        try:
            async with asyncio.timeout(self._seconds):
                await self._hand_over(bytes(message), address)
            status = 250
        except SMTPRecipientsRefused as failure:
            status, refused = failure.recipients[0].code, _is_for_good(failure.recipients[0])
        except SMTPResponseException as failure:
            status, refused = failure.code, isinstance(failure, SMTPDataError) and _is_for_good(failure)
        except TimeoutError:  # SMTPTimeoutError is one
            error = "timed_out"
        except (SMTPException, OSError):
            error = "connect_failed"
        return Attempt(at, status, error, round((perf_counter() - started) * 1000)), refused

    async def _hand_over(self, message: bytes, address: str) -> None:
        server = self._server
        client = SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user or None,
            password=server.password or None,
            local_hostname=self.sender.rpartition("@")[2],
            timeout=self._seconds,
            use_tls=server.encrypted,
            start_tls=not server.encrypted and not server.is_local,
        )
        try:
            await client.connect()
            await client.sendmail(self.sender, [address], message)
            # Accepted: what happens to the connection now does not matter.
            with suppress(SMTPException, OSError):
                await client.quit()
        finally:
            client.close()


def _is_for_good(failure: SMTPResponseException | SMTPRecipientRefused) -> bool:
    return failure.code >= FOR_GOOD
