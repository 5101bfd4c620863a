"""Settings of every service, read from the environment and from the secret files of the installation."""

import base64
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from shared.values.addresses import EMBEDDED_PORTS
from shared.values.database_urls import read_database_url

Network = IPv4Network | IPv6Network
DatabaseUrl = Annotated[str, AfterValidator(lambda text: read_database_url(text) if text else text)]
# As browsers send it: no path, no capital letters.
BrowserOrigin = Annotated[str, StringConstraints(pattern=r"^https?://[a-z0-9.-]+(:[0-9]{1,5})?$")]
LogLevel = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
    BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value),
]


class SettingError(RuntimeError):
    """A setting is missing or invalid. The message is one line for the operator, without the value."""


class MissingSecretError(SettingError):
    """A required secret is neither in the environment nor in its file."""


class UnusableSecretError(SettingError):
    """A secret is empty, truncated or malformed. Encryption would work with it, but protect nothing."""


# Minimum sizes, so that a truncated file or a placeholder is not accepted as a secret.
TOKEN_CHARACTERS = 20
KEY_BYTES = {"cursor_key": 64, "audit_key": 32}


def key_of(text: str, size: int, place: str) -> bytes:
    """Decode a key of at least ``size`` bytes from base64.

    :raises UnusableSecretError: it is not one; the message does not contain it.
    """
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) < size:
        raise UnusableSecretError(f"{place} is not the base64 of {size} bytes: restore it from a copy")
    return key


