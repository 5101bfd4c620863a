"""Settings of the registry (``CLEIO_REGISTRY_…``)."""

import os

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.registry.synchronisation.plan import Plans
from shared.clients.outbound import OutboundSettings
from shared.settings import DatabaseUrl


class RegistrySettings(OutboundSettings):
    model_config = SettingsConfigDict(env_prefix="CLEIO_REGISTRY_", extra="ignore")

    database_url: DatabaseUrl = ""
    load_sample: bool = False
    keep_feed_days: int = 90
    sync: Plans = Field(
        default_factory=dict,
        description='Sources that are fetched on a schedule (JSON): {"ctgov": {"hours": 24}}; default: none.',
    )
    readers: int = Field(
        default=min(os.cpu_count() or 1, 4),
        ge=0,
        le=64,
        description="Processes that read the records of large imports; 0: they are read in the service itself.",
    )

    count_questions: int = Field(
        default=50, ge=0, description="Different questions for counts that an organisation can ask in a day."
    )
    referral_answer_days: int = Field(
        default=14, ge=1, le=365, description="Days within which a centre answers a referral: worklists show when."
    )
    keep_referrals_years: int = Field(
        default=5, ge=1, le=30, description="Years after which closed referrals are deleted."
    )

    @property
    def token_url(self) -> str:
        return f"{self.issuer}/oauth/token"

    @property
    def database(self) -> str:
        """The database's URL: SQLite in the data directory unless one is set."""
        return self.database_url or f"sqlite:///{self.data_dir / 'registry.db'}"
