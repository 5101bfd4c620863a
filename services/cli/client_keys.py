"""The private keys of clients, on the machine where they run: create, store, read and use them."""

import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from services.cli.gateway import CallError, Gateway, is_loopback, read_json

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, RSAKey

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 240  # the issuer accepts 300; this machine's clock may be ahead
MAX_FILE_BYTES = 64 * 1024


def new_key() -> "ECKey":
    """Create a P-384 key for ES384, with its thumbprint as id."""
    from joserfc.jwk import ECKey

    key = ECKey.generate_key("P-384", {"use": "sig", "alg": "ES384"})
    key.ensure_kid()
    return key


def public_key_set(*keys: "ECKey") -> dict[str, Any]:
    """Return the public part of the keys as a JWKS."""
    return {"keys": [key.as_dict(private=False) for key in keys]}


def default_key_file(client: str) -> Path:
    return Path(os.environ.get("CLEIO_DATA_DIR") or "var") / "clients" / f"{client}.jwk"


@contextmanager
def stored_private_key(key: "ECKey", file: Path | None) -> Iterator[Path]:
    """Write the private key to ``file`` (or to a temporary name in the default folder), readable only by its owner.

    The file is written before the block runs and removed when the block fails.

    :raises OSError: when the file exists or cannot be written.
    """
    if file is None:
        folder = default_key_file("").parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = folder / f".{secrets.token_hex(8)}.new"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as opened:
            json.dump(key.as_dict(private=True), opened)
            opened.write("\n")
            opened.flush()
            os.fsync(opened.fileno())
        yield file
    except BaseException:
        file.unlink(missing_ok=True)
        raise


def rename_key_file(file: Path, client: str, kid: str) -> Path:
    """Name a stored key after its client, or after client and key if that name is taken. Nothing is overwritten."""
    for target in (default_key_file(client), default_key_file(f"{client}-{kid[:8]}")):
        try:
            os.link(file, target)
        except FileExistsError:
            continue
        file.unlink()
        return target
    return file


def read_key_set(file: Path) -> Any:
    """Read a file of public keys (JWKS). The registry checks the keys themselves.

    :raises CallError: when it is not a JWKS, or holds a private key, which must not be sent.
    """
    document = _read_object(file)
    keys = document.get("keys")
    if not isinstance(keys, list):
        raise CallError(f'{file} is not a JSON Web Key Set: {{"keys": […]}}')
    if any(isinstance(key, dict) and {"d", "k"} & key.keys() for key in keys):
        raise CallError(
            f"{file} holds a private key; only public keys are registered (cleio client keypair prints the public part)"
        )
    return document


def _read_object(file: Path) -> dict[str, Any]:
    with file.open("rb") as opened:
        content = opened.read(MAX_FILE_BYTES + 1)
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        document = None
    if len(content) > MAX_FILE_BYTES or not isinstance(document, dict):
        raise CallError(f"{file} does not hold a key as a JSON object")
    return document


def read_private_key(file: Path, kid: str = "") -> "ECKey | RSAKey":
    """Read a private key: a JWK, or PEM together with its registered id ``kid``.

    :raises CallError: when the issuer would not accept the key.
    """
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, RSAKey

    families: dict[str, type[ECKey | RSAKey]] = {"EC": ECKey, "RSA": RSAKey}
    content: Any = file.read_bytes() if file.stat().st_size <= MAX_FILE_BYTES else b""
    if content.startswith(b"-----BEGIN"):
        candidates = list(families.values())
    else:
        content = _read_object(file)
        candidates = [family for name, family in families.items() if content.get("kty") == name]
    key = None
    for family in candidates:
        with suppress(JoseError, ValueError, TypeError):
            key = family.import_key(content)
            break
    if key is None or not key.is_private or (isinstance(key, ECKey) and key.curve_name != "P-384"):
        raise CallError(f"{file} does not hold a private P-384 or RSA key (JWK or PEM)")
    if not (kid or key.kid):
        raise CallError(f"the key in {file} has no id: give the registered one with --kid")
    return key


def fetch_token(
    gateway: Gateway, client: str, key: "ECKey | RSAKey", *, kid: str = "", smart: bool = False, scopes: str = ""
) -> Any:
    """Sign an assertion, exchange it for an access token and return the issuer's answer.

    :raises CallError: when the issuer refuses, or is another one than the gateway that was asked.
    """
    from joserfc import jwt

    metadata = gateway.read("/.well-known/oauth-authorization-server")
    issuer, endpoint = str(metadata.get("issuer", "")), str(metadata.get("token_endpoint", ""))
    if issuer.rstrip("/") != gateway.base and not is_loopback(gateway.base):
        # Do not send an assertion for one issuer to another.
        raise CallError(f"the address of this issuer is {issuer}: call it there, with --url {issuer}")
    now = int(time.time())
    algorithm = "RS384" if key.key_type == "RSA" else "ES384"
    claims = {
        "iss": client,
        "sub": client,
        "aud": endpoint if smart else issuer,
        "iat": now,
        "exp": now + ASSERTION_SECONDS,
        "jti": secrets.token_urlsafe(24),
    }
    assertion = jwt.encode({"alg": algorithm, "typ": "JWT", "kid": kid or key.kid}, claims, key, algorithms=[algorithm])
    form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
    if scopes:
        form["scope"] = scopes
    return read_json(
        gateway.send(
            "POST", "/oauth/token", content=urlencode(form).encode(), media_type="application/x-www-form-urlencoded"
        )
    )
