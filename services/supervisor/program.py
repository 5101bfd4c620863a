"""One program kept running: its log lines prefixed, started again after a crash, stopped within a given time."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from time import monotonic

FIRST_PAUSE, LONGEST_PAUSE = 0.4, 10.0  # seconds before a crashed program is started again
STEADY = 10.0  # seconds after which a program counts as started well, and its next crash as a first one
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Program:
    """What to run, under which name its lines appear, and what its environment adds to ours."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


class ConfigurationFailedError(Exception):
    """A program says, by exit code 78 (EX_CONFIG), that starting it again will not help; the message names it."""


class SupervisedProcess:
    """A program while it is kept running. ``write(name, line)`` receives its output and the supervisor's own remarks on it."""

    def __init__(self, program: Program, write: Callable[[str, str], None]) -> None:
        self.program = program
        self._write = partial(write, program.name)
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep_running())

    @property
    def trouble(self) -> "asyncio.Task[None]":
        """Ends only with a `ConfigurationFailedError`, or when the program is stopped."""
        assert self._task is not None, "not started"
        return self._task

    async def stop(self, patience: float) -> None:
        """Ask the program to end and wait ``patience`` seconds; then end it and whatever it started."""
        self._stopping = True
        if self._task is None:
            return
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.terminate()
            done, _ = await asyncio.wait({self._task}, timeout=patience)
            if not done:
                self._write(f"did not end within {patience:g} s: killed")
                _kill_group(self._process.pid)
                await asyncio.wait({self._task}, timeout=0.5)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _keep_running(self) -> None:
        pause, well_started = FIRST_PAUSE, False
        while not self._stopping:
            started = monotonic()
            code = await self._run_once()
            if self._stopping:
                return
            if monotonic() - started > STEADY:
                pause, well_started = FIRST_PAUSE, True
            if code == os.EX_CONFIG and not well_started:
                raise ConfigurationFailedError(self.program.name)
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            self._write(f"{how}; starting it again in {pause:g} s")
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _run_once(self) -> int:
        self._process = await asyncio.create_subprocess_exec(
            *self.program.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, **self.program.environment},
            start_new_session=True,  # Ctrl-C in the terminal reaches the supervisor alone, which decides the order
            preexec_fn=partial(_die_with, os.getpid()),
        )
        assert self._process.stdout is not None
        lines = asyncio.create_task(self._pass_on(self._process.stdout))
        try:
            code = await self._process.wait()
            # What it started goes with it, and lets go of the pipe.
            _kill_group(self._process.pid)
            await asyncio.wait({lines}, timeout=1)
        finally:
            lines.cancel()
        return code

    async def _pass_on(self, output: asyncio.StreamReader) -> None:
        while True:
            try:
                line = await output.readuntil(b"\n")
            except asyncio.IncompleteReadError as error:
                if error.partial:
                    self._write(error.partial.decode(errors="replace").rstrip())
                return
            except asyncio.LimitOverrunError as error:
                line = await output.readexactly(error.consumed)  # a line longer than the buffer is passed on in pieces
            self._write(line.decode(errors="replace").rstrip())


def _die_with(parent: int) -> None:
    """In the new process: end with the supervisor, even when it is killed outright (Linux; elsewhere a killed supervisor leaves its programs)."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def _kill_group(leader: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
