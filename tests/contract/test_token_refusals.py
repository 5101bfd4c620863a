"""Token requests that must be refused, on both databases, with a description for the caller and one word in the log."""

import base64
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from shared.operations.logs import JsonFormatter
from tests.conftest import ISSUER
from tests.contract.network import TOKEN, Network, Signer, b64, form, key_of, signed, under_hmac

pytestmark = pytest.mark.anyio

CANARY = "canary-7f3b"
CLIENT, REQUEST = "invalid_client", "invalid_request"
# RFC 6749 §5.2
DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+")
# These share one description: a caller must not learn which clients, keys and addresses exist.
NOT_PROVED = {"unknown_client", "unknown_key", "signature", "key_type"}
GOOD = {"alg": "ES384", "typ": "JWT", "kid": "key-ES384"}


@dataclass
class Parties:
    """A client, one of another organisation, one with an RSA key, one with an API key, and a revoked one."""

    mine: Signer
    other: Signer
    rsa: Signer
    keyed: str
    revoked: Signer


Make = Callable[[Parties], str]


def head(**changes: Any) -> Make:
    """Return a valid assertion of the client with another header; a member given as None is left out."""
    return lambda parties: signed(
        {n: v for n, v in {**GOOD, **changes}.items() if v is not None}, parties.mine.claims(), parties.mine.key
    )


def body(**changes: Any) -> Make:
    return lambda parties: signed(GOOD, parties.mine.claims(**changes), parties.mine.key)


def later(name: str, seconds: float) -> Make:
    """Return claims relative to the moment in which the assertion is created."""

    def make(parties: Parties) -> str:
        return body(**{name: int(time.time()) + seconds})(parties)

    return make


def raw(header: str, claims: str) -> Make:
    """Return an assertion written by hand: ``{client}`` and ``{now}`` are filled in."""

    def make(parties: Parties) -> str:
        filled = claims.replace("{client}", parties.mine.client).replace("{exp}", str(int(time.time()) + 60))
        return signed(header, filled, parties.mine.key)

    return make


def changed(change: Callable[[str], str]) -> Make:
    return lambda parties: change(parties.mine.assertion())


def confused(algorithm: str, secret: Callable[[Any], bytes], **header: Any) -> Make:
    return lambda parties: under_hmac(
        {**GOOD, "alg": algorithm, **header}, parties.mine.claims(), secret(parties.mine.key)
    )


def pem(key: Any) -> bytes:
    return bytes(key.as_pem(private=False))


def in_another_algorithm(algorithm: str) -> Make:
    def make(parties: Parties) -> str:
        signer = (
            parties.rsa
            if algorithm[0] in "RP"
            else Signer(parties.mine.client, ECKey.generate_key("P-256", {"kid": "key-ES384"}))
        )
        return jwt.encode({**GOOD, "alg": algorithm, "kid": signer.key.kid}, signer.claims(), signer.key, [algorithm])

    return make


CLAIMS = '{"iss": "{client}", "sub": "{client}", "aud": "http://127.0.0.1:8080", "exp": {exp}, "jti": "j"'
HEADER = '{"alg": "ES384", "typ": "JWT", "kid": "key-ES384"'

