"""Webhooks as specified by Standard Webhooks 1.0: thin events, signed with HMAC-SHA256 over id, time and body (v1)."""

from collections.abc import Iterator
from datetime import datetime
from time import perf_counter

from standardwebhooks import Webhook

from services.notifications.deliveries.model import Attempt, Claim
from shared.clients.outbound import OutboundClient, OutboundError
from shared.values.clock import Clock, utc_now
from shared.values.encryption import Seal

MEDIA_TYPE = "application/cloudevents+json; charset=utf-8"


class WebhookChannel:
    """Sends deliveries to the URL of their subscription. ``cipher`` decrypts the signing secrets."""

    def __init__(self, client: OutboundClient, cipher: Seal, clock: Clock = utc_now) -> None:
        self._client = client
        self._cipher = cipher
        self._clock = clock

    async def deliver(self, claim: Claim) -> Attempt:
        """Make one attempt. A failure of the receiver is a result, not an exception."""
        at, started = self._clock(), perf_counter()
        headers = {
            "Content-Type": MEDIA_TYPE,
            "webhook-id": claim.delivery,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(self._signatures(claim, at)),
            "cleio-delivery-number": str(claim.number),
        }
        status, error, retry_after = None, None, None
        try:
            answer = await self._client.send("POST", claim.url, headers=headers, body=claim.body)
            status, retry_after = answer.status, answer.headers.get("Retry-After")
        except OutboundError as failure:
            error = failure.code
        return Attempt(at, status, error, round((perf_counter() - started) * 1000), retry_after)

    def _signatures(self, claim: Claim, at: datetime) -> Iterator[str]:
        """Yield the signature by the present secret and, during an overlap, by the former one: a receiver takes any."""
        sealed = [claim.sealed_secret]
        if claim.former_secret is not None and claim.former_until is not None and at < claim.former_until:
            sealed.append(claim.former_secret)
        for one in sealed:
            secret = self._cipher.open(claim.subscription, one)
            yield Webhook(secret).sign(claim.delivery, at, claim.body.decode())
