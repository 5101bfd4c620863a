"""One installation: its ports, its data folder with the lock against a second supervisor, and its secrets."""

import base64
import fcntl
import json
import os
import secrets
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from services.supervisor.gateway import GatewaySettings, InvalidGatewayError
from shared.values.addresses import EMBEDDED_PORTS, EVERYWHERE, replica_ports

# Services with a database. Only one process may open an SQLite database.
WITH_DATABASE = frozenset({"registry", "notifications", "portal"})
MAX_REPLICAS = 16
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
SECRETS = ("internal-token", "cursor-key", "audit-key")
# Prefix of the folder where a restore keeps the data that it replaces.
ASIDE = "before-restore-"


class CannotStartError(Exception):
    """The installation cannot start; the message is one line for the operator."""


@dataclass(frozen=True)
class Installation:
    """Addresses and folders of an installation.

    ``bind`` and ``port`` are the gateway's. The services listen on loopback only, each replica at a port of its own.
    ``configured_url``: CLEIO_PUBLIC_URL, or empty.
    """

    port: int
    bind: str
    gateway: GatewaySettings
    service_ports: Mapping[str, tuple[int, ...]]
    data_dir: Path
    configured_url: str = ""

    @property
    def public_url(self) -> str:
        """The address for callers, which is also the issuer of its tokens."""
        return self.configured_url or self.url

    @property
    def host(self) -> str:
        """An address at which this machine reaches the gateway."""
        return "127.0.0.1" if self.bind in EVERYWHERE else self.bind

    @property
    def url(self) -> str:
        return f"{self.gateway.scheme}://{self.gateway.name}:{self.port}"

    @property
    def local_url(self) -> str:
        """The address for programs on this machine.

        With the operator's certificate it is `url`, whose name may not resolve here: then connect to ``host``.
        """
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (
            f"{self.gateway.scheme}://{host}:{self.port}"
            if host in self.gateway.hosts and self.gateway.tls != "files"
            else self.url
        )

    @property
    def needs_token_to_match(self) -> bool:
        """Whether a match needs a token: it does unless the gateway is for this machine only."""
        names = (self.bind, urlsplit(self.configured_url).hostname or "localhost")
        return not all(name in LOCAL_NAMES for name in names)

    @property
    def authority(self) -> Path:
        """The root certificate of the gateway's own authority (with CLEIO_TLS=internal)."""
        return self.data_dir / "gateway" / "pki" / "authorities" / "local" / "root.crt"

    @property
    def secrets_dir(self) -> Path:
        return self.data_dir / "secrets"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], replicas: Iterable[str] = ()) -> "Installation":
        """Read the settings. ``replicas``: ``service=number`` for each service that runs more than once.

        :raises CannotStartError: when a port, a setting of the gateway or a number of replicas is invalid.
        """
        data_dir = Path(environment.get("CLEIO_DATA_DIR") or "var").absolute()
        if data_dir.exists() and not data_dir.is_dir():
            raise CannotStartError(f"CLEIO_DATA_DIR names a file, not a folder: {data_dir}")
        port = _port(environment, "CLEIO_PORT", 8080)
        counts = _replicas(environment, replicas)
        bind = environment.get("CLEIO_BIND") or "127.0.0.1"
        try:
            gateway = GatewaySettings.from_environment(environment, bind)
        except InvalidGatewayError as error:
            raise CannotStartError(str(error)) from None
        return cls(
            port=port,
            bind=bind,
            gateway=gateway,
            service_ports={
                name: replica_ports(_port(environment, port_variable(name), port + offset), counts.get(name, 1))
                for name, offset in EMBEDDED_PORTS.items()
            },
            data_dir=data_dir,
            configured_url=environment.get("CLEIO_PUBLIC_URL", ""),
        )

    def environment(self) -> dict[str, str]:
        """Return the variables that all programs need in common."""
        variables = {
            "CLEIO_PORT": str(self.port),
            "CLEIO_BIND": self.bind,
            "CLEIO_DATA_DIR": str(self.data_dir),
            "CLEIO_HOSTS": ",".join(self.gateway.hosts),
            "CLEIO_PUBLIC_URL": self.public_url,
        }
        for name, ports in self.service_ports.items():
            variables[f"CLEIO_{name.upper()}_URL"] = ",".join(f"http://127.0.0.1:{port}" for port in ports)
        return variables

    def replicas(self) -> Iterator[tuple[str, str, int]]:
        """Yield each process of each service: its name in the log, its service, its port."""
        for service, ports in self.service_ports.items():
            for number, port in enumerate(ports, 1):
                yield service if len(ports) == 1 else f"{service}-{number}", service, port

    def check_ports(self) -> None:
        """:raises CannotStartError: when a port is taken, used twice or not permitted."""
        uses = [("gateway", "CLEIO_PORT", self.bind, self.port)]
        uses += [(name, port_variable(service), "127.0.0.1", port) for name, service, port in self.replicas()]
        seen: dict[int, str] = {}
        for name, variable, address, port in uses:
            if port in seen:
                raise CannotStartError(
                    f"{seen[port]} and {name} are both set to port {port}: choose another with {variable}=…"
                )
            seen[port] = name
            _try_port(name, variable, address, port)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the data folder. The lock ends with the process, however it ends.

        :raises CannotStartError: when another supervisor has locked it.
        """
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with (self.data_dir / "supervisor.lock").open("a+", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                owner = lock.read().strip() or "unknown"
                raise CannotStartError(
                    f"another `cleio up` (process {owner}) uses {self.data_dir}: stop it, "
                    "or choose another folder with CLEIO_DATA_DIR=…"
                ) from None
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield

    def check_created(self, environment: Mapping[str, str]) -> None:
        """Check that the installation exists: its secrets are in the data folder or in the environment.

        :raises CannotStartError: when it does not.
        """
        if any((self.secrets_dir / name).is_file() for name in SECRETS):
            return
        if all(environment.get(f"CLEIO_{name.upper().replace('-', '_')}") for name in SECRETS):
            return
        raise CannotStartError(
            f"there is no installation in {self.data_dir} (`cleio up` creates one): set CLEIO_DATA_DIR to its folder, "
            "or load its environment first, for example: set -a; . /etc/cleio/cleio.env; set +a"
        )

    def check_restored(self) -> None:
        """:raises CannotStartError: when a restore was interrupted."""
        if (left := interrupted_restore(self.data_dir)) is not None:
            raise CannotStartError(
                f"a restore was interrupted ({left}): run `cleio restore --undo`, then restore again"
            )

    def make_secrets(self) -> None:
        """Create the secrets that do not exist yet, readable only by their owner."""
        self.secrets_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.secrets_dir.chmod(0o700)
        # In the form that `shared.settings` reads.
        _make_secret(self.secrets_dir / "internal-token", secrets.token_urlsafe(32))
        _make_secret(self.secrets_dir / "cursor-key", base64.b64encode(secrets.token_bytes(64)).decode())
        _make_secret(self.secrets_dir / "audit-key", base64.b64encode(secrets.token_bytes(32)).decode())


def interrupted_restore(data_dir: Path) -> Path | None:
    """Return the folder of a restore that did not finish, if there is one."""
    for journal in sorted(data_dir.glob(f"{ASIDE}*/journal.json")):
        try:
            state = json.loads(journal.read_text(encoding="utf-8"))["state"]
        except (ValueError, KeyError):
            state = "unknown"
        if state != "done":
            return journal.parent
    return None


def port_variable(service: str) -> str:
    return f"CLEIO_{service.upper()}_PORT"


def _replicas(environment: Mapping[str, str], requested: Iterable[str]) -> dict[str, int]:
    counts = {}
    for one in requested:
        name, _, number = one.partition("=")
        if name not in EMBEDDED_PORTS or not (
            number.isascii() and number.isdigit() and 1 <= int(number) <= MAX_REPLICAS
        ):
            raise CannotStartError(f"--replicas is {'|'.join(EMBEDDED_PORTS)}=1…{MAX_REPLICAS}, not {one!r}")
        counts[name] = int(number)
        variable = f"CLEIO_{name.upper()}_DATABASE_URL"
        if counts[name] > 1 and name in WITH_DATABASE and not environment.get(variable, "").startswith("postgresql"):
            raise CannotStartError(
                f"{name} on SQLite can run only once, because one process owns its file: "
                f"set {variable}=postgresql://… to run it {number} times"
            )
    return counts


def _port(environment: Mapping[str, str], variable: str, default: int) -> int:
    text = environment.get(variable) or str(default)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise CannotStartError(f"{variable} must be a port between 1 and 65535, not {text!r}")
    return int(text)


def _try_port(name: str, variable: str, address: str, port: int) -> None:
    try:
        family, _, _, _, target = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # As the servers do: a connection of a former run that is still closing does not block the port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(target)
    except OSError as error:
        raise CannotStartError(
            f"port {port} for {name} cannot be used on {address} ({error.strerror}): "
            f"stop the other program, or choose another port with {variable}=…"
        ) from None


def _make_secret(path: Path, value: str) -> None:
    if path.exists():
        path.chmod(0o600)
        return
    # Written under another name, then renamed: a crash leaves no incomplete secret.
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(value)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
