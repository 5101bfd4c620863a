"""Write the OpenAPI document of each service, as its application describes itself."""

import base64
import importlib
import json
import os
import tempfile
from pathlib import Path

SERVICES = ("registry", "matching", "notifications")
FOLDER = Path(__file__).resolve().parents[2] / "docs" / "openapi"


def write_all(*, check: bool) -> list[str]:
    """Write the files, or only compare them with ``check``; return the names of those that differed."""
    # The applications are built but not started: any secrets and an empty folder suffice.
    os.environ["CLEIO_INTERNAL_TOKEN"] = "x" * 43
    os.environ["CLEIO_AUDIT_KEY"] = base64.b64encode(bytes(32)).decode()
    os.environ["CLEIO_CURSOR_KEY"] = base64.b64encode(bytes(64)).decode()
    outdated = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CLEIO_DATA_DIR"] = folder
        for name in SERVICES:
            document = importlib.import_module(f"services.{name}.app").create_app().openapi()
            text = json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
            file = FOLDER / f"{name}.json"
            if not file.exists() or file.read_text(encoding="utf-8") != text:
                outdated.append(str(file.relative_to(FOLDER.parents[1])))
                if not check:
                    FOLDER.mkdir(parents=True, exist_ok=True)
                    file.write_text(text, encoding="utf-8")
    return outdated
