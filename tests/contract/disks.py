"""Disks of a test's own: small ones that fill up, and ones that take no writes."""

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def mounted(folder: Path, kilobytes: int) -> Iterator[bool]:
    """The folder as a file system of its own, of that size; False where none can be mounted, and it is an ordinary folder."""
    folder.mkdir(parents=True, exist_ok=True)
    own = os.geteuid() == 0 and _succeeds("mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "cleio", str(folder))
    try:
        yield own
    finally:
        if own:
            subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[None]:
    """A folder in which no more than this can be written; where no file system can be mounted, no larger file."""
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
    """The folder on a file system that takes no writes."""
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
