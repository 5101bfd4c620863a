"""Keys of API clients, on both databases: what is stored, which key sets are accepted, rotation and expiry."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import ECKey, OctKey
from sqlalchemy import select

from services.registry.schema import METADATA
from shared.persistence.columns import UtcInstant
from tests.contract.network import Network, b64, key_of
from tests.contract.test_clients import IF_ANY, ME, client_document, clients

pytestmark = pytest.mark.anyio


async def everything_stored(network: Network) -> str:
    """Return every value of every table."""
    found = []
    async with network.app.state.database.read() as connection:
        for table in METADATA.sorted_tables:
            rows = await connection.execute(select(table))
            found += [
                value.hex() + repr(value) if isinstance(value, bytes) else repr(value) for row in rows for value in row
            ]
    return "\n".join(found)


async def test_a_key_is_shown_once_and_only_its_digest_is_stored(network: Network) -> None:
    name = await network.organisation()
    made = await network.call("POST", clients(name), network.admin, json=client_document(expires_in_days=30))
    assert made.status_code == 201
    shown = made.json()
    assert made.headers["location"] == clients(name, shown["id"])
    assert (made.headers["etag"], made.headers["cache-control"]) == ('"v1"', "no-store")
    key = shown.pop("key")
    assert (await network.call("GET", ME, key)).json()["client"] == shown["id"]
    read = await network.call("GET", clients(name, shown["id"]), network.admin)
    assert read.json() == shown
    turned = await network.call("POST", f"{clients(name, shown['id'])}/rotate", key, json={}, headers=IF_ANY)
    assert turned.status_code == 403, "no administrator"
    listed = await network.call("GET", clients(name), network.admin)
    assert listed.json()["items"] == [shown]
    stored = await everything_stored(network)
    secret = key.split("_", 2)[2]
    assert secret not in read.text + listed.text + stored
    assert secret.encode().hex() not in stored
    assert hashlib.sha256(key.encode()).hexdigest() in stored
    days = datetime.fromisoformat(shown["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=29) < days <= timedelta(days=30)


async def test_the_issuers_private_keys_are_stored_encrypted_only(network: Network) -> None:
    rows = await network.rows("SELECT kid, state, sealed, public FROM signing_keys")
    assert sorted(row.state for row in rows) == ["active", "next"]
    stored = await everything_stored(network)
    for row in rows:
        assert '"d"' not in row.public
        secret = bytes(row.sealed)
        assert b"crv" not in secret
        assert b"kty" not in secret
    assert '"d":' not in stored
    published = (await network.call("GET", "/.well-known/jwks.json")).json()["keys"]
    assert {key["kid"] for key in published} == {row.kid for row in rows}
    assert all(key.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"} for key in published)


def rsa_modulus(bits: int) -> bytes:
    return rsa.generate_private_key(65537, bits).public_key().public_numbers().n.to_bytes(bits // 8, "big")


def weak_keys() -> dict[str, dict[str, Any]]:
    good = key_of("good").as_dict(private=False)
    other = key_of("good", "RS384").as_dict(private=False)
    return {
        "private": key_of("good").as_dict(private=True),
        "private RSA": key_of("good", "RS384").as_dict(private=True),
        "symmetric": OctKey.generate_key(256, {"kid": "k"}).as_dict(private=True),
        "1024 bits": {**other, "n": b64(rsa_modulus(1024))},
        "8192 bits": {**other, "n": b64(b"\xff" * 1024)},
        "P-256": ECKey.generate_key("P-256", {"kid": "k"}).as_dict(private=False),
        "P-521": ECKey.generate_key("P-521", {"kid": "k"}).as_dict(private=False),
        "another algorithm": {**other, "alg": "RS256"},
        "no algorithm of ours": {**other, "alg": []},
        "for encryption": {**good, "use": "enc"},
        "no kid": {**good, "kid": None},
        "empty kid": {**good, "kid": ""},
        "long kid": {**good, "kid": "k" * 129},
        "kid of another type": {**good, "kid": 7},
        "no family": {**good, "kty": None},
        "family of another type": {**good, "kty": ["EC"]},
        "family as an object": {**good, "kty": {}},
        "unknown family": {**good, "kty": "OKP"},
        "unknown curve": {**good, "crv": "P-385"},
        "curve of another type": {**good, "crv": 384},
        "no point of the curve": {**good, "x": good["y"]},
        "no base64": {**good, "x": "é"},
        "nothing": {**good, "x": ""},
        "modulus of zero": {**other, "n": "AA"},
        "exponent of one": {**other, "e": "AQ"},
        "exponent without end": {**other, "e": "A" * 400},
        "modulus without end": {**other, "n": "f" * 9000},
    }


async def test_an_untrusted_key_set_is_refused(network: Network) -> None:
    name = await network.organisation()
    sets: dict[str, Any] = {
        what: {"keys": [{n: v for n, v in key.items() if v is not None}]} for what, key in weak_keys().items()
    }
    good = key_of("good").as_dict(private=False)
    sets |= {
        "none": {},
        "no list": {"keys": good},
        "empty": {"keys": []},
        "no keys": {"keys": ["k", 7]},
        "twice": {"keys": [good, good]},
        "eleven": {"keys": [{**good, "kid": str(number)} for number in range(11)]},
    }
    for what, jwks in sets.items():
        answer = await network.call(
            "POST", clients(name), network.admin, json=client_document(method="private_key_jwt", jwks=jwks)
        )
        assert answer.status_code == 422, (what, answer.text)
        assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [("/jwks", "key_set")], what
        assert good["x"] not in answer.text, "nothing that was sent is repeated"
    assert (await network.call("GET", clients(name), network.admin)).json()["items"] == []


async def test_only_the_needed_members_of_a_key_set_are_stored(network: Network) -> None:
    name = await network.organisation()
    good = key_of("good").as_dict(private=False)
    given = {
        "keys": [{**good, "x5u": "https://elsewhere.example/", "key_ops": ["verify"], "comment": "ours"}],
        "more": 1,
    }
    made = await network.client(name, method="private_key_jwt", jwks=given)
    assert made["key"] is None
    assert made["expires_at"] is None
    assert made["jwks"] == {"keys": [{n: good[n] for n in ("kty", "kid", "crv", "x", "y")}]}


async def test_a_key_is_rotated_with_and_without_an_overlap(network: Network) -> None:
    name = await network.organisation()
    admin = (await network.client(name, "admin"))["key"]
    made = await network.client(name)
    path = f"{clients(name, made['id'])}/rotate"

    async def turn(version: int, **body: Any) -> str:
        answer = await network.call("POST", path, admin, json=body, headers={"If-Match": f'"v{version}"'})
        assert answer.status_code == 200, answer.text
        assert (answer.headers["etag"], answer.headers["cache-control"]) == (f'"v{version + 1}"', "no-store")
        return str(answer.json()["key"])

    async def taken(*keys: str) -> list[int]:
        return [(await network.call("GET", ME, key)).status_code for key in keys]

    assert (await network.call("POST", path, admin, json={})).status_code == 428
    assert (await network.call("POST", path, admin, json={}, headers={"If-Match": '"v9"'})).status_code == 412
    assert (await network.call("POST", path, admin, json={"overlap_hours": 169}, headers=IF_ANY)).status_code == 422
    before = await network.now(network.admin)
    first, second = made["key"], await turn(1, overlap_hours=24)
    assert len({first, second}) == 2
    assert await taken(first, second) == [200, 200]
    assert await network.events_after(before, network.admin) == [], "no credential is revoked"
    third = await turn(2)
    assert await taken(first, second, third) == [401, 200, 200], "one overlap at a time"
    fourth = await turn(3, overlap_hours=0)
    assert await taken(first, second, third, fourth) == [401, 401, 401, 200]
    assert await network.events_after(before, network.admin) == 2 * [("client.revoked", f"client/{made['id']}")]


async def test_a_key_is_accepted_until_it_expires(network: Network) -> None:
    name = await network.organisation()
    admin = (await network.client(name, "admin"))["key"]
    plain, turned = await network.client(name), await network.client(name)
    answer = await network.call("POST", f"{clients(name, turned['id'])}/rotate", admin, json={}, headers=IF_ANY)
    soon = datetime.now(UTC) + timedelta(seconds=2)
    await change(network, plain["id"], expires_at=soon)
    await change(network, turned["id"], former_until=soon)
    keys = (plain["key"], turned["key"], answer.json()["key"])
    assert [(await network.call("GET", ME, key)).status_code for key in keys] == [200, 200, 200]
    await asyncio.sleep((soon - datetime.now(UTC)).total_seconds() + 0.01)
    assert [(await network.call("GET", ME, key)).status_code for key in keys] == [401, 401, 200]


async def change(network: Network, client: str, **values: datetime) -> None:
    """Change stored times as if time had passed."""
    table = METADATA.tables["clients"]
    assert all(isinstance(table.c[name].type, UtcInstant) for name in values)
    async with network.app.state.database.transaction() as connection:
        await connection.execute(table.update().where(table.c.id == client).values(**values))


async def test_a_former_key_never_lasts_longer_than_its_own_expiry(network: Network) -> None:
    name = await network.organisation()
    admin = (await network.client(name, "admin"))["key"]
    made = await network.client(name)
    ends = datetime.now(UTC) + timedelta(hours=1)
    await change(network, made["id"], expires_at=ends)
    await network.call("POST", f"{clients(name, made['id'])}/rotate", admin, json={"overlap_hours": 24}, headers=IF_ANY)
    (row,) = await network.rows("SELECT former_until FROM clients WHERE id = :id", id=made["id"])
    assert row.former_until[:19] == ends.isoformat()[:19]
