"""Each unusable secret stops the start with one line that does not show it."""

import base64
import os
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.app import app
from services.notifications.settings import NotificationsSettings
from shared.settings import ServiceSettings, SettingError, UnusableSecretError

GOOD = {
    "internal-token": "t" * 43,
    "cursor-key": base64.b64encode(bytes(64)).decode(),
    "audit-key": base64.b64encode(bytes(32)).decode(),
}


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The secrets of an installation, in their files only."""
    for name in GOOD:
        monkeypatch.delenv(f"CLEIO_{name.replace('-', '_').upper()}")
    monkeypatch.delenv("CLEIO_ISSUER_KEYS", raising=False)
    folder = Path(os.environ["CLEIO_DATA_DIR"]) / "secrets"
    folder.mkdir(parents=True)
    for name, value in GOOD.items():
        (folder / name).write_text(f"{value}\n", encoding="ascii")
    return folder


def test_valid_secrets_are_accepted(secrets: Path) -> None:
    settings = ServiceSettings()
    assert settings.internal_token.get_secret_value() == GOOD["internal-token"]
    assert (len(settings.cursor_key_bytes), len(settings.audit_seed)) == (64, 32)


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"   \n", b"brief", b"\xff\xfe\x00", b"%%% not base64 %%%", b"QUJD"],
)
def test_an_empty_cut_or_invalid_secret_is_refused_and_not_shown(secrets: Path, name: str, content: bytes) -> None:
    (secrets / name).write_bytes(content)
    with pytest.raises(UnusableSecretError) as caught:
        ServiceSettings()
    assert str(secrets / name) in str(caught.value)
    shown = content.decode("ascii", errors="replace").strip()
    assert not shown or shown not in str(caught.value).replace(str(secrets / name), "")


@pytest.mark.parametrize("name", ["cursor-key", "audit-key"])
def test_a_key_without_its_end_is_refused(secrets: Path, name: str) -> None:
    (secrets / name).write_text(GOOD[name][:-8], encoding="ascii")
    with pytest.raises(UnusableSecretError):
        ServiceSettings()


@pytest.mark.parametrize("variable", ["CLEIO_INTERNAL_TOKEN", "CLEIO_CURSOR_KEY", "CLEIO_AUDIT_KEY"])
def test_secrets_in_the_environment_are_checked_too(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "change-me")
    with pytest.raises(UnusableSecretError, match=variable) as caught:
        ServiceSettings()
    assert "change-me" not in str(caught.value)


def test_a_separate_encryption_key_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEIO_NOTIFICATIONS_SECRET_KEY", base64.b64encode(bytes(31)).decode())
    with pytest.raises(UnusableSecretError, match="CLEIO_NOTIFICATIONS_SECRET_KEY"):
        _ = NotificationsSettings().sealing_key


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("how", ["missing", "a folder", "empty"])
def test_every_command_reports_it_in_one_line(secrets: Path, name: str, how: str) -> None:
    (secrets / name).unlink()
    if how == "a folder":
        (secrets / name).mkdir()
    elif how == "empty":
        (secrets / name).touch()
    for command in (["config"], ["backup", str(secrets.parent / "into")], ["audit", "verify"]):
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 1
        assert result.output.startswith("cleio: ")
        assert len(result.output.splitlines()) == 1
    with pytest.raises(SettingError):
        ServiceSettings()


def test_files_readable_by_others_are_restricted_at_the_next_start(secrets: Path) -> None:
    secrets.chmod(0o755)
    for name in GOOD:
        (secrets / name).chmod(0o644)
    assert CliRunner().invoke(app, ["migrate"]).exit_code == 0
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in secrets.iterdir()} == {0o600}
    # So are the databases, from their creation.
    for file in secrets.parent.glob("*.db*"):
        assert file.suffix == ".owner" or stat.S_IMODE(file.stat().st_mode) == 0o600, file
