"""Settings of matching (``CLEIO_MATCHING_…``)."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class MatchingSettings(ServiceSettings):
    """``feed_wait``: seconds of a long poll. ``persist_every``: seconds between two writes of the snapshot while the registry changes."""

    model_config = SettingsConfigDict(env_prefix="CLEIO_MATCHING_", extra="ignore")

    feed_wait: int = Field(default=20, ge=0, le=25)
    persist_every: float = Field(default=5.0, ge=0.05)

    @property
    def snapshot_folder(self) -> Path:
        return self.data_dir / "matching" / "snapshot"

    @property
    def written_folders(self) -> list[Path]:
        return [*super().written_folders, self.snapshot_folder]
