"""People and programs of a real OpenID provider: they sign in there, and have the rights of their membership here."""

import base64
import json
import os
import re
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from tests.e2e.conftest import ROOT, System, eventually
from tests.e2e.openid import AUDIENCE, Browser, Provider, install
from tests.e2e.test_identity import ACCEPTED, CALLS, REFUSED, answers, record_seconds, seconds_until_refused


def sign_in(
    system: System, provider: Provider, person: str, *arguments: str, browser: Path | None = None
) -> tuple[str, str]:
    """Run `cleio login` as a process, with the person at the browser; return its output and its messages."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CLEIO_")}
    environment = {
        **environment,
        "CLEIO_OIDC_ISSUER": provider.url,
        "CLEIO_OIDC_AUDIENCE": AUDIENCE,
        "BROWSER": str(browser) if browser else "true",
    }
    command = [sys.executable, "-m", "services.cli", "login", "--timeout", "60", *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as login:
        assert login.stdout is not None
        assert login.stderr is not None
        said = ""
        while "http://" not in said:
            line = login.stderr.readline()
            assert line, said
            said += line
        page = Browser(person).sign_in(said.split()[-1])
        assert "fermer cette page" in page
        printed = login.stdout.read()
        said += login.stderr.read()
        assert login.wait(timeout=30) == 0, said
    return printed, said


@pytest.fixture(scope="module")
def system(inhabited: System) -> System:
    """A system that was started before the provider answered."""
    inhabited.typed("org", "create", "chu-openid", "--kind", "hospital")
    return inhabited


@pytest.fixture(scope="module")
def answering(provider: Provider) -> Provider:
    install()
    provider.start()
    return provider


def member(system: System, provider: Provider, subject: str, *roles: str) -> str:
    made = system.typed(
        "member",
        "add",
        "--org",
        "chu-openid",
        "--issuer",
        provider.url,
        "--subject",
        subject,
        "--roles",
        ",".join(roles),
    )
    return made.stdout.strip()


def crafted(issuer: str, key: Any, alg: str, **header: Any) -> str:
    now = int(time.time())
    claims = {"iss": issuer, "aud": AUDIENCE, "sub": "planning", "iat": now, "exp": now + 60}
    return jwt.encode(
        {"alg": alg, "typ": "at+jwt", "kid": "of-the-provider-es", **header}, claims, key, algorithms=[alg]
    )


def test_before_the_provider_was_reached_its_tokens_are_neither_accepted_nor_refused(
    system: System, provider: Provider
) -> None:
    token = crafted(provider.url, ECKey.generate_key("P-256"), "ES256")
    assert answers(system, token) == dict.fromkeys(CALLS, 503)
    # A token of another issuer is refused all the same.
    assert answers(system, crafted("https://elsewhere.example", ECKey.generate_key("P-256"), "ES256")) == REFUSED


def test_a_person_signs_in_with_the_rights_of_the_membership(
    system: System, answering: Provider, tmp_path: Path, figure: Callable[[str, object], None]
) -> None:
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {opened}\necho noise\n')
    browser.chmod(0o755)
    printed, said = sign_in(system, answering, "marie", browser=browser)
    token = printed.removesuffix("\n")
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", token)
    assert token not in said
    assert eventually(lambda: opened.exists() and opened.read_text() in said.split(), 10)

    # The provider knows her, the network does not. (After a failure it may take some seconds until the provider is
    # called again.)
    assert eventually(lambda: answers(system, token) == REFUSED, 30)
    marie = member(system, answering, "marie", "clinician")
    assert answers(system, token) == ACCEPTED
    caller = json.loads(system.typed("whoami", "--json", token=token).stdout)
    assert (caller["organisation"], caller["roles"], caller["human"], caller["scopes"]) == (
        "chu-openid",
        ["clinician"],
        marie,
        None,
    )
    # A clinician cannot write or admit others.
    assert "403" in system.typed("client", "list", "--org", "chu-openid", token=token, code=1).stderr

    started = time.monotonic()
    system.typed("member", "revoke", marie)
    record_seconds(figure, "a member is revoked", seconds_until_refused(system, token, started))


def test_the_token_file_is_readable_only_by_its_owner(system: System, answering: Provider, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("an older one")
    printed, _ = sign_in(system, answering, "paul", "--no-browser", "--out", str(file))
    assert printed == ""
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    member(system, answering, "paul", "clinician")
    assert answers(system, file.read_text().strip()) == ACCEPTED


def test_a_program_of_the_provider_is_a_member(system: System, answering: Provider) -> None:
    assert answers(system, answering.program_token()) == REFUSED
    member(system, answering, "planning", "system")
    assert answers(system, answering.program_token()) == ACCEPTED
    assert answers(system, answering.program_token("unknown-here")) == REFUSED


def test_every_other_token_is_refused(system: System, answering: Provider) -> None:
    member(system, answering, "hasty", "system")
    hasty = answering.short_lived
    keys = httpx.get(f"{answering.url}/jwks", trust_env=False).json()["keys"]
    public = next(key for key in keys if key["kid"] == "of-the-provider-es")
    good = answering.program_token()
    head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt","kid":"of-the-provider-es"}').rstrip(b"=").decode()
    body = good.split(".")[1]
    for what, token in {
        "of another issuer, with the same keys": answering.program_token(issuer=answering.other),
        "for another audience": answering.program_token(resource="urn:somebody:else"),
        "with a public key taken for a secret": crafted(
            answering.url, OctKey.import_key(json.dumps(public).encode() * 2), "HS256"
        ),
        "with a stranger's key under a known name": crafted(answering.url, ECKey.generate_key("P-256"), "ES256"),
        "without a signature": f"{head}.{body}.",
        "with another body": f"{good.split('.')[0]}.{hasty.split('.')[1]}.{good.split('.')[2]}",
    }.items():
        assert answers(system, token) == REFUSED, what
    assert answers(system, good) == ACCEPTED
    assert eventually(lambda: answers(system, hasty) == REFUSED, 20), "expired"


def test_an_id_token_is_no_access_token_even_with_our_audience(system: System, answering: Provider) -> None:
    member(system, answering, "jeanne", "clinician")
    access, identity = answering.id_token("jeanne", AUDIENCE)
    assert answers(system, access) == ACCEPTED
    assert json.loads(base64.urlsafe_b64decode(identity.split(".")[1] + "=="))["aud"] == AUDIENCE
    assert answers(system, identity) == REFUSED


def test_known_tokens_are_accepted_while_the_provider_is_down(system: System, answering: Provider) -> None:
    token = answering.program_token()
    answering.stop()
    assert answers(system, token) == ACCEPTED
    unknown = crafted(answering.url, ECKey.generate_key("P-256"), "ES256", kid="new")
    assert set(answers(system, unknown).values()) <= {401, 503}  # depends on when its keys were fetched
