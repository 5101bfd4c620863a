"""Start the system: lock, ports, secrets, services (each migrates its database first), gateway. Stop it in reverse."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from time import monotonic

from services.supervisor.demonstration import RECEIVERS, fill, is_demonstration
from services.supervisor.gateway import InvalidGatewayError
from services.supervisor.greeting import greeting
from services.supervisor.installation import CannotStartError, Installation, port_variable
from services.supervisor.program import ConfigurationFailedError, Program, SupervisedProcess
from services.supervisor.readiness import get_status, wait_until_answering
from services.supervisor.watchdog import (
    InvalidHangTimeoutError,
    feed_systemd_watchdog,
    hang_timeout,
    notify_systemd,
    replace_when_hung,
)
from shared.values.addresses import EVERYWHERE, LOOPBACK_NAMES

ROOT = Path(__file__).resolve().parents[2]
LOOPBACK = "127.0.0.1"
GATEWAY_PROBE = "/gateway/livez"  # answered by the gateway itself, with 404
THROUGH_THE_GATEWAY = ("/registry/v1/trials?limit=1", "/matching/readyz", "/notifications/readyz", "/portal/readyz")
START_TIMEOUT = 120.0  # seconds until everything must answer
# Less than five seconds together. The gateway gives its open requests one second (Caddyfile), a service two.
GATEWAY_STOP_TIMEOUT, SERVICE_STOP_TIMEOUT = 1.5, 2.8
_COLOURS = {"gateway": 35, "registry": 36, "matching": 32, "notifications": 33, "portal": 34}


def up(replicas: Sequence[str] = ()) -> int:
    """Run the whole system until SIGINT, SIGTERM or SIGHUP; return the exit code. ``replicas``: ``service=number``."""
    started = monotonic()
    try:
        hang_timeout(os.environ)  # checked before anything starts
        installation = Installation.from_environment(os.environ, replicas)
        if not installation.data_dir.exists():
            # Leave no folder behind when the start fails. In an existing one a second supervisor is named first.
            installation.check_ports()
            installation.gateway.check_certificate()
            write_line("cleio", f"creating a new installation in {installation.data_dir}")
        with installation.locked():
            installation.check_restored()
            installation.check_ports()
            installation.gateway.check_certificate()
            installation.make_secrets()
            return asyncio.run(_run(installation, started))
    except (CannotStartError, InvalidGatewayError, InvalidHangTimeoutError, OSError) as error:
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
        notify_systemd("STOPPING=1")
        running.cancel()
        stopping.cancel()
        await asyncio.gather(running, stopping, return_exceptions=True)
        # The gateway first, so that no new request reaches a service that is stopping.
        await gateway.stop(GATEWAY_STOP_TIMEOUT)
        # The registry last, so that no service loses the feed that it follows and warns of it.
        for is_registry in (False, True):
            group = [one for one in services if one.program.name.startswith("registry") is is_registry]
            await asyncio.gather(*(service.stop(SERVICE_STOP_TIMEOUT) for service in group))
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
        notify_systemd("READY=1")
        await _watch(installation, services, gateway, failures)
    try:
        await asyncio.gather(*(failure for failure in failures if failure.done()))
    except ConfigurationFailedError as error:
        raise CannotStartError(f"{error} cannot run with its settings (see its line above)") from None


async def _watch(
    installation: Installation,
    services: Sequence[SupervisedProcess],
    gateway: SupervisedProcess,
    failures: Sequence["asyncio.Task[None]"],
) -> None:
    """Replace programs that do not answer any more, until one cannot run."""
    watchers = [asyncio.create_task(feed_systemd_watchdog())]
    if _is_demonstration(installation):
        watchers.append(asyncio.create_task(fill(installation, write_line)))
    if seconds := hang_timeout(os.environ):
        watchers += [
            asyncio.create_task(replace_when_hung(process, LOOPBACK, port, f"/{service}/livez", seconds))
            for process, (_, service, port) in zip(services, installation.replicas(), strict=True)
        ]
        address = (installation.host, installation.port)
        watchers.append(
            asyncio.create_task(replace_when_hung(gateway, *address, GATEWAY_PROBE, seconds, installation.gateway))
        )
    try:
        await asyncio.wait(failures, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)


async def _get_ready(installation: Installation, gateway: SupervisedProcess) -> None:
    write_line("cleio", f"starting {', '.join(installation.service_ports)}")
    await asyncio.gather(*(_wait_for_service(*replica) for replica in installation.replicas()))
    # Started last, so that its first health check finds all services.
    gateway.start()
    await wait_until_answering(installation.host, installation.port, THROUGH_THE_GATEWAY, installation.gateway)


async def _wait_for_service(name: str, service: str, port: int) -> None:
    await wait_until_answering(LOOPBACK, port, [f"/{service}/readyz"])
    write_line("cleio", f"{name} is ready")


def _cleio(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "services.cli", *arguments)


def _service(installation: Installation, name: str, service: str, port: int) -> Program:
    variables = {**installation.environment(), port_variable(service): str(port), "CLEIO_SUPERVISED": "1"}
    if os.environ.get("CLEIO_LOG_FORMAT", "auto") in {"", "auto"}:
        # The output of the service is a pipe: only the supervisor knows whether people read it.
        variables["CLEIO_LOG_FORMAT"] = "text" if sys.stdout.isatty() else "json"
    if service == "registry":
        variables["CLEIO_REGISTRY_LOAD_SAMPLE"] = _loads_sample()
    if service == "notifications" and _is_demonstration(installation):
        variables["CLEIO_OUTBOUND_DEV_HOSTS"] = os.environ.get("CLEIO_OUTBOUND_DEV_HOSTS") or RECEIVERS
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
            **gateway_pages(),
            "CLEIO_GATEWAY_STORAGE": str(home),
            "CLEIO_GATEWAY_ACCESS_LOG": f'file "{home / "access.log"}"',
            "XDG_DATA_HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
            # By default Go collects garbage when its small heap has doubled, which is often.
            "GOGC": "400",
        },
    )


def gateway_pages() -> dict[str, str]:
    """Return where the gateway finds its pages, and whether search engines may list them: not a demonstration.

    :raises CannotStartError: when the package with Swagger UI is not installed.
    """
    try:
        swagger = distribution("fastapi-offline").locate_file("fastapi_offline/static")
    except PackageNotFoundError:
        raise CannotStartError(
            "the package fastapi-offline is missing: install the project with its dependencies (`make run` does it)"
        ) from None
    return {
        "CLEIO_GATEWAY_ROOT": str(ROOT),
        "CLEIO_GATEWAY_SWAGGER_UI": str(swagger),
        "CLEIO_GATEWAY_ROBOTS": "none" if _has_sample() else "all",
    }


def _loads_sample() -> str:
    return os.environ.get("CLEIO_REGISTRY_LOAD_SAMPLE", "true").lower()


def _has_sample() -> bool:
    return _loads_sample() in {"1", "true", "t", "yes", "y", "on"}


def _is_demonstration(installation: Installation) -> bool:
    return is_demonstration(installation, os.environ, with_sample=_has_sample())


def _line_writer() -> Callable[[str, str], None]:
    coloured = sys.stdout.isatty()

    def write(name: str, line: str) -> None:
        prefix = f"{name:<13} | "
        if coloured:
            prefix = f"\x1b[{_COLOURS.get(name.partition('-')[0], 1)}m{prefix}\x1b[0m"
        print(prefix + line, flush=True)

    return write


write_line = _line_writer()
