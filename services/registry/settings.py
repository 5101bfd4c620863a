"""Settings of the registry (``CLEIO_REGISTRY_…``)."""

from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class RegistrySettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="CLEIO_REGISTRY_", extra="ignore")

    database_url: str = ""
    load_sample: bool = False
    keep_feed_days: int = 90

    @property
    def database(self) -> str:
        """The database's URL: SQLite in the data directory unless one is set."""
        return self.database_url or f"sqlite:///{self.data_dir / 'registry.db'}"
