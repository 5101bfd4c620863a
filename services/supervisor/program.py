"""Keep one program running: pass its output on, restart it after a crash, stop it within a given time."""

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

MIN_RESTART_DELAY, MAX_RESTART_DELAY = 0.4, 10.0  # seconds
STABLE_SECONDS = 10.0  # after this time a crash counts as a first one again
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Program:
    """A command, its name in the log, and variables to add to the environment."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


class ConfigurationFailedError(Exception):
    """A program ended with exit code 78 (EX_CONFIG): a restart will not help. The message is its name."""


class SupervisedProcess:
    """A program that is restarted when it ends.

    ``write(name, line)`` receives its output and the supervisor's messages about it.
    """

    def __init__(self, program: Program, write: Callable[[str, str], None]) -> None:
        self.program = program
        self._write = partial(write, program.name)
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep_running())

    @property
    def failure(self) -> "asyncio.Task[None]":
        """A task that ends only with a `ConfigurationFailedError`, or when the program is stopped."""
        assert self._task is not None, "not started"
        return self._task

    @property
    def pid(self) -> int | None:
        """The id of the running process, or None between two runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    def kill(self, reason: str) -> None:
        """Kill the process and its children, and log ``reason``; it is then restarted."""
        if (pid := self.pid) is not None:
            self._write(reason)
            _kill_group(pid)

    async def stop(self, timeout: float) -> None:  # noqa: ASYNC109 - then the program is killed, not cancelled
        """Ask the program to end; after ``timeout`` seconds kill it and its child processes."""
        self._stopping = True
        if self._task is None:
            return
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.terminate()
            done, _ = await asyncio.wait({self._task}, timeout=timeout)
            if not done:
                self._write(f"did not end within {timeout:g} s: killed")
                _kill_group(self._process.pid)
                await asyncio.wait({self._task}, timeout=0.5)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _keep_running(self) -> None:
        delay, was_stable = MIN_RESTART_DELAY, False
        while not self._stopping:
            started = monotonic()
            code = await self._run_once()
            if self._stopping:
                return
            if monotonic() - started > STABLE_SECONDS:
                delay, was_stable = MIN_RESTART_DELAY, True
            if code == os.EX_CONFIG and not was_stable:
                raise ConfigurationFailedError(self.program.name)
            how = f"killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            self._write(f"{how}; restarting in {delay:g} s")
            await asyncio.sleep(delay)
            delay = min(2 * delay, MAX_RESTART_DELAY)

    async def _run_once(self) -> int:
        self._process = await asyncio.create_subprocess_exec(
            *self.program.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, **self.program.environment},
            start_new_session=True,  # Ctrl-C reaches only the supervisor, which stops the programs in order
            preexec_fn=partial(_end_with_parent, os.getpid()),
        )
        assert self._process.stdout is not None
        lines = asyncio.create_task(self._pass_on(self._process.stdout))
        try:
            code = await self._process.wait()
            # Its child processes too: they may still have the pipe open.
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
                line = await output.readexactly(error.consumed)  # pass on a very long line in parts
            self._write(line.decode(errors="replace").rstrip())


def _end_with_parent(parent: int) -> None:
    """In the new process: arrange to end with the supervisor even when that is killed (Linux only)."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def _kill_group(leader: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