ASSERTIONS: dict[str, tuple[Make, str]] = {
    "alg none, no signature": (lambda p: f"{b64({**GOOD, 'alg': 'none'})}.{b64(p.mine.claims())}.", "form"),
    "alg none, a signature": (head(alg="none"), "alg"),
    "alg None": (head(alg="None"), "alg"),
    "alg empty": (head(alg=""), "alg"),
    "alg missing": (head(alg=None), "alg"),
    "alg a list": (head(alg=["ES384"]), "alg"),
    "alg an object": (head(alg={}), "alg"),
    "alg a number": (head(alg=384), "alg"),
    "HS256 with the public key as PEM": (confused("HS256", pem), "alg"),
    "HS384 with the public key as PEM": (confused("HS384", pem), "alg"),
    "HS384 with the public key as JWK": (
        confused("HS384", lambda key: b64(key.as_dict(private=False)).encode()),
        "alg",
    ),
    "HMAC under the name of ES384": (
        lambda p: (
            b64(GOOD) + "." + under_hmac({**GOOD, "alg": "HS384"}, p.mine.claims(), pem(p.mine.key)).partition(".")[2]
        ),
        "signature",
    ),
    "RS256": (in_another_algorithm("RS256"), "alg"),
    "PS384": (in_another_algorithm("PS384"), "alg"),
    "ES256": (in_another_algorithm("ES256"), "alg"),
    "RS384 declared for a P-384 key": (head(alg="RS384"), "key_type"),
    "kid missing": (head(kid=None), "kid"),
    "kid empty": (head(kid=""), "kid"),
    "kid a number": (head(kid=1), "kid"),
    "kid null": (raw('{"alg": "ES384", "kid": null}', CLAIMS + "}"), "kid"),
    "kid of a path": (head(kid="../../../dev/null"), "unknown_key"),
    "kid of SQL": (head(kid="' OR 1=1 --"), "unknown_key"),
    "kid with NUL": (head(kid="key-ES384\x00"), "unknown_key"),
    "kid very long": (head(kid="k" * 4_000), "kid"),
    "kid unknown": (head(kid="another"), "unknown_key"),
    "key of another client": (
        lambda p: signed({**GOOD, "kid": p.other.key.kid}, p.mine.claims(), p.other.key),
        "unknown_key",
    ),
    "key of another client under this kid": (lambda p: signed(GOOD, p.mine.claims(), p.other.key), "signature"),
    "jwk of the key that signed": (
        lambda p: signed({**GOOD, "jwk": p.other.key.as_dict(private=False)}, p.mine.claims(), p.other.key),
        "signature",
    ),
    "crit": (head(crit=["exp"]), "header"),
    "crit of an unknown extension": (head(crit=["b64"], b64=False), "header"),
    "typ of an access token": (head(typ="at+jwt"), "typ"),
    "typ a number": (head(typ=1), "typ"),
    "typ a list": (head(typ=["JWT"]), "typ"),
    "alg twice": (raw(HEADER + ', "alg": "ES384"}', CLAIMS + "}"), "form"),
    "sub twice": (raw(HEADER + "}", CLAIMS + ', "sub": "{client}"}'), "form"),
    "padded": (changed(lambda token: token.replace(".", "=.", 1)), "form"),
    "padded and signed so": (lambda p: signed(HEADER + "}", p.mine.claims(), p.mine.key, pad="="), "form"),
    "padded at the end": (changed(lambda token: token + "=="), "form"),
    "of the other alphabet": (changed(lambda token: token.replace("-", "+").replace("_", "/")[:-1] + "+"), "form"),
    "of the same bytes in other letters": (
        lambda p: (token := p.rsa.assertion())[:-1] + chr(ord(token[-1]) + 1),
        "form",
    ),
    "line breaks": (changed(lambda token: token.replace(".", ".\n", 1)), "form"),
    "one dot more": (changed(lambda token: token + "."), "form"),
    "four parts": (changed(lambda token: token + ".AAAA"), "form"),
    "five parts, as if encrypted": (changed(lambda token: token + ".AAAA.AAAA"), "form"),
    "two parts": (changed(lambda token: token.rpartition(".")[0]), "form"),
    "no part": (lambda _: "x", "form"),
    "dots alone": (lambda _: "..", "form"),
    "not JSON": (raw("alg", CLAIMS + "}"), "form"),
    "a list": (raw("[]", CLAIMS + "}"), "form"),
    "claims a list": (raw(HEADER + "}", "[1]"), "form"),
    "bottomless": (raw(HEADER + "}", '{"a":' * 1_200 + "1" + "}" * 1_200), "form"),
    "a huge number": (raw(HEADER + "}", CLAIMS + ', "n": ' + "9" * 5_000 + "}"), "form"),
    "not UTF-8": (lambda _: f"{b64(GOOD)}.{b64(bytes([0xFF, 0xFE]))}.AAAA", "form"),
    "very long": (body(filler="x" * 13_000), "form"),
    "tampered claims": (
        lambda p: f"{b64(GOOD)}.{b64(p.mine.claims(scope='all'))}.{p.mine.assertion().rpartition('.')[2]}",
        "signature",
    ),
    "tampered header": (lambda p: f"{b64({**GOOD, 'typ': 'jwt'})}.{p.mine.assertion().partition('.')[2]}", "signature"),
    "signature of zeros": (lambda p: f"{b64(GOOD)}.{b64(p.mine.claims())}.{b64(bytes(96))}", "signature"),
    "signature cut": (lambda p: f"{p.mine.assertion().rpartition('.')[0]}.{b64(bytes(95))}", "signature"),
    "aud missing": (body(aud=None), "aud"),
    "aud another": (body(aud="https://elsewhere.example"), "aud"),
    "aud with a slash": (body(aud=ISSUER + "/"), "aud"),
    "aud in capitals": (body(aud=ISSUER.upper()), "aud"),
    "aud of the token's URL, for a client of the issuer": (body(aud=f"{ISSUER}/oauth/token"), "aud"),
    "aud a list of two": (body(aud=[ISSUER, "https://elsewhere.example"]), "aud"),
    "aud an object": (body(aud={ISSUER: 1}), "aud"),
    "exp missing": (body(exp=None), "exp"),
    "exp a string": (body(exp="9999999999"), "exp"),
    "exp a float": (later("exp", 60.5), "exp"),
    "exp true": (body(exp=True), "exp"),
    "exp a list": (body(exp=[9]), "exp"),
    "exp negative": (body(exp=-1), "exp"),
    "exp not a number": (raw(HEADER + "}", CLAIMS.replace("{exp}", "NaN") + "}"), "exp"),
    "exp without end": (body(exp=2**63), "exp"),
    "exp over": (later("exp", -31), "expired"),
    "exp too far": (later("exp", 340), "exp_too_far"),
    "iat ahead": (later("iat", 60), "not_yet"),
    "iat a string": (body(iat="now"), "iat"),
    "nbf ahead": (later("nbf", 60), "not_yet"),
    "nbf a float": (body(nbf=1.5), "nbf"),
    "iss missing": (body(iss=None), "iss_sub"),
    "sub missing": (body(sub=None), "iss_sub"),
    "iss another than sub": (lambda p: body(iss=p.other.client)(p), "iss_sub"),
    "sub of another client": (lambda p: body(iss=p.other.client, sub=p.other.client)(p), "unknown_key"),
    "sub a list": (body(iss=["x"], sub=["x"]), "iss_sub"),
    "sub a number": (body(iss=7, sub=7), "iss_sub"),
    "sub of no client": (body(iss=CANARY, sub=CANARY), "unknown_client"),
    "sub empty": (body(iss="", sub=""), "unknown_client"),
    "sub with NUL": (body(iss="\x00", sub="\x00"), "unknown_client"),
    "sub of half a character": (raw(HEADER + "}", CLAIMS.replace("{client}", "\\ud800") + "}"), "unknown_client"),
    "sub very long": (body(iss="s" * 4_000, sub="s" * 4_000), "unknown_client"),
    "sub in capitals": (lambda p: body(iss=p.mine.client.upper(), sub=p.mine.client.upper())(p), "unknown_client"),
    "sub of a client that has a key instead": (lambda p: body(iss=p.keyed, sub=p.keyed)(p), "unknown_client"),
    "sub of a revoked client": (lambda p: p.revoked.assertion(), "unknown_client"),
    "jti missing": (body(jti=None), "jti"),
    "jti empty": (body(jti=""), "jti"),
    "jti long": (body(jti="j" * 129), "jti"),
    "jti with NUL": (body(jti="j\x00"), "jti"),
    "jti of half a character": (raw(HEADER + "}", CLAIMS.replace('"j"', '"\\ud800"') + "}"), "jti"),
    "jti a number": (body(jti=7), "jti"),
    "jti an object": (body(jti={}), "jti"),
}


