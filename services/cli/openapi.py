"""`cleio openapi`: the OpenAPI file of each service, as its own application describes itself."""

import base64
import importlib
import json
import os
import tempfile
from pathlib import Path

from services.cli.openapi_changes import breaking_changes

SERVICES = ("registry", "matching", "notifications")
FOLDER = Path(__file__).resolve().parents[2] / "docs" / "openapi"
RELEASED = FOLDER / "released"


def write_all(*, check: bool) -> list[str]:
    """Write the files, or with ``check`` only compare; the names of those that differed."""
    # An application is built, never started: any secrets and an empty folder will do.
    os.environ["CLEIO_INTERNAL_TOKEN"] = "x" * 43
    os.environ["CLEIO_AUDIT_KEY"] = base64.b64encode(bytes(32)).decode()
    os.environ["CLEIO_CURSOR_KEY"] = base64.b64encode(bytes(64)).decode()
    stale = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CLEIO_DATA_DIR"] = folder
        for name in SERVICES:
            document = importlib.import_module(f"services.{name}.app").create_app().openapi()
            text = json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
            file = FOLDER / f"{name}.json"
            if not file.exists() or file.read_text(encoding="utf-8") != text:
                stale.append(str(file.relative_to(FOLDER.parents[1])))
                if not check:
                    FOLDER.mkdir(parents=True, exist_ok=True)
                    file.write_text(text, encoding="utf-8")
    return stale


def breaks(folder: Path = FOLDER) -> list[str]:
    """What in these documents breaks the released ones and was not agreed on; and what was agreed on and is not, or no longer, so."""
    lines = [
        f"{name}: {line}"
        for name in SERVICES
        for line in breaking_changes(
            *(json.loads((place / f"{name}.json").read_text(encoding="utf-8")) for place in (RELEASED, folder))
        )
    ]
    agreed = [
        line
        for line in (RELEASED / "agreed.txt").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    return [line for line in lines if line not in agreed] + [
        f"{line} (agreed, and not so)" for line in agreed if line not in lines
    ]
