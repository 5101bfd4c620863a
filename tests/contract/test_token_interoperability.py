"""Token requests and key sets of common OAuth libraries, as the standards allow them, on both databases."""

import base64
import time
from typing import Any

import pytest

from tests.conftest import ISSUER
from tests.contract.network import ORGANISATIONS, TOKEN, Network, Signer, form, key_of, key_set, signed

pytestmark = pytest.mark.anyio

TOKEN_URL = f"{ISSUER}/oauth/token"


async def refused(network: Network, assertion: str, **more: str) -> str:
    """Return the description of the refusal of this assertion."""
    answer = await network.ask(assertion, **more)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), answer.text
    description: str = answer.json()["error_description"]
    return description


async def test_an_audience_in_a_list_of_one(network: Network) -> None:
    """RFC 7519 §4.1.3: some libraries always write a list."""
    organisation = await network.organisation()
    signer = await network.signer(organisation)
    assert (await network.ask(signer.assertion(aud=[ISSUER]))).status_code == 200
    assert "aud must be" in await refused(network, signer.assertion(aud=[ISSUER, "https://elsewhere.example"]))
    assert "aud must be" in await refused(network, signer.assertion(aud=[]))
    smart = await network.signer(organisation, audience="smart")
    assert (await network.ask(smart.assertion(aud=[TOKEN_URL]))).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        {"jku": "https://hospital.example/jwks.json"},
        {"x5t": "GvnPApfWMdLRi8PDmisFn7bprKg"},
        {"x5c": ["MIIB"]},
        {"x5u": "https://keys.example/x5.pem"},
        {"jwk": key_of("of-another").as_dict(private=False)},
        {"typ": "client-authentication+jwt"},
        {"cty": "JWT"},
        {"zip": "DEF"},
        {"of_no_standard": {"a": 1}},
    ],
    ids=lambda header: next(iter(header)),
)
async def test_unknown_members_of_the_header_are_ignored(network: Network, header: dict[str, Any]) -> None:
    """RFC 7515 §4: members that are unknown and not in `crit` are ignored. The key is found by kid only."""
    signer = await network.signer(await network.organisation())
    full = {"alg": "ES384", "typ": "JWT", "kid": signer.key.kid, **header}
    assert (await network.ask(signed(full, signer.claims(), signer.key))).status_code == 200
    refusal = signed({**full, "crit": list(header)}, signer.claims(), signer.key)
    assert (await network.ask(refusal)).status_code == 401


@pytest.mark.parametrize(
    "more",
    [
        {"audience": "urn:cleio:matching"},
        {"client_info": "1"},
        {"client_id": ""},
        {"resource": ""},
        {"scope": ""},
        {"client_secret": ""},
    ],
    ids=lambda more: next(iter(more)),
)
async def test_unknown_and_empty_parameters_are_ignored(network: Network, more: dict[str, str]) -> None:
    """RFC 6749 §3.2."""
    signer = await network.signer(await network.organisation())
    answer = await network.call("POST", TOKEN, data={**form(signer.assertion()), **more})
    assert answer.status_code == 200, answer.text


async def test_a_refusal_describes_what_to_change(network: Network) -> None:
    organisation = await network.organisation()
    signer, now = await network.signer(organisation), int(time.time())
    assert "at most 300 seconds" in await refused(network, signer.assertion(exp=now + 3600))
    assert "jti is required" in await refused(network, signer.assertion(jti=None))
    assert "needs a kid" in await refused(network, signer.assertion({"kid": None}))
    assert "expired" in await refused(network, signer.assertion(exp=now - 60))
    wrong = await refused(network, signer.assertion(aud="https://elsewhere.example"))
    assert ISSUER in wrong
    assert TOKEN_URL in wrong
    assert f"{ISSUER}/.well-known/oauth-authorization-server" in wrong
    # The audience that a client is registered with is named to that client only, after it has proved its identity.
    assert await refused(network, signer.assertion(aud=TOKEN_URL)) == f"aud must be {ISSUER} for this client"
    smart = await network.signer(organisation, audience="smart")
    assert await refused(network, smart.assertion(aud=ISSUER)) == f"aud must be {TOKEN_URL} for this client"
    used = signer.assertion()
    assert (await network.ask(used)).status_code == 200
    assert "used before" in await refused(network, used)


