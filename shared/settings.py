"""Settings that every service has, read from the environment and from the installation's secret files."""

import base64
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, Self

from pydantic import AliasChoices, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from shared.values.addresses import EMBEDDED_PORTS

Network = IPv4Network | IPv6Network


class SettingError(RuntimeError):
    """A setting is missing or cannot be used; the message is the one line its operator needs, and holds no value."""


class MissingSecretError(SettingError):
    """A secret that the installation needs is neither in the environment nor in its file."""


class UnusableSecretError(SettingError):
    """A secret is empty, cut or no secret at all. It would be no error to the arithmetic: an empty key seals as well as a good one."""


# What each secret is at the least, so that a file that was cut, or a placeholder, is not taken for one.
TOKEN_CHARACTERS = 20
KEY_BYTES = {"cursor_key": 64, "audit_key": 32}


def key_of(text: str, size: int, place: str) -> bytes:
    """A key kept as base64, of at least ``size`` bytes.

    :raises UnusableSecretError: it is none; nothing of it is said.
    """
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) < size:
        raise UnusableSecretError(f"{place} is not the base64 of {size} bytes: bring back a copy of it")
    return key


class ServiceSettings(BaseSettings):
    """Base of a service's settings. ``CLEIO_…`` is common to all, ``CLEIO_<SERVICE>_…`` is its own (subclasses set the prefix)."""

    model_config = SettingsConfigDict(extra="ignore")

    data_dir: Path = Field(default=Path("var"), validation_alias="CLEIO_DATA_DIR")
    gateway_port: int = Field(default=8080, validation_alias="CLEIO_PORT")
    gateway_bind: str = Field(default="127.0.0.1", validation_alias="CLEIO_BIND")
    public_url: str = Field(
        default="",
        validation_alias="CLEIO_PUBLIC_URL",
        description="Where callers reach the gateway; the issuer of tokens.",
    )
    issuer_keys: Path | None = Field(
        default=None, validation_alias="CLEIO_ISSUER_KEYS", description="A file of public keys (JWKS) to trust."
    )
    builtin_issuer: bool = Field(
        default=True, validation_alias="CLEIO_BUILTIN_ISSUER", description="Whether tokens are issued here."
    )
    oidc_issuer: str = Field(
        default="", validation_alias="CLEIO_OIDC_ISSUER", description="An OpenID provider whose tokens are taken."
    )
    oidc_audience: str = Field(
        default="", validation_alias="CLEIO_OIDC_AUDIENCE", description="Whom its tokens must be meant for."
    )
    registry_url: str = Field(default="", validation_alias="CLEIO_REGISTRY_URL")
    matching_url: str = Field(default="", validation_alias="CLEIO_MATCHING_URL")
    internal_token: SecretStr = Field(default=SecretStr(""), validation_alias="CLEIO_INTERNAL_TOKEN")
    cursor_key: SecretStr = Field(default=SecretStr(""), validation_alias="CLEIO_CURSOR_KEY")
    audit_key: SecretStr = Field(default=SecretStr(""), validation_alias="CLEIO_AUDIT_KEY")
    rate_read: int = Field(
        default=1200,
        ge=0,
        validation_alias="CLEIO_RATE_READ",
        description="Reads a minute for each caller; 0: no limit.",
    )
    rate_match: int = Field(
        default=600, ge=0, validation_alias="CLEIO_RATE_MATCH", description="Matches and checks a minute."
    )
    rate_write: int = Field(default=300, ge=0, validation_alias="CLEIO_RATE_WRITE", description="Writes a minute.")
    rate_token: int = Field(
        default=60, ge=0, validation_alias="CLEIO_RATE_TOKEN", description="Requests of a token a minute."
    )
    rate_loopback_factor: int = Field(
        default=1000,
        ge=1,
        validation_alias="CLEIO_RATE_LOOPBACK_FACTOR",
        description="So many times more for callers on this machine.",
    )
    gateway_networks: tuple[Network, ...] = Field(
        default=(),
        validation_alias="CLEIO_GATEWAY_NETWORKS",
        description="Where the gateway calls from (JSON), beside this machine: its word is believed.",
    )
    most_working: int = Field(
        default=200,
        ge=1,
        validation_alias="CLEIO_MOST_WORKING",
        description="Requests that a process works on at once.",
    )
    most_waiting: int = Field(
        default=2000,
        ge=1,
        validation_alias="CLEIO_MOST_WAITING",
        description="Long polls and streams that it holds at once.",
    )
    answer_cache_mib: int = Field(
        default=64,
        ge=0,
        validation_alias="CLEIO_ANSWER_CACHE_MIB",
        description="Memory (MiB) for cached public answers of a process; 0: none are cached.",
    )
    log_level: str = Field(default="INFO", validation_alias="CLEIO_LOG_LEVEL")
    otlp_endpoint: str = Field(
        default="",
        validation_alias=AliasChoices("CLEIO_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        description="Base URL of an OpenTelemetry collector (OTLP over HTTP); empty: no traces, and nothing of the SDK is loaded.",
    )

    def __init__(self, **given: Any) -> None:
        """:raises SettingError: one cannot be read, or a secret is missing."""
        try:
            super().__init__(**given)
        except ValidationError as error:
            wrong = (
                f"{self._name(one['loc'])}: {one['msg']}"
                for one in error.errors(include_url=False, include_input=False, include_context=False)
            )
            raise SettingError("; ".join(wrong)) from None
        except SettingsError as error:
            field = next((name for name in type(self).model_fields if f'"{name}"' in str(error)), "")
            raise SettingError(f"{self._name((field,))}: Input should be JSON") from None

    @classmethod
    def _name(cls, place: tuple[int | str, ...]) -> str:
        """How an operator writes the setting."""
        name = str(place[0])
        alias = cls.model_fields[name].validation_alias if name in cls.model_fields else name
        return alias if isinstance(alias, str) else f"{cls.model_config['env_prefix']}{name.upper()}"

    @model_validator(mode="after")
    def _read_secret_files(self) -> Self:
        for name in ("internal_token", "cursor_key", "audit_key"):
            place = f"CLEIO_{name.upper()}"
            if not getattr(self, name).get_secret_value():
                path = self.data_dir / "secrets" / name.replace("_", "-")
                if not path.is_file():
                    raise MissingSecretError(f"no secret at {path}: `cleio up` makes it, or set {place}")
                place = f"the secret at {path}"
                setattr(self, name, SecretStr(path.read_bytes().decode("ascii", errors="replace").strip()))
            value = getattr(self, name).get_secret_value()
            if name in KEY_BYTES:
                key_of(value, KEY_BYTES[name], place)
            elif len(value) < TOKEN_CHARACTERS:
                raise UnusableSecretError(
                    f"{place} is shorter than {TOKEN_CHARACTERS} characters: anybody could guess it"
                )
        return self

    @model_validator(mode="after")
    def _name_the_audience(self) -> Self:
        if self.oidc_issuer and not self.oidc_audience:
            raise SettingError(
                "CLEIO_OIDC_AUDIENCE must say whom the provider's tokens are meant for: without it any token of it would do"
            )
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
    def issuer(self) -> str:
        """The issuer that our own tokens name."""
        return self.public_url.rstrip("/") or f"http://127.0.0.1:{self.gateway_port}"

    @property
    def audit_folder(self) -> Path:
        return self.data_dir / "audit"

    def service_url(self, name: str) -> str:
        """Where a sibling service listens, its replicas separated by commas: its own setting, else the port of the embedded run."""
        own: str = getattr(self, f"{name}_url", "")
        return own or f"http://127.0.0.1:{self.gateway_port + EMBEDDED_PORTS[name]}"
