"""Find variables in the environment that look like settings but are none: a misspelt name would be ignored silently."""

import difflib
import importlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from services.cli.output import print_message

SERVICES = ("registry", "matching", "notifications", "portal")
_PREFIX = "CLEIO_"
_CADDYFILE = Path(__file__).resolve().parents[2] / "deploy" / "gateway" / "Caddyfile"
# Read by the supervisor, the command line, the deployment files and the tests; the others belong to the services.
_OWN = frozenset(
    {
        "CLEIO_PORT", "CLEIO_BIND", "CLEIO_DATA_DIR", "CLEIO_PUBLIC_URL", "CLEIO_HOSTS", "CLEIO_TLS", "CLEIO_TLS_CERT",
        "CLEIO_TLS_KEY", "CLEIO_REPLICAS", "CLEIO_HANG_TIMEOUT", "CLEIO_DEMONSTRATION", "CLEIO_SUPERVISED",
        "CLEIO_SERVICE_HOST",
        "CLEIO_TOKEN", "CLEIO_OIDC_ISSUER", "CLEIO_OIDC_AUDIENCE", "CLEIO_OIDC_CLIENT", "CLEIO_BACKUP_DIR",
        "CLEIO_LOG_LEVEL", "CLEIO_LOG_FORMAT", "CLEIO_TEST_DATA", "CLEIO_REGISTRY_PORT", "CLEIO_MATCHING_PORT",
        "CLEIO_NOTIFICATIONS_PORT", "CLEIO_PORTAL_PORT", "CLEIO_REGISTRY_URL", "CLEIO_MATCHING_URL",
        "CLEIO_NOTIFICATIONS_URL", "CLEIO_PORTAL_URL",
    }
)  # fmt: skip


def warn_of_unknown_settings(environment: Mapping[str, str]) -> None:
    """Print a line for each variable CLEIO_… that no part of the program reads."""
    for name, known in unknown_settings(environment):
        hint = f": did you mean {known}?" if known else ""
        print_message(f"cleio: unknown setting {name} is ignored{hint}")


def unknown_settings(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each unknown name with the known name that resembles it (or an empty string)."""
    names = [name for name in sorted(environment) if name.startswith(_PREFIX) and name not in _OWN]
    if not names:
        return
    # Loaded only now: the settings of the services take half a second.
    known = known_settings()
    for name in names:
        if name not in known:
            yield name, next(iter(difflib.get_close_matches(name, known, 1)), "")


def known_settings() -> frozenset[str]:
    """Return every name that the program reads."""
    names = set(_OWN)
    if _CADDYFILE.is_file():
        names.update(re.findall(r"\{\$(CLEIO_[A-Z_]+)", _CADDYFILE.read_text(encoding="utf-8")))
    for service in SERVICES:
        settings = getattr(importlib.import_module(f"services.{service}.settings"), f"{service.capitalize()}Settings")
        names.update(name for names_of_field in variables_of(settings).values() for name in names_of_field)
    return frozenset(names)


def variables_of(settings: Any) -> dict[str, list[str]]:
    """Return the variables of each field of a settings class, the project's own name first."""
    found = {}
    for name, field in settings.model_fields.items():
        alias = field.validation_alias
        if alias is None:
            found[name] = [f"{settings.model_config['env_prefix']}{name.upper()}"]
        else:
            found[name] = [alias] if isinstance(alias, str) else [str(one) for one in alias.choices]
    return found
