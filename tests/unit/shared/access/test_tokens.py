"""Tokens and key sets of any form: each is accepted or refused with a problem, and none causes an internal error."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from services.registry.identity.clients.keys import KeySetError, read_key_set
from services.registry.identity.tokens.assertions import ASSERTION_TYPE, check_assertion, read_request
from services.registry.identity.tokens.problems import TokenRefusedError
from shared.access.tokens import InvalidTokenError, peek, signed_claims, verify
from tests.conftest import ISSUER, ISSUER_KEY
from tests.contract.network import key_of, key_set, signed

KEYS = [ISSUER_KEY.as_dict(private=False)]
NOW = 1_709_164_800
CLIENT = "00000000-0000-0000-0000-000000000000"
ISSUERS = {"alg": "ES256", "typ": "at+jwt", "kid": ISSUER_KEY.kid}
CLIENTS = {"alg": "ES384", "kid": "shapes"}
CREDENTIAL = {
    "iss": ISSUER,
    "aud": "urn:cleio:registry",
    "client_id": "c",
    "iat": NOW,
    "nbf": NOW,
    "exp": NOW + 300,
    "org": "o",
    "org_kind": "hospital",
    "roles": [],
    "scope": "",
    "version": 1,
    "centre": "fr-necker",
}
ASSERTED = {"iss": CLIENT, "sub": CLIENT, "aud": ISSUER, "exp": NOW + 60, "iat": NOW, "nbf": NOW, "jti": "j"}
# Unexpected values: each reader of a token gets them all in place of the expected one.
ODD: list[Any] = [
    *(None, True, False, 0, -1, 1.5, 1e300, 2**53, 2**70, -(2**70), float("nan"), float("inf")),
    *("", "\x00", "\ud800", "a\x00b", "\u202e", "9999999999", "x" * 2_000),
    *([], [None], [[]], ["\ud800"], {}, {"a": 1}, {"\ud800": "\x00"}),
]
TEXT = st.one_of(
    st.text(max_size=8), st.sampled_from(["", "\x00", "ES256", "ES384", "none", "at+jwt", "JWT", ISSUER, "\ud800"])
)
VALUE = st.recursive(
    st.one_of(st.sampled_from(ODD), st.integers(-(2**70), 2**70), st.floats(), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=5,
)


def some(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.one_of(st.sampled_from(names), TEXT), VALUE, max_size=4)


HEADERS = some("alg", "typ", "kid", "crit", "jwk", "zip")
MEMBERS = some("kty", "kid", "crv", "x", "y", "n", "e", "alg", "use", "d")


def spoilt(good: Mapping[str, Any], *names: str) -> Iterator[dict[str, Any]]:
    """Return copies with one member missing or unexpected; also with members that it does not have."""
    for name in (*good, *names):
        if name in good:
            yield {one: value for one, value in good.items() if one != name}
        yield from ({**good, name: odd} for odd in ODD)


def written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True)


def check_access_token(header: Mapping[str, Any], claims: Mapping[str, Any]) -> bool:
    """Check an access token; any error other than a refusal fails the test."""
    try:
        found = verify(signed(written(header), written(claims), ISSUER_KEY), KEYS, ISSUER, "registry", NOW)
    except InvalidTokenError:
        return False
    assert NOW < found.expires_at <= found.issued_at + 24 * 3600
    assert (found.kind, found.client, found.organisation) == (claims["org_kind"], claims["client_id"], claims["org"])
    return True


def check_client_assertion(header: Mapping[str, Any], claims: Mapping[str, Any]) -> bool:
    key = key_of("shapes")
    assertion = signed(written(header), written(claims), key)
    form = f"grant_type=client_credentials&client_assertion_type={ASSERTION_TYPE}&client_assertion={assertion}".encode()
    try:
        request = read_request(form, authorization=False)
        jti, exp = check_assertion(request, key_set(key)["keys"], ISSUER, NOW)
    except TokenRefusedError:
        return False
    assert (request.client, jti, exp) == (CLIENT, claims["jti"], claims["exp"])
    jti.encode()  # a text that no database can store
    return True


def test_a_member_of_an_access_token_with_an_unexpected_value() -> None:
    assert check_access_token(ISSUERS, CREDENTIAL)
    for header in spoilt(ISSUERS, "crit"):
        assert not check_access_token(header, CREDENTIAL), header
    for claims in spoilt(CREDENTIAL):
        check_access_token(ISSUERS, claims)


def test_a_member_of_an_assertion_with_an_unexpected_value() -> None:
    assert check_client_assertion(CLIENTS, ASSERTED)
    for header in spoilt(CLIENTS, "typ", "crit"):
        check_client_assertion(header, ASSERTED)
    for claims in spoilt(ASSERTED):
        check_client_assertion(CLIENTS, claims)


@given(HEADERS, some(*CREDENTIAL))
def test_an_access_token_of_any_form_is_refused_or_read(header: dict[str, Any], changes: dict[str, Any]) -> None:
    check_access_token(ISSUERS, {**CREDENTIAL, **changes})
    check_access_token({**ISSUERS, **header}, CREDENTIAL)


@given(HEADERS, some(*ASSERTED))
def test_an_assertion_of_any_form_is_refused_or_read(header: dict[str, Any], changes: dict[str, Any]) -> None:
    check_client_assertion(CLIENTS, {**ASSERTED, **changes})
    check_client_assertion({**CLIENTS, **header}, ASSERTED)


@given(st.one_of(st.text(max_size=60), st.text(alphabet="abcABC-_.=+/", max_size=60)))
def test_a_text_that_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(InvalidTokenError, match=r"^form$"):
        peek(text)


@given(st.binary(max_size=80))
def test_a_form_of_any_bytes_is_refused(body: bytes) -> None:
    with pytest.raises(TokenRefusedError, match=r"^(invalid_request|invalid_client|unsupported_grant_type)$"):
        read_request(body, authorization=False)


@given(st.one_of(some("keys"), st.fixed_dictionaries({"keys": st.lists(MEMBERS, max_size=3)})), MEMBERS)
def test_a_key_set_of_any_form_is_refused_or_contains_public_keys(
    document: dict[str, Any], changes: dict[str, Any]
) -> None:
    good = key_of("shapes").as_dict(private=False)
    for one in (document, {"keys": [{**good, **changes}]}):
        try:
            found = read_key_set(one)
        except KeySetError:
            continue
        assert all(key.keys() <= {"kty", "kid", "crv", "x", "y", "n", "e"} for key in found)


def test_a_key_with_an_unexpected_value_verifies_nothing() -> None:
    """The keys of a provider are used as it publishes them."""
    for family, algorithms in (("ES384", ("ES384", "ES256", "RS256")), ("RS384", ("RS384", "PS256", "ES384"))):
        good = key_of("shapes-" + family, family).as_dict(private=False)
        token = signed(written({"alg": "ES384", "kid": good["kid"]}), written(ASSERTED), key_of("shapes"))
        for key in spoilt(good, "d", "key_ops", "x5c"):
            for algorithm in algorithms:
                with pytest.raises(InvalidTokenError, match=r"^(unknown_key|key_type|signature)$"):
                    signed_claims(token, [key], good["kid"], algorithm)


def test_a_token_signed_with_another_key_is_refused() -> None:
    stranger = ECKey.generate_key("P-256", {"kid": ISSUER_KEY.kid})
    with pytest.raises(InvalidTokenError, match=r"^signature$"):
        verify(signed(written(ISSUERS), written(CREDENTIAL), stranger), KEYS, ISSUER, "registry", NOW)


def test_keys_of_another_use_are_ignored() -> None:
    """RFC 7517 §5: a key set may contain an encryption key, or a key of another algorithm, under the same id."""
    good = key_of("shapes").as_dict(private=False)
    token = signed(written({"alg": "ES384", "kid": "shapes"}), written(ASSERTED), key_of("shapes"))
    others = [{**good, "use": "enc"}, {**good, "alg": "ES256"}, {"kty": "oct", "kid": "shapes", "k": "AA"}]
    assert signed_claims(token, [*others, good], "shapes", "ES384")["jti"] == "j"
    with pytest.raises(InvalidTokenError, match=r"^key_type$"):
        signed_claims(token, others, "shapes", "ES384")
    with pytest.raises(InvalidTokenError, match=r"^unknown_key$"):
        signed_claims(token, [good, good], "shapes", "ES384")


@pytest.mark.filterwarnings("ignore:Key size should be")
@pytest.mark.parametrize(("bits", "is_accepted"), [(2048, True), (1024, False)])
def test_an_rsa_key_below_2048_bits_is_refused(bits: int, is_accepted: bool) -> None:
    key = RSAKey.generate_key(bits, {"kid": "weak"})
    token = jwt.encode({"alg": "RS256", "kid": "weak"}, {"jti": "j"}, key, algorithms=["RS256"])
    keys = [key.as_dict(private=False)]
    if is_accepted:
        assert signed_claims(token, keys, "weak", "RS256") == {"jti": "j"}
        return
    with pytest.raises(InvalidTokenError, match=r"^weak_key$"):
        signed_claims(token, keys, "weak", "RS256")
