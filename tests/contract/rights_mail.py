"""The e-mail subscriptions of the rights table, and the links in their messages."""

import json
import uuid
from typing import Any

from fastapi import FastAPI

from services.notifications.link_tokens import MailTokens
from tests.contract.mail import ADDRESS, MAIL, PUBLIC_MAIL

# Never answers: what is sent waits, and what a caller may do does not depend on it.
MAIL_SETTINGS = {
    "CLEIO_NOTIFICATIONS_SMTP_URL": "smtp://127.0.0.1:9",
    "CLEIO_NOTIFICATIONS_MAIL_FROM": "notices@cleio.example",
}
DOCUMENT: dict[str, Any] = {"channel": {"type": "email", "address": ADDRESS}}
DOCUMENTS = {
    f"POST {MAIL}": DOCUMENT,
    f"PUT {MAIL}/{{mail_subscription}}": DOCUMENT,
    f"POST {PUBLIC_MAIL}": {"address": ADDRESS, "condition": "ORPHA:98896"},
}


async def confirm(notifications: FastAPI, created: str) -> str:
    """Make the e-mail subscription of an answer active; return its id."""
    subscription = str(json.loads(created)["id"])
    async with notifications.state.database.transaction() as connection:
        await connection.exec_driver_sql(
            f"UPDATE subscriptions SET status = 'active', confirmed_at = created_at WHERE id = '{subscription}'"
        )
    return subscription


def token_of_link(notifications: FastAPI, path: str, subscription: str) -> str:
    """Return the token of a link: to confirm this subscription, or to unsubscribe one that is gone."""
    tokens: MailTokens = notifications.state.runtime.mail_tokens
    if "/confirm/" in path:
        return tokens.make("confirm", subscription)
    return tokens.make("unsubscribe", str(uuid.UUID(int=0)))
