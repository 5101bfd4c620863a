"""The quickstart of the README as a reader types it: every block in one shell, in order."""

import os
import re
import subprocess

import pytest

from tests.e2e.conftest import ROOT, System

# These need what only the reader has: a receiver on the Internet, a folder of records.
OF_THE_READER = ("https://example.org/cleio", "path/to/records")


@pytest.mark.full
def test_the_quickstart_works_word_by_word(inhabited: System) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    part = text[text.index("\n## Quickstart\n") : text.index("\n## How it is made\n")]
    blocks = [
        block
        for block in re.findall(r"```sh\n(.*?)```", part, re.DOTALL)
        if not any(words in block for words in OF_THE_READER)
    ]
    assert len(blocks) >= 8
    typed = "\n".join(blocks)
    for default, here in (
        ("http://127.0.0.1:8080", inhabited.url),
        (" var/", f" {inhabited.folder}/"),
        ('"var/', f'"{inhabited.folder}/'),
    ):
        typed = typed.replace(default, here)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CLEIO_")}
    variables = {**environment, "CLEIO_PORT": str(inhabited.port), "CLEIO_DATA_DIR": str(inhabited.folder)}
    # The first failing line ends the script, an error answer too.
    script = 'set -eu\ncurl() { command curl --fail-with-body --silent --show-error "$@"; }\n' + typed
    shell = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, env=variables, capture_output=True, text=True, timeout=300, check=False
    )
    assert shell.returncode == 0, shell.stdout[-2000:] + shell.stderr[-2000:]
    assert shell.stdout.count('"results"') == 2
    assert '"status":"active_not_recruiting"' in shell.stdout
    assert "is revoked" in shell.stderr
