"""The interface keeps what clients of a release use; docs/versioning.md states the rules."""

import re

import pytest

from tests.tools.openapi_changes import ROOT, changes_since_release, releases


@pytest.mark.parametrize("version", releases())
def test_no_change_breaks_a_client_of_a_release(version: str) -> None:
    assert changes_since_release(version) == [], (
        f"restore what clients of {version} use, or deprecate it first (docs/versioning.md). While CHANGELOG.md calls "
        f"{version} unreleased: python -m tests.tools.openapi_changes --release {version}"
    )


def test_the_documents_of_every_release_are_kept() -> None:
    named = re.findall(r"^## (\d+\.\d+\.\d+) ", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(named) == sorted(releases())
