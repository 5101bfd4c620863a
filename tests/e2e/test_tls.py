"""The gateway over TLS and its host names: with its own authority, and with the operator's certificate."""

import json
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.supervisor.gateway import GatewaySettings, InvalidGatewayError
from services.supervisor.installation import Installation
from services.supervisor.run import _gateway
from tests.conftest import free_port
from tests.e2e.conftest import ROOT, System, eventually

PATIENT = "docs/examples/duchenne-boy.json"
# HTTP/2 by hand: the preface and empty settings; then GET /registry/livez, its headers from HPACK's static table and as
# literals.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04\x00" + bytes(4)
GET_LIVEZ = b"\x82\x87\x04\x0f/registry/livez\x01\x09localhost"
HEADERS_FRAME, OK_FROM_TABLE = 1, 0x88


def trusting(root: Path, *protocols: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(root))
    context.set_alpn_protocols(list(protocols))
    return context


@contextmanager
def connected(port: int, context: ssl.SSLContext, name: str) -> Iterator[ssl.SSLSocket]:
    with (
        socket.create_connection(("127.0.0.1", port), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        yield secure


def exchange(connection: ssl.SSLSocket, host: str) -> str:
    """Send one HTTP/1.1 request; return the whole answer."""
    connection.sendall(
        f"GET /registry/livez HTTP/1.1\r\nHost: {host}\r\nAccept-Language: en\r\nConnection: close\r\n\r\n".encode()
    )
    answer = b""
    while part := connection.recv(65536):
        answer += part
    return answer.decode().lower()


def frames(connection: ssl.SSLSocket) -> Iterator[tuple[int, bytes]]:
    """Yield HTTP/2 frames: type and payload."""
    buffer = b""
    while part := connection.recv(65536):
        buffer += part
        while len(buffer) >= 9 and len(buffer) >= 9 + (length := int.from_bytes(buffer[:3])):
            yield buffer[3], buffer[9 : 9 + length]
            buffer = buffer[9 + length :]


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    running = System(tmp_path_factory.mktemp("secured") / "var", CLEIO_TLS="internal")
    try:
        running.read_until("ready in")
        yield running
    finally:
        running.end()


@pytest.fixture
def root(secured: System) -> Path:
    return secured.folder / "gateway" / "pki" / "authorities" / "local" / "root.crt"


def test_http_2_is_negotiated_and_works(secured: System, root: Path) -> None:
    with connected(secured.port, trusting(root, "h2", "http/1.1"), "localhost") as connection:
        assert connection.selected_alpn_protocol() == "h2"
        assert connection.version() in {"TLSv1.2", "TLSv1.3"}
        frame = len(GET_LIVEZ).to_bytes(3) + bytes([HEADERS_FRAME, 0x05]) + (1).to_bytes(4) + GET_LIVEZ
        connection.sendall(PREFACE + frame)
        assert next(payload for kind, payload in frames(connection) if kind == HEADERS_FRAME)[0] == OK_FROM_TABLE


def test_http_1_1_over_tls_sends_a_short_hsts(secured: System, root: Path) -> None:
    with connected(secured.port, trusting(root, "http/1.1"), "127.0.0.1") as connection:
        assert connection.selected_alpn_protocol() == "http/1.1"
        answer = exchange(connection, f"127.0.0.1:{secured.port}")
    assert answer.startswith("http/1.1 200 ")
    assert "\r\nstrict-transport-security: max-age=3600\r\n" in answer


def test_plain_http_is_refused(secured: System) -> None:
    with secured.client() as client:
        assert client.get("/registry/livez").status_code == 400


def test_another_host_is_refused_over_tls(secured: System, root: Path) -> None:
    with pytest.raises(ssl.SSLError), connected(secured.port, trusting(root), "evil.example"):
        pass
    with connected(secured.port, trusting(root), "localhost") as connection:
        answer = exchange(connection, "evil.example")
    assert answer.startswith("http/1.1 421 ")
    assert "content-type: application/problem+json" in answer
    assert '"code":"unknown_host"' in answer


def cleio_match(settings: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CLEIO_")}
    command = [sys.executable, "-m", "services.cli", "match", PATIENT, "--json"]
    return subprocess.run(
        command, cwd=ROOT, env={**environment, **settings}, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_command_line_trusts_the_installations_own_authority(secured: System) -> None:
    shown = cleio_match(
        {"CLEIO_PORT": str(secured.port), "CLEIO_DATA_DIR": str(secured.folder), "CLEIO_TLS": "internal"}
    )
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["results"]


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def certificate_for(name: str, folder: Path) -> dict[str, str]:
    """Return a self-signed certificate for this name, in the form that an operator provides."""
    key, subject = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(
            subject, subject, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=2)
        )
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir()
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(pem)
    return {"CLEIO_TLS_CERT": str(folder / "cert.pem"), "CLEIO_TLS_KEY": str(folder / "key.pem")}


def test_the_operators_certificate_is_shown(tmp_path: Path) -> None:
    port, files = free_port(4), certificate_for("cleio.example", tmp_path / "tls")
    settings = {
        "CLEIO_PORT": str(port),
        "CLEIO_DATA_DIR": str(tmp_path / "var"),
        "CLEIO_HOSTS": "cleio.example, other.example",
        **files,
    }
    installation = Installation.from_environment(settings)
    assert (installation.url, installation.local_url) == (
        f"https://cleio.example:{port}",
        f"https://cleio.example:{port}",
    )
    installation.gateway.check_certificate()
    installation.data_dir.mkdir()
    program = _gateway(installation)
    # Only the gateway, as `cleio up` runs it: its certificate needs no service.
    environment = {**os.environ, **program.environment, "CLEIO_GATEWAY_PATIENCE": "100ms"}
    with subprocess.Popen(program.command, env=environment, stderr=subprocess.DEVNULL) as gateway:
        try:
            assert eventually(lambda: listens(port), 30)
            context = trusting(Path(files["CLEIO_TLS_CERT"]), "h2")
            with connected(port, context, "cleio.example") as connection:
                assert connection.selected_alpn_protocol() == "h2"
            with connected(port, trusting(Path(files["CLEIO_TLS_CERT"])), "cleio.example") as connection:
                answer = exchange(connection, "elsewhere.example")
            # The command resolves the name to this machine; no service is there to answer.
            refusal = cleio_match({**settings, "SSL_CERT_FILE": files["CLEIO_TLS_CERT"]})
            # 502 if it tried one itself, 503 if it already knows that none is there.
            assert refusal.stderr.endswith(("(502 unavailable)\n", "(503 unavailable)\n"))
            assert answer.startswith("http/1.1 421 ")
            assert "\r\nstrict-transport-security: max-age=63072000\r\n" in answer
        finally:
            gateway.terminate()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"CLEIO_TLS": "internal"},
        {"CLEIO_TLS_CERT": "a.pem", "CLEIO_TLS_KEY": "b.pem", "CLEIO_HOSTS": "cleio.example,10.0.0.5"},
    ],
)
def test_no_external_authority_is_contacted_and_the_trust_store_is_unchanged(
    settings: dict[str, str], tmp_path: Path
) -> None:
    installation = Installation.from_environment({**settings, "CLEIO_DATA_DIR": str(tmp_path)})
    program = _gateway(installation)
    command = [program.command[0], "adapt", *program.command[2:]]
    adapted = subprocess.run(
        command, env={**os.environ, **program.environment}, capture_output=True, text=True, check=True, timeout=60
    )
    apps = json.loads(adapted.stdout)["apps"]
    assert apps["pki"]["certificate_authorities"] == {"local": {"install_trust": False}}
    policies = apps.get("tls", {}).get("automation", {}).get("policies", [])
    assert [issuer["module"] for policy in policies for issuer in policy["issuers"]] == (
        ["internal"] if settings else []
    )
    assert all(server["automatic_https"]["disable_redirects"] for server in apps["http"]["servers"].values())


