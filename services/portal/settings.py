"""Settings of the portal (``CLEIO_PORTAL_…``)."""

from datetime import timedelta
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from shared.clients.outbound import OutboundSettings
from shared.settings import DatabaseUrl, SettingError
from shared.values.addresses import LOOPBACK_NAMES

# Browsers accept the first one only with https, from this host, for all paths.
SECURE_NAME = "__Host-cleio"
LOOPBACK_NAME = "cleio-session"


class PortalSettings(OutboundSettings):
    """The settings of the portal, beside those that all services have."""

    model_config = SettingsConfigDict(env_prefix="CLEIO_PORTAL_", extra="ignore")

    notifications_url: str = Field(default="", validation_alias="CLEIO_NOTIFICATIONS_URL")
    database_url: DatabaseUrl = Field(default="", description="Database of the sessions of signed-in visitors.")
    session_idle_seconds: float = Field(
        default=30 * 60.0, gt=0, description="A session ends when it was not used for this time."
    )
    session_seconds: float = Field(
        default=8 * 3600.0, gt=0, description="A session ends after this time, however much it is used."
    )

    oidc_client_id: str = Field(
        default="",
        max_length=200,
        description="Name under which the OpenID provider knows the portal; empty: people cannot sign in.",
    )
    oidc_client_secret: SecretStr = Field(
        default=SecretStr(""), description="Its secret there; empty: a public client, protected by PKCE alone."
    )
    oidc_scope: str = Field(
        default="openid",
        pattern=r"^openid( [\x21\x23-\x5b\x5d-\x7e]+)*$",
        max_length=200,
        description="Scopes that it asks for; some providers give refresh tokens only for `openid offline_access`.",
    )

    @model_validator(mode="after")
    def _check_provider(self) -> Self:
        if self.oidc_client_id and not self.oidc_issuer:
            raise SettingError("CLEIO_PORTAL_OIDC_CLIENT_ID needs CLEIO_OIDC_ISSUER, the provider that knows it")
        return self

    @property
    def database(self) -> str:
        """The URL of the database: SQLite in the data directory by default."""
        return self.database_url or f"sqlite:///{self.data_dir / 'portal.db'}"

    @property
    def idle(self) -> timedelta:
        """How long a session lasts unused."""
        return timedelta(seconds=self.session_idle_seconds)

    @property
    def absolute(self) -> timedelta:
        """How long a session lasts at most."""
        return timedelta(seconds=self.session_seconds)

    @property
    def session_cookie(self) -> str | None:
        """The name of the cookie of sessions; None: without https there are none, but on this machine."""
        address = urlsplit(self.issuer)
        if address.scheme == "https":
            return SECURE_NAME
        return LOOPBACK_NAME if address.hostname in {*LOOPBACK_NAMES, "::1"} else None
