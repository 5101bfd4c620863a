"""Settings of the notifications service (``CLEIO_NOTIFICATIONS_…``)."""

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.clients.outbound import OutboundSettings
from shared.settings import DatabaseUrl, key_of

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

    @property
    def database(self) -> str:
        """The URL of the database: SQLite in the data directory by default."""
        return self.database_url or f"sqlite:///{self.data_dir / 'notifications.db'}"

    @property
    def sealing_key(self) -> bytes:
        """The bytes from which the encryption key of signing secrets is derived."""
        own = self.secret_key.get_secret_value()
        return key_of(own, SEALING_KEY_BYTES, "CLEIO_NOTIFICATIONS_SECRET_KEY") if own else self.cursor_key_bytes
