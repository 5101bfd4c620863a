"""Webhooks in the form of Standard Webhooks 1.0: thin event, three headers, HMAC-SHA256 over id, time and body."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from time import perf_counter

from services.notifications.deliveries.model import Attempt, Claim
from shared.clients.outbound import OutboundClient, OutboundError
from shared.values.encryption import Seal

MEDIA_TYPE = "application/cloudevents+json; charset=utf-8"


def sign(secret: bytes, delivery: str, timestamp: int, body: bytes) -> str:
    """The ``webhook-signature`` of a body; ``timestamp`` in seconds since 1970."""
    signed = f"{delivery}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()


class WebhookChannel:
    """Sends a claim to its subscription's URL."""

    def __init__(
        self, client: OutboundClient, seal: Seal, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._client = client
        self._seal = seal
        self._clock = clock

    async def deliver(self, claim: Claim) -> Attempt:
        """One attempt; whatever comes of it is an `Attempt`, never an exception."""
        at, started = self._clock(), perf_counter()
        timestamp = int(at.timestamp())
        headers = {
            "Content-Type": MEDIA_TYPE,
            "webhook-id": claim.delivery,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(
                self._seal.open(claim.subscription, claim.sealed_secret), claim.delivery, timestamp, claim.body
            ),
            "cleio-delivery-number": str(claim.number),
        }
        status, error, retry_after = None, None, None
        try:
            answer = await self._client.send("POST", claim.url, headers=headers, body=claim.body)
            status, retry_after = answer.status, answer.headers.get("Retry-After")
        except OutboundError as failure:
            error = failure.code
        return Attempt(at, status, error, round((perf_counter() - started) * 1000), retry_after)
