"""Settings of the matching service (``CLEIO_MATCHING_…``)."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class MatchingSettings(ServiceSettings):
    """The settings of the matching service, beside those that all services have."""

    model_config = SettingsConfigDict(env_prefix="CLEIO_MATCHING_", extra="ignore")

    country: str = Field(
        default="FR",
        pattern=r"^[A-Z]{2}$",
        description="The country in which trials must recruit, and whose criteria count (ISO 3166-1 alpha-2).",
    )
    feed_wait: int = Field(default=20, ge=0, le=25, description="Seconds that one long poll of the feed may wait.")
    persist_every: float = Field(
        default=5.0, ge=0.05, description="Seconds between two writes of the snapshot while the registry changes."
    )

    @property
    def snapshot_folder(self) -> Path:
        return self.data_dir / "matching" / "snapshot"

    @property
    def written_folders(self) -> list[Path]:
        return [*super().written_folders, self.snapshot_folder]
