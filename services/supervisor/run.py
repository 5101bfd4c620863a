"""Start the system: lock, ports, secrets, services (each migrates its database first), gateway. Stop it in reverse."""

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
from services.supervisor.readiness import get_status, wait_until_answering
from shared.values.addresses import EVERYWHERE, LOOPBACK_NAMES

ROOT = Path(__file__).resolve().parents[2]
LOOPBACK = "127.0.0.1"
THROUGH_THE_GATEWAY = ("/registry/v1/trials?limit=1", "/matching/readyz", "/notifications/readyz")
START_TIMEOUT = 120.0  # seconds until everything must answer
# Less than five seconds together. The gateway gives its open requests one second (Caddyfile), a service two.
GATEWAY_STOP_TIMEOUT, SERVICE_STOP_TIMEOUT = 1.5, 2.8
_COLOURS = {"gateway": 35, "registry": 36, "matching": 32, "notifications": 33}


def up(replicas: Sequence[str] = ()) -> int:
    """Run the whole system until SIGINT, SIGTERM or SIGHUP; return the exit code. ``replicas``: ``service=number``."""
    started = monotonic()
    try:
        installation = Installation.from_environment(os.environ, replicas)
        with installation.locked():
            installation.check_restored()
            installation.check_ports()
            installation.gateway.check_certificate()
            installation.make_secrets()
            return asyncio.run(_run(installation, started))
    except (CannotStartError, InvalidGatewayError, OSError) as error:
        print(f"cleio: {error}", file=sys.stderr)
        return 1


async def _run(installation: Installation, started: float) -> int:
    stop_requested = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop_requested.set)
    services = [SupervisedProcess(_service(installation, *replica), write_line) for replica in installation.replicas()]
    gateway = SupervisedProcess(_gateway(installation), write_line)
    running = asyncio.create_task(_start_and_watch(installation, services, gateway, started))
    stopping = asyncio.create_task(stop_requested.wait())
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
        # The gateway first, so that no new request reaches a service that is stopping.
        await gateway.stop(GATEWAY_STOP_TIMEOUT)
        await asyncio.gather(*(service.stop(SERVICE_STOP_TIMEOUT) for service in services))
        write_line("cleio", "stopped")


async def _start_and_watch(
    installation: Installation, services: Sequence[SupervisedProcess], gateway: SupervisedProcess, started: float
) -> None:
    """Start everything and wait until a program cannot run.

    :raises CannotStartError: when a program cannot run with its settings, or the system does not become ready.
    """
    for service in services:
        service.start()
    failures = [service.failure for service in services]
    ready = asyncio.create_task(_get_ready(installation, gateway))
    try:
        async with asyncio.timeout(START_TIMEOUT):
            await asyncio.wait({ready, *failures}, return_when=asyncio.FIRST_COMPLETED)
    except TimeoutError:
        answers = [
            f"{name} {await get_status(LOOPBACK, port, f'/{service}/readyz') or 'no answer'}"
            for name, service, port in installation.replicas()
        ]
        raise CannotStartError(
            f"not ready after {START_TIMEOUT:g} s; the services answer: {', '.join(answers)}"
        ) from None
    finally:
        ready.cancel()
    if not any(failure.done() for failure in failures):
        write_line("cleio", f"ready in {monotonic() - started:.1f} s: {installation.url}")
        if installation.bind in EVERYWHERE and installation.gateway.hosts == LOOPBACK_NAMES:
            write_line(
                "cleio",
                f"it listens at every address but answers only to {', '.join(LOOPBACK_NAMES)}: "
                "set its host name with CLEIO_HOSTS=…",
            )
        print(greeting(installation), flush=True)
        await asyncio.wait(failures, return_when=asyncio.FIRST_COMPLETED)
    try:
        await asyncio.gather(*(failure for failure in failures if failure.done()))
    except ConfigurationFailedError as error:
        raise CannotStartError(f"{error} cannot run with its settings (see its line above)") from None


async def _get_ready(installation: Installation, gateway: SupervisedProcess) -> None:
    await asyncio.gather(
        *(wait_until_answering(LOOPBACK, port, [f"/{service}/readyz"]) for _, service, port in installation.replicas())
    )
    # Started last, so that its first health check finds all services.
    gateway.start()
    await wait_until_answering(installation.host, installation.port, THROUGH_THE_GATEWAY, installation.gateway)


def _cleio(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "services.cli", *arguments)


def _service(installation: Installation, name: str, service: str, port: int) -> Program:
    variables = {**installation.environment(), port_variable(service): str(port)}
    if service == "registry":
        variables["CLEIO_REGISTRY_LOAD_SAMPLE"] = os.environ.get("CLEIO_REGISTRY_LOAD_SAMPLE", "true")
    return Program(name, _cleio("serve", service, "--migrate"), variables)


def _gateway(installation: Installation) -> Program:
    """:raises CannotStartError: when Caddy is not installed."""
    caddy = shutil.which("caddy", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if caddy is None:
        raise CannotStartError(
            "the program `caddy` of the gateway is missing: "
            "install the project with its dependencies (`make run` does it)"
        )
    home = installation.data_dir / "gateway"
    home.mkdir(exist_ok=True)
    return Program(
        "gateway",
        (caddy, "run", "--config", str(ROOT / "deploy" / "gateway" / "Caddyfile"), "--adapter", "caddyfile"),
        {
            **installation.environment(),
            **installation.gateway.environment(installation.port),
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
