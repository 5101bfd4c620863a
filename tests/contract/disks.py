"""Disks for tests: small ones that fill up, and ones that refuse writes."""

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def mounted(folder: Path, kilobytes: int) -> Iterator[bool]:
    """Mount a file system of that size on the folder; yields False if that is not possible and it is an ordinary
    folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    own = os.geteuid() == 0 and _succeeds("mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "cleio", str(folder))
    try:
        yield own
    finally:
        if own:
            subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[None]:
    """Yield a folder with this much room; if no file system can be mounted, limit the size of each file instead."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with mounted(folder, kilobytes) as own:
        if not own:
            resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024 // 2, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make the file system of the folder read-only."""
    bound = os.geteuid() == 0 and _succeeds("mount", "--bind", str(folder), str(folder))
    if bound:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)
    else:
        folder.chmod(0o500)
    try:
        yield
    finally:
        if bound:
            subprocess.run(["umount", "-l", str(folder)], check=True)
        else:
            folder.chmod(0o700)


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
