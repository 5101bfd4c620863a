"""Signatures as Standard Webhooks computes them, and secrets that only their own subscription and key decrypt."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from services.notifications.channels.webhook import WebhookChannel
from services.notifications.deliveries.model import Claim
from services.notifications.subscriptions.secrets import new_secret, secret_cipher, write_secret
from shared.clients.outbound import Answer, OutboundClient

pytestmark = pytest.mark.anyio

# The vector shared by the standard's libraries.
SECRET, DELIVERY, TIMESTAMP, BODY = (
    "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "msg_p5jXN8AQM9LWM0D4loKWxJek",
    1614265330,
    b'{"test": 2432232314}',
)
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@dataclass
class Recorder:
    """Keeps the request that the channel sends."""

    headers: Mapping[str, str] | None = None
    body: bytes = b""

    async def send(self, _method: str, _url: str, *, headers: Mapping[str, str], body: bytes) -> Any:
        self.headers, self.body = headers, body
        return cast("Answer", type("Answered", (), {"status": 204, "headers": {}}))


async def sent(secret: bytes, body: bytes, at: datetime) -> Recorder:
    recorder, cipher = Recorder(), secret_cipher(bytes(64))
    channel = WebhookChannel(cast("OutboundClient", recorder), cipher, lambda: at)
    claim = Claim(DELIVERY, "one", "owner", 7, 1, 0, "https://receiver.example", cipher.seal("one", secret), body)
    assert (await channel.deliver(claim)).status == 204
    return recorder


async def test_the_standard_s_vector() -> None:
    recorder = await sent(base64.b64decode(SECRET), BODY, datetime.fromtimestamp(TIMESTAMP, UTC))
    assert recorder.headers is not None
    assert recorder.headers["webhook-signature"] == SIGNATURE
    assert recorder.headers["webhook-timestamp"] == str(TIMESTAMP)
    assert recorder.body == BODY


@given(st.text(max_size=200), st.binary(min_size=24, max_size=64), st.integers(0, 999_999))
async def test_every_signature_is_valid_and_covers_id_time_and_body(text: str, secret: bytes, fraction: int) -> None:
    body, at = text.encode(), datetime.now(UTC).replace(microsecond=fraction)
    recorder = await sent(secret, body, at)
    assert recorder.headers is not None
    headers = dict(recorder.headers)
    # Computed here without the library: the channel signs with it, so it cannot check itself.
    signed = f"{DELIVERY}.{int(at.timestamp())}.".encode() + body
    expected = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    Webhook(write_secret(secret)).verify(body, headers, json_parse=False)
    for changed in ({"webhook-id": "other"}, {"webhook-timestamp": str(int(at.timestamp()) - 1)}):
        with pytest.raises(WebhookVerificationError):
            Webhook(write_secret(secret)).verify(body, {**headers, **changed}, json_parse=False)
    with pytest.raises(WebhookVerificationError):
        Webhook(write_secret(secret)).verify(body + b" ", headers, json_parse=False)


def test_an_encrypted_secret_is_decrypted_only_for_its_subscription_and_key() -> None:
    secret, seal = new_secret(), secret_cipher(bytes(64))
    sealed = seal.seal("one", secret)
    assert seal.open("one", sealed) == secret
    assert secret not in sealed
    assert seal.seal("one", secret) != sealed
    for other, name, text in (
        (seal, "two", sealed),
        (secret_cipher(bytes(63)), "one", sealed),
        (seal, "one", sealed[:-1] + bytes([sealed[-1] ^ 1])),
    ):
        with pytest.raises(InvalidTag):
            other.open(name, text)
