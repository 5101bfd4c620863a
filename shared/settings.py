"""Settings that every service has, read from the environment and from the installation's secret files."""

import base64
from functools import cached_property
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.addresses import EMBEDDED_PORTS


class MissingSecretError(RuntimeError):
    """A secret that the installation needs is neither in the environment nor in its file."""


class ServiceSettings(BaseSettings):
    """Base of a service's settings. ``CLEIO_…`` is common to all, ``CLEIO_<SERVICE>_…`` is its own (subclasses set the prefix)."""

    model_config = SettingsConfigDict(extra="ignore")

    data_dir: Path = Field(default=Path("var"), validation_alias="CLEIO_DATA_DIR")
    gateway_port: int = Field(default=8080, validation_alias="CLEIO_PORT")
    gateway_bind: str = Field(default="127.0.0.1", validation_alias="CLEIO_BIND")
    registry_url: str = Field(default="", validation_alias="CLEIO_REGISTRY_URL")
    matching_url: str = Field(default="", validation_alias="CLEIO_MATCHING_URL")
    internal_token: SecretStr = Field(default=SecretStr(""), validation_alias="CLEIO_INTERNAL_TOKEN")
    admin_token: SecretStr = Field(default=SecretStr(""), validation_alias="CLEIO_ADMIN_TOKEN")
    cursor_key: SecretStr = Field(default=SecretStr(""), validation_alias="CLEIO_CURSOR_KEY")
    audit_key: SecretStr = Field(default=SecretStr(""), validation_alias="CLEIO_AUDIT_KEY")
    log_level: str = Field(default="INFO", validation_alias="CLEIO_LOG_LEVEL")

    @model_validator(mode="after")
    def _read_secret_files(self) -> Self:
        for name in ("internal_token", "admin_token", "cursor_key", "audit_key"):
            if not getattr(self, name).get_secret_value():
                path = self.data_dir / "secrets" / name.replace("_", "-")
                if not path.is_file():
                    raise MissingSecretError(f"no secret at {path}: `cleio up` makes it, or set CLEIO_{name.upper()}")
                setattr(self, name, SecretStr(path.read_text(encoding="ascii").strip()))
        return self

    @cached_property
    def cursor_key_bytes(self) -> bytes:
        """64 bytes, kept as base64."""
        return base64.b64decode(self.cursor_key.get_secret_value())

    @cached_property
    def audit_seed(self) -> bytes:
        """32 bytes that make the Ed25519 key of the audit record, kept as base64."""
        return base64.b64decode(self.audit_key.get_secret_value(), validate=True)

    @property
    def audit_folder(self) -> Path:
        return self.data_dir / "audit"

    def service_url(self, name: str) -> str:
        """Where a sibling service listens, its replicas separated by commas: its own setting, else the port of the embedded run."""
        own: str = getattr(self, f"{name}_url", "")
        return own or f"http://127.0.0.1:{self.gateway_port + EMBEDDED_PORTS[name]}"
