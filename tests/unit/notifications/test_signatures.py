"""Signatures as Standard Webhooks computes them, and secrets that only their own subscription and key open."""

import base64
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from services.notifications.channels.webhook import sign
from services.notifications.subscriptions.secrets import new_secret, secret_seal, write_secret

# The vector shared by the standard's libraries.
SECRET, DELIVERY, TIMESTAMP, BODY = (
    "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "msg_p5jXN8AQM9LWM0D4loKWxJek",
    1614265330,
    b'{"test": 2432232314}',
)
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_standard_s_vector() -> None:
    assert sign(base64.b64decode(SECRET), DELIVERY, TIMESTAMP, BODY) == SIGNATURE
    assert Webhook("whsec_" + SECRET).sign(DELIVERY, datetime.fromtimestamp(TIMESTAMP, UTC), BODY.decode()) == SIGNATURE


@given(st.text(max_size=200), st.binary(min_size=24, max_size=64))
def test_the_standard_s_own_library_takes_every_signature(text: str, secret: bytes) -> None:
    body = text.encode()
    now = int(datetime.now(UTC).timestamp())
    headers = {
        "webhook-id": DELIVERY,
        "webhook-timestamp": str(now),
        "webhook-signature": sign(secret, DELIVERY, now, body),
    }
    Webhook(write_secret(secret)).verify(body, headers, json_parse=False)
    for changed in ({"webhook-id": "other"}, {"webhook-timestamp": str(now - 1)}):
        with pytest.raises(WebhookVerificationError):
            Webhook(write_secret(secret)).verify(body, {**headers, **changed}, json_parse=False)
    with pytest.raises(WebhookVerificationError):
        Webhook(write_secret(secret)).verify(body + b" ", headers, json_parse=False)


def test_a_sealed_secret_opens_for_its_subscription_and_key_alone() -> None:
    secret, seal = new_secret(), secret_seal(bytes(64))
    sealed = seal.seal("one", secret)
    assert seal.open("one", sealed) == secret
    assert secret not in sealed
    assert seal.seal("one", secret) != sealed
    for other, name, text in (
        (seal, "two", sealed),
        (secret_seal(bytes(63)), "one", sealed),
        (seal, "one", sealed[:-1] + bytes([sealed[-1] ^ 1])),
    ):
        with pytest.raises(InvalidTag):
            other.open(name, text)