async def parties_of(network: Network) -> Parties:
    mine = await network.organisation()
    other = await network.organisation("sponsor")
    stranger = key_of("of-another")
    made = await network.client(other, method="private_key_jwt", jwks={"keys": [stranger.as_dict(private=False)]})
    revoked = await network.signer(mine)
    await network.call(
        "DELETE",
        f"/registry/v1/organisations/{mine}/clients/{revoked.client}",
        network.admin,
        headers={"If-Match": "*"},
    )
    return Parties(
        await network.signer(mine),
        Signer(made["id"], stranger),
        await network.signer(mine, family="RS384"),
        (await network.client(mine))["id"],
        revoked,
    )


def reasons(caplog: pytest.LogCaptureFixture) -> list[str]:
    found = [record.code for record in caplog.records if record.msg == "token_refused"]
    written = "\n".join(map(JsonFormatter("registry").format, caplog.records))
    assert CANARY not in written, "nothing that was sent is in the log"
    caplog.clear()
    return found


async def test_an_invalid_assertion_is_refused(network: Network, caplog: pytest.LogCaptureFixture) -> None:
    parties = await parties_of(network)
    assert (await network.ask(parties.mine.assertion())).status_code == 200
    assert (await network.ask(parties.other.assertion())).status_code == 200
    assert (await network.ask(body(exp=int(time.time()) - 20)(parties))).status_code == 200, (
        "a clock may be half a minute off"
    )
    caplog.set_level(logging.INFO, "services.registry")
    wrong, described = [], {}
    for name, (make, reason) in ASSERTIONS.items():
        caplog.clear()
        answer = await network.ask(make(parties))
        seen = (
            answer.status_code,
            answer.json()["error"],
            answer.headers.get("www-authenticate"),
            answer.headers["cache-control"],
            reasons(caplog),
        )
        if seen != (401, CLIENT, "Bearer", "no-store", [reason]):
            wrong.append((name, seen, reason))
        description = answer.json()["error_description"]
        assert DESCRIPTION.fullmatch(description), name
        assert CANARY not in answer.text, name
        described.setdefault(reason, set()).add(description)
    assert not wrong, "\n".join(map(str, wrong))
    unproved = {text for reason, texts in described.items() if reason in NOT_PROVED for text in texts}
    assert len(unproved) == 1
    others = [texts for reason, texts in described.items() if reason not in NOT_PROVED]
    assert not any(texts & unproved for texts in others)


