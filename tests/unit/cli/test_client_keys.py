"""The private keys of clients are readable only by their owner, never overwritten and never sent."""

import json
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey

from services.cli.client_keys import (
    new_key,
    public_key_set,
    read_key_set,
    read_private_key,
    rename_key_file,
    stored_private_key,
)
from services.cli.gateway import CallError
from services.registry.identity.clients.keys import read_key_set as registered


def test_the_public_half_is_accepted_by_the_registry() -> None:
    key = new_key()
    assert [one["kid"] for one in registered(public_key_set(key))] == [key.kid]
    assert "d" not in public_key_set(key)["keys"][0]


def test_a_private_key_is_readable_only_by_its_owner_and_is_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEIO_DATA_DIR", str(tmp_path))
    key = new_key()
    with stored_private_key(key, None) as draft:
        file = rename_key_file(draft, "a-client", str(key.kid))
    assert [one.name for one in (tmp_path / "clients").iterdir()] == ["a-client.jwk"]
    assert (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(file.parent.stat().st_mode)) == (0o600, 0o700)
    assert read_private_key(file).kid == key.kid


def test_a_second_key_of_a_client_overwrites_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEIO_DATA_DIR", str(tmp_path))
    kids = []
    for _ in range(2):
        key = new_key()
        with stored_private_key(key, None) as draft:
            kids.append(read_private_key(rename_key_file(draft, "a-client", str(key.kid))).kid)
    assert read_private_key(tmp_path / "clients" / "a-client.jwk").kid == kids[0]
    assert read_private_key(tmp_path / "clients" / f"a-client-{str(kids[1])[:8]}.jwk").kid == kids[1]


def test_an_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "mine"
    file.write_text("mine")
    with pytest.raises(FileExistsError), stored_private_key(new_key(), file):
        raise AssertionError
    assert file.read_text() == "mine"


def test_a_key_that_could_not_be_registered_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(CallError), stored_private_key(new_key(), tmp_path / "new"):
        raise CallError("refused")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "made", [ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)], ids=["P-384", "RSA"]
)
def test_pem_needs_the_key_id_that_was_registered(
    tmp_path: Path, made: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert read_private_key(file, "mine").is_private
    with pytest.raises(CallError, match="--kid"):
        read_private_key(file)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "nonsense",
        "[]",
        "{}",
        "-----BEGIN nonsense",
        json.dumps(ECKey.generate_key("P-256", {"kid": "weak"}).as_dict(private=True)),
        json.dumps(ECKey.generate_key("P-384", {"kid": "public"}).as_dict(private=False)),
        json.dumps({"kty": "oct", "k": "c2VjcmV0", "kid": "symmetric"}),
    ],
)
def test_an_unusable_key_is_reported_in_one_line(tmp_path: Path, content: str) -> None:
    file = tmp_path / "key"
    file.write_text(content)
    with pytest.raises(CallError) as refused:
        read_private_key(file)
    assert len(str(refused.value).splitlines()) == 1


def test_a_private_key_in_a_key_set_is_not_sent(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": [new_key().as_dict(private=True)]}))
    with pytest.raises(CallError, match="private"):
        read_key_set(file)
    file.write_text(json.dumps(public_key_set(new_key())))
    assert len(read_key_set(file)["keys"]) == 1
