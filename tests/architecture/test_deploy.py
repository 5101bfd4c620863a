"""Check the deployment files: settings exist, and units and containers run without rights that they do not need."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from services.portal.settings import PortalSettings
from services.registry.settings import RegistrySettings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
SETTING = re.compile(r"CLEIO_[A-Z_]+")
SOURCE = "\n".join(
    file.read_text(encoding="utf-8") for folder in ("services", "shared") for file in (ROOT / folder).rglob("*.py")
)
CADDYFILE = (DEPLOY / "gateway" / "Caddyfile").read_text(encoding="utf-8")
# Variables of the deployment files themselves, not of the program.
OWN = {"CLEIO_DATABASE_PASSWORD", "CLEIO_PUBLISH", "CLEIO_BACKUP_DIR", "CLEIO_TLS_DIR"}


def known(name: str) -> bool:
    service = re.fullmatch(
        r"CLEIO_(REGISTRY|MATCHING|NOTIFICATIONS|PORTAL)_"
        r"(PORT|URL|UPSTREAMS|DATABASE_URL|LOAD_SAMPLE|SYNC|SMTP_URL|MAIL_FROM|OIDC_CLIENT_ID|OIDC_CLIENT_SECRET)",
        name,
    )
    return name in OWN or bool(service) or f'"{name}"' in SOURCE or f"${name}" in CADDYFILE


@pytest.mark.parametrize(
    "file",
    [
        *DEPLOY.glob("env/*.example"),
        DEPLOY / "compose.yaml",
        *DEPLOY.glob("systemd/*"),
        DEPLOY / "container" / "Containerfile",
    ],
    ids=lambda file: file.name,
)
def test_every_setting_that_is_named_exists(file: Path) -> None:
    assert [name for name in sorted(set(SETTING.findall(file.read_text(encoding="utf-8")))) if not known(name)] == []


def test_the_containers_have_no_rights_they_do_not_need() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    assert set(services) == {"database", "registry", "matching", "notifications", "portal", "gateway"}
    for name, service in services.items():
        assert service["healthcheck"]["test"], name
        if name != "database":
            assert (service["read_only"], service["user"], service["cap_drop"]) == (True, "10001", ["ALL"]), name
            assert service["security_opt"] == ["no-new-privileges:true"], name
            assert service["ulimits"] == {"core": 0}, name
    published = {name: service.get("ports", []) for name, service in services.items()}
    assert [name for name, ports in published.items() if ports] == ["gateway"]
    assert "\nUSER 10001\n" in (DEPLOY / "container" / "Containerfile").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {
            "CLEIO_GATEWAY_SITES": "https://cleio.example:8080",
            "CLEIO_GATEWAY_ELSEWHERE": "https://:8080",
            "CLEIO_GATEWAY_TLS": "files",
        },
    ],
)
def test_the_gateway_configuration_of_the_containers_is_valid(chosen: dict[str, str]) -> None:
    gateway = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]["gateway"]
    variables = {
        name: re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: chosen.get(found[1], found[2]), value)
        for name, value in gateway["environment"].items()
    }
    command = [
        str(Path(sys.executable).parent / "caddy"),
        "adapt",
        "--config",
        str(DEPLOY / "gateway" / "Caddyfile"),
        "--adapter",
        "caddyfile",
    ]
    adapted = subprocess.run(
        command, env={**os.environ, **variables}, capture_output=True, text=True, check=True, timeout=60
    )
    (server,) = json.loads(adapted.stdout)["apps"]["http"]["servers"].values()
    hosts = {host for route in server["routes"] for match in route.get("match", ()) for host in match["host"]}
    assert hosts == ({"cleio.example"} if chosen else {"localhost", "127.0.0.1"})
    assert ("tls_connection_policies" in server) is bool(chosen)
    assert server["listen"] == ["0.0.0.0:8080"]
    for upstream in ("registry:8081", "matching:8082", "notifications:8083", "portal:8084"):
        assert f'{{"dial":"{upstream}"}}' in adapted.stdout


def test_no_example_contains_a_secret() -> None:
    secrets = {
        f"{prefix}_{name.upper()}"
        for prefix, settings in (("CLEIO", RegistrySettings), ("CLEIO_PORTAL", PortalSettings))
        for name, field in settings.model_fields.items()
        if "SecretStr" in str(field.annotation)
    }
    assert {"CLEIO_AUDIT_KEY", "CLEIO_PORTAL_OIDC_CLIENT_SECRET"} <= secrets
    for file in DEPLOY.glob("env/*.example"):
        for line in file.read_text(encoding="utf-8").splitlines():
            name, _, value = line.removeprefix("#").partition("=")
            assert name not in {*secrets, "CLEIO_DATABASE_PASSWORD"} or value == ""
