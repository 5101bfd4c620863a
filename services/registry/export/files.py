"""The file of an export: without a name, and gone once a newer export has replaced it and all have read it."""

import asyncio
import os
import tempfile
import weakref
from collections.abc import AsyncIterator
from pathlib import Path

CHUNK_BYTES = 256 * 1024


class ExportFile:
    """Written once, then read by any number of readers at their own pace. Reads and writes run in threads."""

    def __init__(self, folder: Path) -> None:
        """:raises OSError: no file can be made in the folder."""
        file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  closed when nothing refers to this object any more
        weakref.finalize(self, file.close)
        self._file = file
        self.size = 0

    async def append(self, text: str) -> None:
        """Add text at the end.

        :raises OSError: the disk is full, or fails.
        """
        self.size += await asyncio.to_thread(self._write, text)

    def _write(self, text: str) -> int:
        content = text.encode()
        self._file.write(content)
        self._file.flush()
        return len(content)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Read the whole file, 256 KiB at a time."""
        offset = 0
        while offset < self.size:
            chunk = await asyncio.to_thread(os.pread, self._file.fileno(), CHUNK_BYTES, offset)
            if not chunk:
                raise EOFError("the file of an export has been cut")
            offset += len(chunk)
            yield chunk
