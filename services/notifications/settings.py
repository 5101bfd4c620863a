"""Settings of the notifications service (``CLEIO_NOTIFICATIONS_…``)."""

import re
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from services.notifications.channels.smtp import SmtpServer, read_smtp_url
from shared.clients.outbound import OutboundSettings
from shared.settings import DatabaseUrl, SettingError, key_of

_SENDER = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,180}")
SEALING_KEY_BYTES = 32
SECOND, MINUTE, HOUR = 1.0, 60.0, 3600.0


class NotificationsSettings(OutboundSettings):
    model_config = SettingsConfigDict(env_prefix="CLEIO_NOTIFICATIONS_", extra="ignore")

    database_url: DatabaseUrl = ""
    secret_key: SecretStr = Field(
        default=SecretStr(""),
        description="Base64 of at least 32 bytes that encrypt the signing secrets; the cursor key by default.",
    )
    # The schedule recommended by Standard Webhooks: ten attempts over 75.6 hours.
    retry_seconds: tuple[float, ...] = Field(
        default=(
            0,
            5 * SECOND,
            5 * MINUTE,
            30 * MINUTE,
            2 * HOUR,
            5 * HOUR,
            10 * HOUR,
            14 * HOUR,
            20 * HOUR,
            24 * HOUR,
        ),
        min_length=1,
        max_length=50,
    )
    attempt_seconds: float = Field(default=20.0, gt=0)
    contended_attempt_seconds: float = Field(
        default=5.0,
        gt=0,
        description="An attempt that lasts longer is cut off if another organisation waits for its worker.",
    )
    lease_margin_seconds: float = Field(
        default=10.0, gt=0, description="A claim without an outcome is released this long after attempt_seconds."
    )
    concurrency: int = Field(default=50, ge=1)
    concurrency_per_subscription: int = Field(default=4, ge=1)
    subscriptions_per_organisation: int = Field(default=100, ge=1)
    sweep_seconds: float = Field(default=1.0, gt=0)
    drain_seconds: float = Field(
        default=1.5, ge=0, description="How long attempts in progress may take to finish when the service stops."
    )
    feed_wait_seconds: int = Field(default=20, ge=0, le=25)
    smtp_url: SecretStr = Field(
        default=SecretStr(""),
        description="Mail server: smtp://user:password@host:587 (STARTTLS) or smtps://…; empty: no e-mail is sent.",
    )
    mail_from: str = Field(default="", max_length=254, description="Address of the sender of e-mails.")
    mail_collect_seconds: float = Field(
        default=5.0, ge=0, description="How long an e-mail waits, so that events of the same moment are one message."
    )

    @property
    def database(self) -> str:
        """The URL of the database: SQLite in the data directory by default."""
        return self.database_url or f"sqlite:///{self.data_dir / 'notifications.db'}"

    @model_validator(mode="after")
    def _check_mail(self) -> Self:
        if bool(self.smtp_url.get_secret_value()) != bool(self.mail_from):
            raise SettingError("CLEIO_NOTIFICATIONS_SMTP_URL and CLEIO_NOTIFICATIONS_MAIL_FROM need each other")
        if self.mail_from and not _SENDER.fullmatch(self.mail_from):
            raise SettingError("CLEIO_NOTIFICATIONS_MAIL_FROM: an e-mail address alone is expected")
        try:
            _ = self.mail_server
        except ValueError as error:
            raise SettingError(f"CLEIO_NOTIFICATIONS_SMTP_URL: {error}") from None
        return self

    @property
    def mail_server(self) -> SmtpServer | None:
        """The mail server; None: e-mail is not set up."""
        url = self.smtp_url.get_secret_value()
        return read_smtp_url(url) if url else None

    @property
    def sealing_key(self) -> bytes:
        """The bytes from which the encryption key of signing secrets is derived."""
        own = self.secret_key.get_secret_value()
        return key_of(own, SEALING_KEY_BYTES, "CLEIO_NOTIFICATIONS_SECRET_KEY") if own else self.cursor_key_bytes
