"""A misspelt setting is named; every setting that the program or the deployment files use is known."""

import re
from pathlib import Path

import pytest

from services.cli.setting_names import known_settings, unknown_settings, warn_of_unknown_settings

ROOT = Path(__file__).resolve().parents[3]
# Variables of the compose file itself.
COMPOSE = {"CLEIO_DATABASE_PASSWORD", "CLEIO_PUBLISH", "CLEIO_TLS_DIR"}


def test_a_misspelt_setting_is_named_with_the_right_one(capsys: pytest.CaptureFixture[str]) -> None:
    warn_of_unknown_settings({"CLEIO_PROT": "1", "CLEIO_PORT": "8080", "HOME": "/"})
    assert capsys.readouterr().err == "cleio: unknown setting CLEIO_PROT is ignored: did you mean CLEIO_PORT?\n"


@pytest.mark.parametrize(
    "name", ["CLEIO_REGISTRY_DATABASE_URL", "CLEIO_NOTIFICATIONS_RETRY_SECONDS", "CLEIO_RATE_READ", "CLEIO_HOSTS"]
)
def test_a_setting_is_known(name: str) -> None:
    assert list(unknown_settings({name: "1"})) == []


def test_every_setting_of_the_deployment_files_is_known() -> None:
    texts = [file.read_text(encoding="utf-8") for file in (ROOT / "deploy").glob("*/*") if file.is_file()]
    texts.append((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
    used = {name for text in texts for name in re.findall(r"\bCLEIO_[A-Z_]+[A-Z]\b", text)}
    assert len(used) > 20
    assert used - COMPOSE - known_settings() == set()
