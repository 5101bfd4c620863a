"""Registering clients, and giving them new keys."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from services.cli.client_keys import (
    new_key,
    public_key_set,
    read_key_set,
    rename_key_file,
    stored_private_key,
)
from services.cli.gateway import CallError, Gateway
from services.cli.options import program_name
from services.cli.output import print_message

# The fields of a client that a PUT sends; the registry sets the others.
_CHANGEABLE = ("name", "scopes", "roles", "audience", "jwks", "jwks_url")


def public_keys_of(jwks: Path | None, jwks_url: str) -> dict[str, Any]:
    """Return the fields that say where the client's public keys are: in a file that is read now, or at a URL."""
    return {"jwks": None if jwks is None else read_key_set(jwks), "jwks_url": jwks_url or None}


def register_with_new_key(
    key_out: Path | None, register: Callable[[dict[str, Any]], Any], *, smart: bool, url: str
) -> Any:
    """Create a key pair, store the private key on this machine and pass the public one (a JWKS) to ``register``.

    Prints how to get a token with the key; returns what ``register`` returns.
    """
    key = new_key()
    with stored_private_key(key, key_out) as stored:
        client = register(public_key_set(key))
        file = stored if key_out is not None else rename_key_file(stored, client["id"], str(key.kid))
    print_message(f"client {client['id']} of {client['organisation']}; its private key is in {file} and nowhere else")
    command = [program_name(), "token", "--client", client["id"], "--key", str(file)]
    command += ["--smart"] if smart else []
    command += ["--url", url] if url else []
    print_message(f'to get a token for 5 minutes:\n  export CLEIO_TOKEN="$({shlex.join(command)})"')
    return client


def replace_keys(gateway: Gateway, path: str, keys: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """Replace the key set of the client at ``path`` with ``keys(current key set)`` and return the client."""
    return gateway.change(
        path,
        lambda current: (
            "PUT",
            path,
            {**{name: current[name] for name in _CHANGEABLE}, "jwks": keys(current["jwks"])},
        ),
    ).json()


def rotate_signing_key(
    gateway: Gateway, path: str, client: Any, *, jwks: Path | None, key_out: Path | None, drop: bool, url: str
) -> Any:
    """Give a client that signs its assertions a new key; with ``drop`` the former keys are removed.

    :raises CallError: when the client publishes its keys itself.
    """
    if client["jwks_url"] is not None:
        raise CallError(f"this client publishes its keys at {client['jwks_url']}: rotate them there")
    if jwks is not None:
        key_set = read_key_set(jwks)
        return replace_keys(gateway, path, lambda _: key_set)
    return register_with_new_key(
        key_out,
        lambda new: replace_keys(
            gateway, path, lambda former: new if drop else {"keys": [*new["keys"], *former["keys"][:1]]}
        ),
        smart=client["audience"] == "smart",
        url=url,
    )
