"""Replace a program that runs but does not answer any more, and notify systemd that the supervisor itself is alive."""

import asyncio
import os
import socket
from collections.abc import Mapping
from time import monotonic

from services.supervisor.gateway import GatewaySettings
from services.supervisor.program import SupervisedProcess
from services.supervisor.readiness import get_status

PROBES = 6  # this many failures in a row count as hung
DEFAULT_HANG_TIMEOUT = 30.0  # seconds; CLEIO_HANG_TIMEOUT, 0: never


class InvalidHangTimeoutError(ValueError):
    """CLEIO_HANG_TIMEOUT is not a number of seconds; the message is one line for the operator."""


def hang_timeout(environment: Mapping[str, str]) -> float:
    """Return the seconds without an answer after which a program is replaced; 0: never.

    :raises InvalidHangTimeoutError: when the setting is not a number from 0 to 3600.
    """
    text = environment.get("CLEIO_HANG_TIMEOUT") or str(DEFAULT_HANG_TIMEOUT)
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 3600:
        raise InvalidHangTimeoutError("CLEIO_HANG_TIMEOUT must be a number of seconds from 0 (off) to 3600")
    return seconds


async def replace_when_hung(
    process: SupervisedProcess,
    host: str,
    port: int,
    path: str,
    seconds: float,
    gateway: GatewaySettings | None = None,
) -> None:
    """Ask for ``path`` regularly, and kill the process when it has not answered for ``seconds``; it is then restarted.

    Any status is an answer. A process that has not answered since it started is left alone: it may be migrating a large
    database. Failed probes are counted instead of time, so that a suspended machine or supervisor does no harm.
    """
    interval = seconds / PROBES
    answered_by, failures = 0, 0
    while True:
        pid, asked_at = process.pid, monotonic()
        status = await get_status(host, port, path, gateway, seconds=interval)
        if pid != process.pid or pid is None:
            failures = 0
        elif status is not None:
            answered_by, failures = pid, 0
        elif answered_by == pid:
            failures += 1
            if failures >= PROBES:
                process.kill(f"has not answered for {seconds:g} s: killed")
                failures = 0
        await asyncio.sleep(asked_at + interval - monotonic())  # an unanswered probe has taken the interval already


def notify_systemd(state: str) -> None:
    """Send ``state`` (READY=1, WATCHDOG=1, STOPPING=1) to systemd, if it started this process with Type=notify."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as target:
        try:
            target.sendto(state.encode(), address)
        except OSError:
            return  # systemd restarts a unit that it does not hear from


async def feed_systemd_watchdog() -> None:
    """Report to systemd at half its WatchdogSec, without end; return at once when it expects no report."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    if not microseconds.isdigit() or not int(microseconds):
        return
    while True:
        notify_systemd("WATCHDOG=1")
        await asyncio.sleep(int(microseconds) / 2e6)
