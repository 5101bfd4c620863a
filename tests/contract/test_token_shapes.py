"""Tokens of any shape over HTTP, on both databases: answered with 200, 400 or 401, whatever a member contains."""

import time
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import ISSUER_KEY
from tests.contract.network import TOKEN, Network, Signer, form, signed
from tests.unit.shared.access.test_tokens import CREDENTIAL, HEADERS, ISSUERS, some, spoilt, written

pytestmark = pytest.mark.anyio

ME = "/registry/v1/me"
CLIENTS = {"alg": "ES384", "typ": "JWT", "kid": "key-ES384"}


@pytest.fixture(scope="module")
async def signer(network: Network) -> Signer:
    return await network.signer(await network.organisation())


async def ask(network: Network, signer: Signer, header: Mapping[str, Any], claims: Mapping[str, Any]) -> httpx.Response:
    return await network.call("POST", TOKEN, data=form(signed(written(header), written(claims), signer.key)))


async def show(network: Network, header: Mapping[str, Any], claims: Mapping[str, Any]) -> httpx.Response:
    return await network.call("GET", ME, signed(written(header), written(claims), ISSUER_KEY))


def credential(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    return {**CREDENTIAL, "iat": now, "nbf": now, "exp": now + 300, **changes}


def judge(answer: httpx.Response, case: Any) -> None:
    assert answer.status_code in {200, 401}, (answer.status_code, case)
    if answer.status_code == 401:
        problem = answer.json()
        assert problem.get("error") == "invalid_client" or problem["code"] == "unauthenticated", case
        assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_member_with_an_unexpected_value(network: Network, signer: Signer) -> None:
    good = signer.claims(nbf=int(time.time()))
    for header in spoilt(CLIENTS, "crit"):
        judge(await ask(network, signer, header, signer.claims()), header)
    for claims in spoilt(good):
        # Each is a new assertion: none is refused only because its `jti` was used.
        judge(
            await ask(
                network,
                signer,
                CLIENTS,
                {**claims, "jti": claims["jti"] + str(time.time_ns())} if claims.get("jti") == good["jti"] else claims,
            ),
            claims,
        )
    for header in spoilt(ISSUERS, "crit"):
        judge(await show(network, header, credential()), header)
    for claims in spoilt(credential()):
        judge(await show(network, ISSUERS, claims), claims)


@given(HEADERS, some("iss", "sub", "aud", "exp", "iat", "nbf", "jti"), some(*CREDENTIAL))
@settings(max_examples=25)
async def test_tokens_of_any_shape(
    network: Network, signer: Signer, header: dict[str, Any], claims: dict[str, Any], others: dict[str, Any]
) -> None:
    for answer in (
        await ask(network, signer, CLIENTS, {**signer.claims(), **claims}),
        await ask(network, signer, {**CLIENTS, **header}, signer.claims()),
        await show(network, ISSUERS, credential(**others)),
        await show(network, {**ISSUERS, **header}, credential()),
    ):
        judge(answer, (header, claims, others))


@given(
    st.text(alphabet="abAB01-_.=+/ ", min_size=1, max_size=60),
    st.integers(0, 400),
    st.sampled_from(["put", "cut", "over"]),
)
@settings(max_examples=25)
async def test_a_token_with_changed_characters(
    network: Network, signer: Signer, text: str, place: int, how: str
) -> None:
    """With characters inserted, deleted or replaced, a token is refused, unless it is unchanged."""
    for good, send in (
        (signer.assertion(), network.ask),
        (signed(ISSUERS, credential(), ISSUER_KEY), lambda token: network.call("GET", ME, token)),
    ):
        at = place % len(good)
        bad = {
            "put": good[:at] + text + good[at:],
            "cut": good[:at] + good[at + len(text) :],
            "over": good[:at] + text + good[at + len(text) :],
        }[how]
        answer = await send(bad)
        judge(answer, bad)
        assert answer.status_code == 401 or bad == good
        assert bad not in answer.text
