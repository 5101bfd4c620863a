"""Every setting as the services read it, with secrets masked."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from services.cli.databases import settings_of
from services.cli.setting_names import variables_of

SERVICES = ("registry", "matching", "notifications", "portal")
MASK = "********"


def effective_settings() -> dict[str, dict[str, Any]]:
    """Return the settings by service and variable, without secrets and the passwords of URLs.

    :raises MissingSecretError: when the installation has no secrets yet.
    """
    found = {}
    for name in SERVICES:
        settings = settings_of(name)
        values = {field: getattr(settings, field) for field in type(settings).model_fields}
        if "database_url" in values:
            values["database_url"] = settings.database
        variables = variables_of(type(settings))
        found[name] = {variables[field][0]: _masked(values[field]) for field in sorted(values)}
    return found


def _masked(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return MASK if value.get_secret_value() else ""
    if isinstance(value, Path | IPv4Network | IPv6Network):
        return str(value)
    if isinstance(value, str) and "://" in value:
        return _without_password(value)
    if isinstance(value, BaseModel):
        return _masked({name: getattr(value, name) for name in type(value).model_fields})
    if isinstance(value, dict):
        return {name: _masked(one) for name, one in value.items()}
    if isinstance(value, tuple | list | set | frozenset):
        return [_masked(one) for one in value]
    return value


def _without_password(url: str) -> str:
    try:
        password = urlsplit(url).password
    except ValueError:
        return MASK
    return url.replace(f":{password}@", f":{MASK}@") if password else url
