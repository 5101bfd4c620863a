"""Fill a demonstration with illustrative work once the system is ready: `cleio demo`, as a program of its own."""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress

from services.supervisor.installation import Installation

_NO = frozenset({"0", "false", "f", "no", "n", "off"})
# The demonstration has a receiver of webhooks at which nothing listens.
RECEIVERS = "127.0.0.0/8"


def is_demonstration(installation: Installation, environment: Mapping[str, str], *, with_sample: bool) -> bool:
    """Return whether to fill it: it has the sample, only this machine can reach it, and CLEIO_DEMONSTRATION allows."""
    wanted = environment.get("CLEIO_DEMONSTRATION", "").lower() not in _NO
    return wanted and with_sample and not installation.needs_token_to_match


async def fill(installation: Installation, write: Callable[[str, str], None]) -> None:
    """Run `cleio demo` to its end, and pass its lines on. Cancelled, it ends the program."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.cli", "demo",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **installation.environment()},
        start_new_session=True,  # Ctrl-C reaches only the supervisor, which ends it
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async for line in process.stdout:
            write("demonstration", line.decode(errors="replace").rstrip())
        await process.wait()
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
