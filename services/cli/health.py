"""Collect the state of a system: readiness, versions, feed positions, lag and the last backup."""

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.cli.gateway import CallError, Gateway, open_gateway
from services.supervisor.installation import Installation

SERVICES = ("registry", "matching", "notifications", "portal")
_BUILD = re.compile(r'^cleio_build_info\{.*?version="([^"]+)"', re.MULTILINE)
_BACKUP_TIME = re.compile(r"cleio-(\d{8}T\d{6}\.\d{3})Z(?:\.tar)?")


def collect_status(url: str, backups: Path | None, now: datetime) -> dict[str, Any]:
    """Return the state of the system at ``url`` (default: the one on this machine).

    Versions and replicas are known only for a system on this machine, because the gateway does not publish them.
    """
    with open_gateway(url) as gateway:
        services = {name: _through_gateway(gateway, name) for name in SERVICES}
        address = gateway.base
    if not url:
        for name, ports in Installation.from_environment(os.environ).service_ports.items():
            services[name]["replicas"] = [_replica(name, port) for port in ports]
    return {
        "url": address,
        "ready": all(service["ready"] for service in services.values())
        and all(replica["ready"] for service in services.values() for replica in service.get("replicas", [])),
        "services": services,
        "last_backup": None if backups is None else last_backup(backups, now),
    }


def last_backup(folder: Path, now: datetime) -> dict[str, Any] | None:
    """Return name, time and age in seconds of the newest backup in ``folder``, by the time in its name."""
    if not folder.is_dir():
        return None
    found = sorted(
        (match[1], file.name) for file in folder.iterdir() if (match := _BACKUP_TIME.fullmatch(file.name)) is not None
    )
    if not found:
        return None
    made_at = datetime.strptime(found[-1][0], "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC)
    return {"name": found[-1][1], "made_at": made_at.isoformat(), "age_seconds": round((now - made_at).total_seconds())}


def _through_gateway(gateway: Gateway, service: str) -> dict[str, Any]:
    """Ask for the readiness of a service.

    :raises CallError: when nothing listens at the gateway's address.
    """
    answer = gateway.probe(f"/{service}/readyz")
    health = _json_object(answer)
    return {"ready": answer.status_code == 200, "detail": health.get("detail", {})}


def _replica(service: str, port: int) -> dict[str, Any]:
    replica: dict[str, Any] = {"port": port, "ready": False, "version": None}
    try:
        with open_gateway(f"http://127.0.0.1:{port}") as direct:
            replica["ready"] = direct.probe(f"/{service}/readyz").status_code == 200
            build = _BUILD.search(direct.probe("/metrics").text)
            replica["version"] = build[1] if build else None
    except CallError:
        pass  # it does not answer: not ready
    return replica


def _json_object(answer: Any) -> Mapping[str, Any]:
    try:
        document = answer.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
