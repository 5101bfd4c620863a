"""The keys that a client signs with, on the machine where it runs: made here, kept here, and used for its assertions."""

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
ASSERTION_SECONDS = 240  # the issuer takes 300; this one's clock may be ahead
LARGEST = 64 * 1024


def new_key() -> "ECKey":
    """A P-384 key for ES384, named by its thumbprint."""
    from joserfc.jwk import ECKey

    key = ECKey.generate_key("P-384", {"use": "sig", "alg": "ES384"})
    key.ensure_kid()
    return key


def public_set(*keys: "ECKey") -> dict[str, Any]:
    """The part of keys that others may see, as a JWKS."""
    return {"keys": [key.as_dict(private=False) for key in keys]}


def default_file(client: str) -> Path:
    return Path(os.environ.get("CLEIO_DATA_DIR") or "var") / "clients" / f"{client}.jwk"


@contextmanager
def kept_private(key: "ECKey", file: Path | None) -> Iterator[Path]:
    """A file with the private key, for its owner alone, written before anybody is told of it and gone again where that fails.

    :raises OSError: it exists, or cannot be written.
    """
    if file is None:
        folder = default_file("").parent
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


def named(draft: Path, client: str, kid: str) -> Path:
    """Give a kept key the name of its client; where the client has one already, of its key too. Nothing is overwritten."""
    for file in (default_file(client), default_file(f"{client}-{kid[:8]}")):
        try:
            os.link(draft, file)
        except FileExistsError:
            continue
        draft.unlink()
        return file
    return draft


def read_key_set(file: Path) -> Any:
    """What a file of public keys holds: the registry judges it.

    :raises CallError: it is no JSON object, or holds a private key: that is not sent anywhere.
    """
    document = _read(file)
    keys = document.get("keys")
    if not isinstance(keys, list):
        raise CallError(f'{file} is no JSON Web Key Set: {{"keys": […]}}')
    if any(isinstance(key, dict) and {"d", "k"} & key.keys() for key in keys):
        raise CallError(
            f"{file} holds a private key: only its public part is registered (cleio client keypair makes both)"
        )
    return document


def _read(file: Path) -> dict[str, Any]:
    with file.open("rb") as opened:
        content = opened.read(LARGEST + 1)
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        document = None
    if len(content) > LARGEST or not isinstance(document, dict):
        raise CallError(f"{file} holds no key in JSON form")
    return document


def read_private_key(file: Path, kid: str = "") -> "ECKey | RSAKey":
    """The key to sign with: a private JWK, or PEM with its ``kid`` given.

    :raises CallError: it is none that the issuer would take.
    """
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, RSAKey

    families: dict[str, type[ECKey | RSAKey]] = {"EC": ECKey, "RSA": RSAKey}
    content: Any = file.read_bytes() if file.stat().st_size <= LARGEST else b""
    if content.startswith(b"-----BEGIN"):
        candidates = list(families.values())
    else:
        content = _read(file)
        candidates = [family for name, family in families.items() if content.get("kty") == name]
    key = None
    for family in candidates:
        with suppress(JoseError, ValueError, TypeError):
            key = family.import_key(content)
            break
    if key is None or not key.is_private or (isinstance(key, ECKey) and key.curve_name != "P-384"):
        raise CallError(f"{file} holds no private P-384 or RSA key (JWK, or PEM)")
    if not (kid or key.kid):
        raise CallError(f"the key in {file} has no name: give the registered one with --kid")
    return key


def take_token(
    gateway: Gateway, client: str, key: "ECKey | RSAKey", *, kid: str = "", smart: bool = False, scopes: str = ""
) -> Any:
    """What the issuer answers to an assertion that is made now and serves once.

    :raises CallError: it is refused.
    """
    from joserfc import jwt

    issuer = gateway.read("/.well-known/oauth-authorization-server")
    told, endpoint = str(issuer.get("issuer", "")), str(issuer.get("token_endpoint", ""))
    if told.rstrip("/") != gateway.base and not is_loopback(gateway.base):
        # An assertion for one issuer is never handed to another.
        raise CallError(f"the issuer calls itself {told}: ask it there, with --url {told}")
    now = int(time.time())
    algorithm = "RS384" if key.key_type == "RSA" else "ES384"
    claims = {
        "iss": client,
        "sub": client,
        "aud": endpoint if smart else told,
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
