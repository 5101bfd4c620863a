"""Settings of the portal (``CLEIO_PORTAL_…``)."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class PortalSettings(ServiceSettings):
    """The settings of the portal, beside those that all services have."""

    model_config = SettingsConfigDict(env_prefix="CLEIO_PORTAL_", extra="ignore")

    notifications_url: str = Field(default="", validation_alias="CLEIO_NOTIFICATIONS_URL")
