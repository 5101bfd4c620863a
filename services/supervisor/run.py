"""The order of things: lock, ports, secrets, services (each migrates its database first), gateway, ready; and back."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic

from services.supervisor.gateway import InvalidGatewayError
from services.supervisor.greeting import greeting
from services.supervisor.installation import CannotStartError, Installation, port_variable
from services.supervisor.program import ConfigurationFailedError, Program, SupervisedProcess
from services.supervisor.readiness import answer_of, wait_until_answering
from shared.values.addresses import EVERYWHERE, LOOPBACK_NAMES

ROOT = Path(__file__).resolve().parents[2]
LOOPBACK = "127.0.0.1"
THROUGH_THE_GATEWAY = ("/registry/v1/trials?limit=1", "/matching/readyz", "/notifications/readyz")
START_PATIENCE = 120.0  # seconds until all must answer
# Together with the exchange of signals under five seconds. The gateway gives its open requests one (Caddyfile), a service two (`cleio serve`).
GATEWAY_PATIENCE, SERVICE_PATIENCE = 1.5, 2.8
_COLOURS = {"gateway": 35, "registry": 36, "matching": 32, "notifications": 33}


def up(replicas: Sequence[str] = ()) -> int:
    """Run the whole system in the foreground until SIGINT, SIGTERM or SIGHUP; the exit code. ``replicas``: ``service=number``."""
    started = monotonic()
    try:
        installation = Installation.from_environment(os.environ, replicas)
        with installation.locked():
            installation.check_restored()
            installation.check_ports()
            installation.door.check_certificate()
            installation.make_secrets()
            return asyncio.run(_run(installation, started))
    except (CannotStartError, InvalidGatewayError, OSError) as error:
        print(f"cleio: {error}", file=sys.stderr)
        return 1


async def _run(installation: Installation, started: float) -> int:
    told_to_stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    services = [SupervisedProcess(_service(installation, *replica), write_line) for replica in installation.replicas()]
    gateway = SupervisedProcess(_gateway(installation), write_line)
    running = asyncio.create_task(_start_and_watch(installation, services, gateway, started))
    stopping = asyncio.create_task(told_to_stop.wait())
    try:
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        return 0
    finally:
        write_line("cleio", "stopping")
        running.cancel()
        stopping.cancel()
        await asyncio.gather(running, stopping, return_exceptions=True)
        # The door first, so that nobody is let in to a service that is going.
        await gateway.stop(GATEWAY_PATIENCE)
        await asyncio.gather(*(service.stop(SERVICE_PATIENCE) for service in services))
        write_line("cleio", "stopped")


async def _start_and_watch(
    installation: Installation, services: Sequence[SupervisedProcess], gateway: SupervisedProcess, started: float
) -> None:
    """Ends only with trouble: a program that cannot run at all, or a system that does not get ready."""
    for service in services:
        service.start()
    troubles = [service.trouble for service in services]
    ready = asyncio.create_task(_get_ready(installation, gateway))
    try:
        async with asyncio.timeout(START_PATIENCE):
            await asyncio.wait({ready, *troubles}, return_when=asyncio.FIRST_COMPLETED)
    except TimeoutError:
        answers = [
            f"{name} {await answer_of(LOOPBACK, port, f'/{service}/readyz') or 'nothing'}"
            for name, service, port in installation.replicas()
        ]
        raise CannotStartError(
            f"not ready after {START_PATIENCE:g} s; the services answer: {', '.join(answers)}"
        ) from None
    finally:
        ready.cancel()
    if not any(trouble.done() for trouble in troubles):
        write_line("cleio", f"ready in {monotonic() - started:.1f} s: {installation.url}")
        if installation.bind in EVERYWHERE and installation.door.hosts == LOOPBACK_NAMES:
            write_line(
                "cleio",
                f"it listens at every address, and answers only to {', '.join(LOOPBACK_NAMES)}: name it with CLEIO_HOSTS=…",
            )
        print(greeting(installation), flush=True)
        await asyncio.wait(troubles, return_when=asyncio.FIRST_COMPLETED)
    try:
        await asyncio.gather(*(trouble for trouble in troubles if trouble.done()))
    except ConfigurationFailedError as error:
        raise CannotStartError(f"{error} cannot run as it is set up (its line above says why)") from None


async def _get_ready(installation: Installation, gateway: SupervisedProcess) -> None:
    await asyncio.gather(
        *(wait_until_answering(LOOPBACK, port, [f"/{service}/readyz"]) for _, service, port in installation.replicas())
    )
    # Only now: its first look at the services finds them all.
    gateway.start()
    await wait_until_answering(installation.host, installation.port, THROUGH_THE_GATEWAY, installation.door)


def _cleio(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "services.cli", *arguments)


def _service(installation: Installation, name: str, service: str, port: int) -> Program:
    told = {**installation.environment(), port_variable(service): str(port)}
    if service == "registry":
        told["CLEIO_REGISTRY_LOAD_SAMPLE"] = os.environ.get("CLEIO_REGISTRY_LOAD_SAMPLE", "true")
    return Program(name, _cleio("serve", service, "--migrate"), told)


def _gateway(installation: Installation) -> Program:
    """:raises CannotStartError: when Caddy is not installed."""
    caddy = shutil.which("caddy", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if caddy is None:
        raise CannotStartError(
            "the gateway's program `caddy` is missing: install the project with its dependencies (make run does)"
        )
    home = installation.data_dir / "gateway"
    home.mkdir(exist_ok=True)
    return Program(
        "gateway",
        (caddy, "run", "--config", str(ROOT / "deploy" / "gateway" / "Caddyfile"), "--adapter", "caddyfile"),
        {
            **installation.environment(),
            **installation.door.environment(installation.port),
            **{
                f"CLEIO_{name.upper()}_UPSTREAMS": " ".join(f"{LOOPBACK}:{port}" for port in ports)
                for name, ports in installation.service_ports.items()
            },
            "CLEIO_GATEWAY_STORAGE": str(home),
            "CLEIO_GATEWAY_ACCESS_LOG": f'file "{home / "access.log"}"',
            "XDG_DATA_HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
        },
    )


def _line_writer() -> Callable[[str, str], None]:
    coloured = sys.stdout.isatty()

    def write(name: str, line: str) -> None:
        prefix = f"{name:<13} | "
        if coloured:
            prefix = f"\x1b[{_COLOURS.get(name.partition('-')[0], 1)}m{prefix}\x1b[0m"
        print(prefix + line, flush=True)

    return write


write_line = _line_writer()
