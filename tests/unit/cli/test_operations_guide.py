"""docs/operations.md describes the commands and scopes of the program."""

import re
from pathlib import Path

from typer.testing import CliRunner

from services.cli.app import app
from services.cli.commands.organisations import Kind
from shared.access.policy import scopes_for
from shared.access.principal import ORGANISATION_KINDS

ROOT = Path(__file__).resolve().parents[3]
GUIDE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def test_the_table_of_scopes_is_the_policys() -> None:
    rows = dict(re.findall(r"^\| (\w+)(?:, besides)? \| ((?:`[a-z_]+\.[a-z]+` ?)+)\|$", GUIDE, re.MULTILINE))
    documented = {kind: set(re.findall(r"`([^`]+)`", rows["any"] + rows.get(kind, ""))) for kind in ORGANISATION_KINDS}
    assert documented == {kind: set(scopes_for(kind)) for kind in ORGANISATION_KINDS}


def test_the_command_line_knows_every_kind_of_organisation() -> None:
    assert {kind.value for kind in Kind} == set(ORGANISATION_KINDS)


def test_every_command_that_is_named_exists() -> None:
    texts = [
        GUIDE,
        *(
            (ROOT / name).read_text(encoding="utf-8")
            for name in ("README.md", "SECURITY.md", "docs/data-protection.md")
        ),
    ]
    named = {
        tuple(words.split())
        for text in texts
        for words in re.findall(r"cleio ((?:org|client|member|key|admin|whoami|token|login)\b(?: [a-z]+\b)?)", text)
    }
    assert len(named) > 10
    for words in named:
        group = words if words[0] not in {"whoami", "token", "login"} else words[:1]
        assert CliRunner().invoke(app, [*group, "--help"]).exit_code == 0, words