async def test_a_refusal_does_not_reveal_which_clients_exist(network: Network) -> None:
    signer = await network.signer(await network.organisation())
    stranger = Signer("00000000-0000-4000-8000-000000000000", signer.key)
    forged = Signer(signer.client, key_of("forged"))
    impostor = Signer(signer.client, key_of(signer.key.kid))
    texts = set()
    for one in (stranger, forged, impostor):
        for aud in (ISSUER, TOKEN_URL):
            texts.add(await refused(network, one.assertion(aud=aud)))
    assert len(texts) == 1
    for changes in ({"aud": "https://elsewhere.example"}, {"exp": int(time.time()) + 3600}, {"jti": None}):
        assert len({await refused(network, one.assertion(**changes)) for one in (signer, stranger, impostor)}) == 1


async def test_basic_authentication_gets_an_oauth_error(network: Network) -> None:
    """RFC 6749 §5.2: 401 with a challenge for the scheme that was used."""
    basic = {"Authorization": "Basic " + base64.b64encode(b"client:secret").decode()}
    answer = await network.call("POST", TOKEN, data={"grant_type": "client_credentials"}, headers=basic)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic")
    assert "private_key_jwt" in answer.json()["error_description"]


def encryption_key() -> dict[str, Any]:
    return {**key_of("enc-1", "RS384").as_dict(private=False), "use": "enc", "alg": "RSA-OAEP-256", "kid": "enc-1"}


OTHERS: dict[str, dict[str, Any]] = {
    "for encryption": encryption_key(),
    "of another algorithm": {"kty": "AKP", "alg": "ML-DSA-65", "pub": "AAAA"},
    "of another curve": {"kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": "ed"},
    "without kid": {n: v for n, v in key_of("x").as_dict(private=False).items() if n != "kid"},
    "for wrapping": {**key_of("wrap", "RS384").as_dict(private=False), "key_ops": ["wrapKey"]},
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
async def test_other_keys_of_a_key_set_are_ignored(network: Network, other: dict[str, Any]) -> None:
    """RFC 7517 §5."""
    organisation, key = await network.organisation(), key_of("sign-1")
    made = await network.client(organisation, method="private_key_jwt", jwks={"keys": [other, *key_set(key)["keys"]]})
    assert [one["kid"] for one in made["jwks"]["keys"]] == ["sign-1"]
    assert (await network.ask(Signer(made["id"], key).assertion())).status_code == 200


@pytest.mark.parametrize(
    "keys",
    [
        list(OTHERS.values()),
        [*key_set(key_of("sign-1"))["keys"], key_of("private").as_dict(private=True)],
        [*key_set(key_of("sign-1"))["keys"], {"kty": "oct", "kid": "s", "k": "AAAA"}],
        [*key_set(key_of("sign-1"))["keys"], {"kty": "AKP", "alg": "ML-DSA-65", "pub": "AAAA", "priv": "AAAA"}],
    ],
    ids=["none of use", "a private one", "a symmetric one", "a private one of another algorithm"],
)
async def test_a_key_set_without_a_usable_key_or_with_a_private_one_is_refused(
    network: Network, keys: list[dict[str, Any]]
) -> None:
    organisation = await network.organisation()
    asked = {"name": "EHR", "method": "private_key_jwt", "scopes": ["trial.read"], "jwks": {"keys": keys}}
    answer = await network.call("POST", f"{ORGANISATIONS}/{organisation}/clients", network.admin, json=asked)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "key_set")