def test_an_unusable_certificate_is_reported_in_one_line(tmp_path: Path) -> None:
    files = certificate_for("cleio.example", tmp_path / "one")
    files["CLEIO_TLS_KEY"] = certificate_for("cleio.example", tmp_path / "two")["CLEIO_TLS_KEY"]
    refused = System(tmp_path / "var", **files)
    lines = refused.read_to_the_end()
    assert (refused.process.returncode, len(lines)) == (1, 1)
    assert "CLEIO_TLS_KEY" in lines[0]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"CLEIO_TLS": "on"}, "CLEIO_TLS must be off or internal"),
        ({"CLEIO_TLS_CERT": "a.pem"}, "CLEIO_TLS_KEY"),
        ({"CLEIO_TLS_CERT": "a.pem", "CLEIO_TLS_KEY": "b.pem", "CLEIO_TLS": "internal"}, "CLEIO_TLS must be unset"),
        ({"CLEIO_HOSTS": "a.example b.example"}, "CLEIO_HOSTS"),
        ({"CLEIO_HOSTS": "a.example {\n}"}, "CLEIO_HOSTS"),
        ({"CLEIO_HOSTS": "*.example"}, "CLEIO_HOSTS"),
    ],
)
def test_contradictory_settings_are_refused(settings: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidGatewayError, match=said):
        GatewaySettings.from_environment(settings, "127.0.0.1")


@pytest.mark.parametrize(
    ("listed", "bind", "hosts"),
    [
        ("", "127.0.0.1", ("127.0.0.1", "localhost", "[::1]")),
        ("", "10.0.0.5", ("10.0.0.5", "localhost", "127.0.0.1", "[::1]")),
        ("", "0.0.0.0", ("localhost", "127.0.0.1", "[::1]")),
        ("", "2001:db8::5", ("[2001:db8::5]", "localhost", "127.0.0.1", "[::1]")),
        (
            "CLEIO.example,[2001:db8::5]",
            "0.0.0.0",
            ("cleio.example", "[2001:db8::5]", "localhost", "127.0.0.1", "[::1]"),
        ),
    ],
)
def test_the_host_names_that_are_answered(listed: str, bind: str, hosts: tuple[str, ...]) -> None:
    assert GatewaySettings.from_environment({"CLEIO_HOSTS": listed}, bind).hosts == hosts