class ServiceSettings(BaseSettings):
    """Base of the settings of a service: ``CLEIO_…`` for all services, ``CLEIO_<SERVICE>_…`` for one of them."""

    model_config = SettingsConfigDict(extra="ignore")

    data_dir: Path = Field(default=Path("var"), validation_alias="CLEIO_DATA_DIR")
    gateway_port: int = Field(default=8080, validation_alias="CLEIO_PORT")
    gateway_bind: str = Field(default="127.0.0.1", validation_alias="CLEIO_BIND")
    public_url: str = Field(
        default="",
        validation_alias="CLEIO_PUBLIC_URL",
        description="URL at which callers reach the gateway; the issuer of tokens.",
    )
    event_source_url: str = Field(
        default="",
        validation_alias="CLEIO_EVENT_SOURCE",
        max_length=200,
        description="URI that names this installation in the `source` of events; default: the public URL.",
    )
    issuer_keys: Path | None = Field(
        default=None,
        validation_alias="CLEIO_ISSUER_KEYS",
        description="File with public keys (JWKS) of the token issuer to trust.",
    )
    builtin_issuer: bool = Field(
        default=True, validation_alias="CLEIO_BUILTIN_ISSUER", description="Whether this installation issues tokens."
    )
    oidc_issuer: str = Field(
        default="",
        validation_alias="CLEIO_OIDC_ISSUER",
        description="OpenID provider whose access tokens are accepted.",
    )
    oidc_audience: str = Field(
        default="", validation_alias="CLEIO_OIDC_AUDIENCE", description="Audience that its tokens must have."
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
        description="Reads per minute and caller; 0: no limit.",
    )
    rate_match: int = Field(
        default=600,
        ge=0,
        validation_alias="CLEIO_RATE_MATCH",
        description="Matches and criteria checks per minute and caller; 0: no limit.",
    )
    rate_write: int = Field(
        default=300, ge=0, validation_alias="CLEIO_RATE_WRITE", description="Writes per minute and caller; 0: no limit."
    )
    rate_token: int = Field(
        default=60,
        ge=0,
        validation_alias="CLEIO_RATE_TOKEN",
        description="Token requests per minute and caller; 0: no limit.",
    )
    rate_loopback_factor: int = Field(
        default=1000,
        ge=1,
        validation_alias="CLEIO_RATE_LOOPBACK_FACTOR",
        description="Factor by which the quotas of callers on this machine are larger.",
    )
    gateway_networks: tuple[Network, ...] = Field(
        default=(),
        validation_alias="CLEIO_GATEWAY_NETWORKS",
        description="Networks of gateways on other machines (JSON list), whose X-Forwarded-For is trusted.",
    )
    cors_origins: tuple[BrowserOrigin, ...] = Field(
        default=(),
        validation_alias="CLEIO_CORS_ORIGINS",
        description="Origins (JSON list) whose programs in a browser may call CDS Hooks and FHIR; default: none.",
    )
    most_working: int = Field(
        default=200,
        ge=1,
        validation_alias="CLEIO_MOST_WORKING",
        description="Maximum number of requests that a process works on at once.",
    )
    most_waiting: int = Field(
        default=2000,
        ge=1,
        validation_alias="CLEIO_MOST_WAITING",
        description="Maximum number of long polls and streams that a process serves at once.",
    )
    log_level: LogLevel = Field(default="INFO", validation_alias="CLEIO_LOG_LEVEL")
    log_format: Literal["auto", "text", "json"] = Field(
        default="auto",
        validation_alias="CLEIO_LOG_FORMAT",
        description="Log lines for people (`text`) or programs (`json`); `auto`: text on a terminal, else JSON.",
    )
    answer_cache_mib: int = Field(
        default=64,
        ge=0,
        validation_alias="CLEIO_ANSWER_CACHE_MIB",
        description="Memory (MiB) for cached public answers of a process; 0: none are cached.",
    )
    otlp_endpoint: str = Field(
        default="",
        validation_alias=AliasChoices("CLEIO_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        description="Base URL of an OpenTelemetry collector (OTLP over HTTP); empty: traces are not exported.",
    )

    def __init__(self, **given: Any) -> None:
        """:raises SettingError: a setting is invalid, or a secret is missing."""
        try:
            super().__init__(**given)
        except ValidationError as error:
            wrong = (
                f"{self._name(one['loc'])}: {one['msg'].removeprefix('Value error, ')}"
                for one in error.errors(include_url=False, include_input=False, include_context=False)
            )
            raise SettingError("; ".join(wrong)) from None
        except SettingsError as error:
            field = next((name for name in type(self).model_fields if f'"{name}"' in str(error)), "")
            raise SettingError(f"{self._name((field,))}: Input should be JSON") from None

    @classmethod
    def _name(cls, place: tuple[int | str, ...]) -> str:
        """Return the name of a setting as the operator writes it."""
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
                    raise MissingSecretError(f"no secret at {path}: `cleio up` creates it, or set {place}")
                place = f"the secret at {path}"
                setattr(self, name, SecretStr(path.read_bytes().decode("ascii", errors="replace").strip()))
            value = getattr(self, name).get_secret_value()
            if name in KEY_BYTES:
                key_of(value, KEY_BYTES[name], place)
            elif len(value) < TOKEN_CHARACTERS:
                raise UnusableSecretError(f"{place} is shorter than {TOKEN_CHARACTERS} characters: it could be guessed")
        return self

    @model_validator(mode="after")
    def _name_the_audience(self) -> Self:
        if self.oidc_issuer and not self.oidc_audience:
            raise SettingError(
                "CLEIO_OIDC_AUDIENCE is required with CLEIO_OIDC_ISSUER: otherwise every token of the provider"
                " would be accepted"
            )
        return self

    @cached_property
    def cursor_key_bytes(self) -> bytes:
        """64 bytes; stored as base64."""
        return base64.b64decode(self.cursor_key.get_secret_value())

    @cached_property
    def audit_seed(self) -> bytes:
        """The 32 bytes of the Ed25519 key of the audit log; stored as base64."""
        return base64.b64decode(self.audit_key.get_secret_value(), validate=True)

    @property
    def issuer(self) -> str:
        """The issuer of the tokens of this installation."""
        return self.public_url.rstrip("/") or f"http://127.0.0.1:{self.gateway_port}"

    @property
    def event_source(self) -> str:
        """The URI of this installation in the ``source`` of CloudEvents, without a slash at its end."""
        return self.event_source_url.rstrip("/") or self.issuer

    @property
    def audit_folder(self) -> Path:
        return self.data_dir / "audit"

    @property
    def written_folders(self) -> list[Path]:
        """The folders that the service must be able to write to."""
        url: str = getattr(self, "database", "")
        is_file = url.startswith("sqlite:///")
        return [self.audit_folder, *([Path(url.removeprefix("sqlite:///")).parent] if is_file else [])]

    def service_url(self, name: str) -> str:
        """Return the URL of another service, or those of its replicas separated by commas.

        It is the setting, or the port of the embedded run.
        """
        own: str = getattr(self, f"{name}_url", "")
        return own or f"http://127.0.0.1:{self.gateway_port + EMBEDDED_PORTS[name]}"