Request = Callable[[Network, Parties], Any]


def sent(status: int, error: str | None, reason: str, **options: Any) -> tuple[int, str | None, str, Request]:
    """Send a valid request with these changes; ``more``: parameters of the form."""

    async def send(network: Network, parties: Parties) -> httpx.Response:
        given = dict(options)
        more = given.pop("more", {})
        data = {**form(parties.mine.assertion()), **more}
        filled = {
            name: value.format(client=parties.other.client) if isinstance(value, str) else value
            for name, value in data.items()
        }
        if "content" not in given and "json" not in given:
            given["data"] = {name: value for name, value in filled.items() if value}
        return await network.call(given.pop("method", "POST"), TOKEN, given.pop("token", None), **given)

    return status, error, reason, send


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BASIC = base64.b64encode(b"client:secret").decode()
REQUESTS: dict[str, tuple[int, str | None, str, Request]] = {
    "two authentications": sent(400, REQUEST, "two_authentications", headers={"Authorization": f"Basic {BASIC}"}),
    "a token that is not valid": sent(400, REQUEST, "two_authentications", headers={"Authorization": "Bearer x.y.z"}),
    "a password alone": sent(
        401,
        CLIENT,
        "assertion_missing",
        more={"client_assertion": "", "client_assertion_type": ""},
        headers={"Authorization": f"Basic {BASIC}"},
    ),
    "a secret besides": sent(400, REQUEST, "two_authentications", more={"client_secret": CANARY}),
    "a repeated parameter": sent(400, REQUEST, "repeated_parameter", more={"scope": ["trial.read", "trial.read"]}),
    "two assertions": sent(400, REQUEST, "repeated_parameter", more={"client_assertion": ["a.b.c", "d.e.f"]}),
    "no grant": sent(400, REQUEST, "grant_type", more={"grant_type": ""}),
    "grant of a password": sent(400, "unsupported_grant_type", "grant_type", more={"grant_type": "password"}),
    "grant of a code": sent(400, "unsupported_grant_type", "grant_type", more={"grant_type": "authorization_code"}),
    "grant of an exchange": sent(
        400,
        "unsupported_grant_type",
        "grant_type",
        more={"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange"},
    ),
    "another type of assertion": sent(
        401,
        CLIENT,
        "assertion_missing",
        more={"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"},
    ),
    "no type of assertion": sent(401, CLIENT, "assertion_missing", more={"client_assertion_type": ""}),
    "no assertion": sent(401, CLIENT, "assertion_missing", more={"client_assertion": ""}),
    "client_id of another": sent(401, CLIENT, "iss_sub", more={"client_id": "{client}"}),
    "client_id of no client": sent(401, CLIENT, "iss_sub", more={"client_id": CANARY}),
    "a scope that the client does not have": sent(
        400, "invalid_scope", "scope", more={"scope": "trial.read trial.write"}
    ),
    "a scope of no meaning": sent(400, "invalid_scope", "scope", more={"scope": CANARY}),
    "a scope of a blank": sent(400, "invalid_scope", "scope_form", more={"scope": " "}),
    "scopes with two blanks between": sent(400, "invalid_scope", "scope_form", more={"scope": "trial.read  feed.read"}),
    "scopes with a tab between": sent(400, "invalid_scope", "scope", more={"scope": "trial.read\tfeed.read"}),
    "another service": sent(400, "invalid_target", "resource", more={"resource": "urn:cleio:elsewhere"}),
    "an empty body": sent(400, REQUEST, "grant_type", content=b"", headers={**FORM, "Content-Length": "0"}),
    "no form": sent(400, REQUEST, "form", content=CANARY.encode(), headers=FORM),
    "JSON in a form": sent(400, REQUEST, "form", content=b'{"grant_type": "client_credentials"}', headers=FORM),
    "letters of no alphabet": sent(400, REQUEST, "form", content=b"grant_type=\xff", headers=FORM),
    "half an escape": sent(400, REQUEST, "grant_type", content=b"scope=%zz", headers=FORM),
    "bytes that are no text": sent(400, REQUEST, "form", content=b"grant_type=%ff%fe", headers=FORM),
    "too many parameters": sent(
        400, REQUEST, "form", content=b"&".join(b"resource=a" for _ in range(30)), headers=FORM
    ),
    "JSON": sent(415, None, "", json={"grant_type": "client_credentials"}),
    "another letter set": sent(
        415, None, "", headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-16"}
    ),
    "a large body": sent(413, None, "", content=b"scope=" + b"a" * 70_000, headers=FORM),
    "the credentials in the query": sent(400, None, "", params={"client_assertion": CANARY}),
    "the token in the query": sent(400, None, "", params={"access_token": CANARY}),
    "GET": sent(405, None, "", method="GET"),
    "HEAD": sent(405, None, "", method="HEAD"),
}


async def test_a_malformed_request_is_refused(network: Network, caplog: pytest.LogCaptureFixture) -> None:
    parties = await parties_of(network)
    caplog.set_level(logging.INFO, "services.registry")
    for name, (status, error, reason, send) in REQUESTS.items():
        caplog.clear()
        answer = await send(network, parties)
        assert answer.status_code == status, (name, answer.text)
        assert CANARY not in answer.text, name
        if error is not None:
            assert (answer.json()["error"], answer.headers["cache-control"]) == (error, "no-store"), name
            assert DESCRIPTION.fullmatch(answer.json()["error_description"]), name
            assert set(answer.json()) == {"error", "error_description"}, name
        assert reasons(caplog) == ([reason] if reason else []), name
    both = await network.call("POST", TOKEN, await network.token(parties.mine), data=form(parties.mine.assertion()))
    assert (both.status_code, both.json()["error"]) == (400, REQUEST)
