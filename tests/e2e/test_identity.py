"""Admit and revoke callers as an operator does: by commands, on a running system, with effect on all three services."""

import itertools
import json
import stat
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
import pytest

from services.cli.client_keys import fetch_token, read_private_key
from services.cli.gateway import CallError, open_gateway
from tests.e2e.conftest import ROOT, System, eventually

BOY = json.loads((ROOT / "docs" / "examples" / "duchenne-boy.json").read_text(encoding="utf-8"))
EVERYWHERE = "match.execute,trial.read,organisation.read,subscription.read"
NUMBERS = itertools.count(1)
Call = Callable[[httpx.Client], int]
# One call to each service that a hospital may make and the public may not.
CALLS: dict[str, Call] = {
    "registry": lambda client: client.get("/registry/v1/me").status_code,
    "matching": lambda client: client.post("/matching/v1/match", json=BOY).status_code,
    "notifications": lambda client: client.get("/notifications/v1/subscriptions").status_code,
}
ACCEPTED = dict.fromkeys(CALLS, 200)
REFUSED = dict.fromkeys(CALLS, 401)
# While it must be true: a call that waits for a revocation is repeated for this time.
PATIENCE = 30.0


def hospital() -> str:
    """Create an organisation of this test; return its id."""
    return f"hospital-{next(NUMBERS)}"


def holder(system: System, token: str) -> httpx.Client:
    return httpx.Client(base_url=system.url, headers={"Authorization": f"Bearer {token}"}, timeout=30, trust_env=False)


def answers(system: System, token: str) -> dict[str, int]:
    with holder(system, token) as client:
        return {service: call(client) for service, call in CALLS.items()}


def api_key(system: System, organisation: str) -> tuple[str, str]:
    """Create a client with an API key; return its id and the key."""
    made = system.typed(
        "client", "create", "--org", organisation, "--kind", "hospital", "--scopes", EVERYWHERE, "--api-key", "--json"
    )
    document = json.loads(made.stdout)
    assert made.stdout.count(document["key"]) == 1
    assert document["key"] not in made.stderr
    return document["id"], document["key"]


def administrator_of(system: System, organisation: str) -> str:
    """Return the API key of an administrator of the organisation, created by the coordination."""
    scopes = f"{EVERYWHERE},client.read,client.write"
    made = system.typed(
        "client",
        "create",
        "--org",
        organisation,
        "--kind",
        "hospital",
        "--roles",
        "admin,system",
        "--scopes",
        scopes,
        "--api-key",
    )
    return made.stdout.strip()


def signing_client(system: System, organisation: str) -> tuple[str, Path]:
    """Create a client that signs; return its id and the file of its private key."""
    made = system.typed("client", "create", "--org", organisation, "--kind", "hospital", "--scopes", EVERYWHERE)
    client = made.stdout.strip()
    return client, system.folder / "clients" / f"{client}.jwk"


def token_of(system: System, client: str, key: Path) -> str:
    with open_gateway(system.url) as gateway:
        token: str = fetch_token(gateway, client, read_private_key(key))["access_token"]
        return token


def seconds_until_refused(system: System, token: str, started: float) -> dict[str, float]:
    """Return the seconds from ``started`` until each service refuses the credential."""
    refused: dict[str, float] = {}
    with holder(system, token) as client:
        while len(refused) < len(CALLS) and time.monotonic() - started < PATIENCE:
            for service in CALLS.keys() - refused.keys():
                if CALLS[service](client) == 401:
                    refused[service] = time.monotonic() - started
            time.sleep(0.02)
    assert refused.keys() == CALLS.keys()
    return refused


def record_seconds(figure: Callable[[str, object], None], what: str, seconds: Mapping[str, float]) -> None:
    figure(
        f"{what}: the last service refuses, from the start of the command (s, to be under 5)",
        f"{max(seconds.values()):.2f}",
    )


def test_a_hospital_is_admitted_as_in_the_guide_and_matches(inhabited: System, tmp_path: Path) -> None:
    system, key, name = inhabited, tmp_path / "planning.jwk", hospital()
    made = system.typed("client", "keypair", str(key))
    (tmp_path / "planning.jwks.json").write_text(made.stdout)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert json.loads(key.read_text())["d"] not in made.stdout + made.stderr

    assert system.typed("org", "create", name, "--kind", "hospital", "--name", "CHU de Lyon").stdout == f"{name}\n"
    scopes = "match.execute,trial.read,terminology.read"
    jwks = str(tmp_path / "planning.jwks.json")
    registered = system.typed(
        "client", "create", "--org", name, "--name", "planning", "--scopes", scopes, "--jwks", jwks
    )
    client = registered.stdout.strip()

    taken = system.cleio("token", "--client", client, "--key", str(key))
    token = taken.stdout.removesuffix("\n")
    assert token.count(".") == 2
    assert "\n" not in token
    with holder(system, token) as caller:
        matched = caller.post("/matching/v1/match", json=BOY)
        assert matched.status_code == 200
        assert "NCT05096221" in {one["trial"] for one in matched.json()["results"]}
        # It has no right that was not given.
        refused = caller.get("/notifications/v1/subscriptions")
        assert refused.status_code == 401  # a token for another audience
        assert caller.put(
            f"/registry/v1/organisations/{name}", json={"kind": "hospital", "name": "Ours"}
        ).status_code in {403, 404}
    assert f"organisation  {name}\n" in system.typed("whoami", token=token).stdout


def test_a_sponsor_never_matches(inhabited: System) -> None:
    sponsor = f"sponsor-{next(NUMBERS)}"
    made = inhabited.typed(
        "client",
        "create",
        "--org",
        sponsor,
        "--kind",
        "sponsor",
        "--scopes",
        "trial.read,criteria.execute",
        "--api-key",
    )
    with holder(inhabited, made.stdout.strip()) as client:
        assert client.get("/registry/v1/me").json()["kind"] == "sponsor"
        answer = client.post("/matching/v1/match", json=BOY)
    assert answer.status_code == 403
    # Nor can it be given the right.
    refused = inhabited.typed("client", "create", "--org", sponsor, "--scopes", "match.execute", "--api-key", code=1)
    assert "scope_beyond" in refused.stderr
    assert refused.stdout == ""


def test_an_api_key_is_accepted_by_every_service(inhabited: System) -> None:
    _, key = api_key(inhabited, hospital())
    assert answers(inhabited, key) == ACCEPTED
    assert answers(inhabited, key[:-1] + ("A" if key[-1] != "A" else "B")) == REFUSED


def test_a_revoked_client_is_refused_everywhere_within_seconds(
    inhabited: System, figure: Callable[[str, object], None]
) -> None:
    organisation = hospital()
    signing, file = signing_client(inhabited, organisation)
    calling, key = api_key(inhabited, organisation)
    token = token_of(inhabited, signing, file)
    assert answers(inhabited, token) == answers(inhabited, key) == ACCEPTED
    for what, client, credential in (
        ("a client's token is revoked", signing, token),
        ("an API key is revoked", calling, key),
    ):
        started = time.monotonic()
        revoked = inhabited.typed("client", "revoke", client)  # the service that stores it
        record_seconds(figure, what, seconds_until_refused(inhabited, credential, started))
        assert revoked.stdout == ""
    with pytest.raises(CallError, match="invalid_client"):
        token_of(inhabited, signing, file)
    assert "client_revoked" in inhabited.typed("client", "revoke", signing, code=1).stderr


def test_a_suspended_organisation_is_refused_and_can_be_reinstated(
    inhabited: System, figure: Callable[[str, object], None]
) -> None:
    organisation = hospital()
    signing, file = signing_client(inhabited, organisation)
    _, key = api_key(inhabited, organisation)
    token = token_of(inhabited, signing, file)
    assert answers(inhabited, token) == answers(inhabited, key) == ACCEPTED
    started = time.monotonic()
    inhabited.typed("org", "suspend", organisation)
    record_seconds(figure, "an organisation is suspended", seconds_until_refused(inhabited, key, started))
    assert answers(inhabited, token) == REFUSED
    with pytest.raises(CallError, match="invalid_client"):
        token_of(inhabited, signing, file)
    inhabited.typed("org", "reinstate", organisation)
    assert eventually(lambda: answers(inhabited, key) == ACCEPTED, PATIENCE)
    assert answers(inhabited, token_of(inhabited, signing, file)) == ACCEPTED


def test_an_api_key_is_rotated_with_and_without_an_overlap(inhabited: System) -> None:
    organisation = hospital()
    client, first = api_key(inhabited, organisation)
    # The coordination admits and revokes; it cannot take over the credentials of others.
    assert f"administrator of {organisation}" in inhabited.typed("client", "rotate", client, code=1).stderr
    own = administrator_of(inhabited, organisation)
    second = inhabited.typed("client", "rotate", client, token=own).stdout.strip()
    assert first != second
    assert answers(inhabited, first) == answers(inhabited, second) == ACCEPTED
    third = inhabited.typed("client", "rotate", client, "--overlap-hours", "0", token=own).stdout.strip()
    seconds_until_refused(inhabited, second, time.monotonic())
    assert eventually(lambda: answers(inhabited, third) == ACCEPTED, PATIENCE)
    assert answers(inhabited, first) == REFUSED


def test_a_client_rotates_its_signing_keys(inhabited: System, tmp_path: Path) -> None:
    organisation = hospital()
    client, first = signing_client(inhabited, organisation)
    own = administrator_of(inhabited, organisation)
    second, third = tmp_path / "second.jwk", tmp_path / "third.jwk"
    inhabited.typed("client", "rotate", client, "--key-out", str(second), token=own)
    for file in (first, second):
        assert answers(inhabited, token_of(inhabited, client, file)) == ACCEPTED
    inhabited.typed("client", "rotate", client, "--key-out", str(third), "--drop", token=own)
    assert answers(inhabited, token_of(inhabited, client, third)) == ACCEPTED
    for file in (first, second):
        with pytest.raises(CallError, match="invalid_client"):
            token_of(inhabited, client, file)
    assert "private" not in json.loads(inhabited.typed("client", "show", client, "--json").stdout)


@pytest.mark.full
def test_signing_keys_are_rotated_twice_under_load_and_no_token_is_refused(
    inhabited: System, figure: Callable[[str, object], None]
) -> None:
    client, file = signing_client(inhabited, hospital())
    tokens = [token_of(inhabited, client, file)]
    statuses: list[int] = []
    ended = threading.Event()

    def call(service: str) -> None:
        with httpx.Client(base_url=inhabited.url, timeout=30, trust_env=False) as caller:
            while not ended.is_set():
                # The first token of all, and the newest.
                for token in (tokens[0], tokens[-1]):
                    caller.headers["Authorization"] = f"Bearer {token}"
                    statuses.append(CALLS[service](caller))

    def renew() -> None:
        while not ended.is_set():
            tokens.append(token_of(inhabited, client, file))

    def turn() -> set[str]:
        """Rotate once the announced key may sign, ten seconds after its publication; return the published key ids."""
        for _ in range(40):
            result = inhabited.typed("key", "rotate", code=None)
            if not result.exit_code:
                return set(result.stdout.split())
            assert "signing_key_too_new" in result.stderr
            time.sleep(0.5)
        raise AssertionError("never")

    threads = [threading.Thread(target=call, args=(service,)) for service in CALLS] + [threading.Thread(target=renew)]
    for thread in threads:
        thread.start()
    kids = []
    try:
        for _ in range(2):
            time.sleep(0.7)
            kids.append(turn())
        time.sleep(0.7)
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert len(kids[1] - kids[0]) == 1
    assert set(statuses) == {200}
    figure(
        "signing keys rotated twice: calls, tokens, refused",
        f"{len(statuses)}, {len(tokens)}, {sum(status != 200 for status in statuses)}",
    )


def test_an_impossible_command_is_reported_in_one_line(inhabited: System, tmp_path: Path) -> None:
    client, key = api_key(inhabited, hospital())
    (tmp_path / "taken").write_text("mine")
    for arguments, token in (
        (("whoami",), "cleio_nonsense"),
        (("client", "show", "unknown"), ""),
        (("client", "revoke", "unknown"), ""),
        (("org", "show", "unknown"), ""),
        (("org", "create", "hospital-1", "--kind", "hospital"), ""),
        (("org", "suspend", "coordination"), ""),
        (("org", "create", "another", "--kind", "hospital"), key),
        (("client", "rotate", client, "--drop"), ""),
        (("client", "create", "--org", "a-centre", "--kind", "centre", "--scopes", "trial.read"), ""),
        (("client", "create", "--org", "hospital-1", "--kind", "sponsor", "--scopes", "trial.read"), ""),
        (
            ("client", "create", "--org", "hospital-1", "--scopes", "trial.read", "--key-out", str(tmp_path / "taken")),
            "",
        ),
        (("client", "create", "--org", "hospital-1", "--scopes", "trial.read", "--jwks", str(tmp_path / "none")), ""),
        (("token", "--client", client, "--key", str(tmp_path / "taken")), ""),
        (("member", "add", "--org", "hospital-1", "--subject", "x", "--roles", "clinician"), ""),
    ):
        refused = inhabited.typed(*arguments, token=token, code=1)
        assert (refused.stdout, len(refused.stderr.splitlines())) == ("", 1), (arguments, refused.output)
        assert refused.stderr.startswith("cleio: ")
    assert (tmp_path / "taken").read_text() == "mine"


def test_internal_routes_are_not_public(inhabited: System) -> None:
    inner = (inhabited.folder / "secrets" / "internal-token").read_text().strip()
    with holder(inhabited, inner) as client:
        for path in (
            "/registry/v1/internal/identity",
            "/registry/v1/%69nternal/identity",
            "/registry//v1/internal/identity",
        ):
            assert client.get(path).status_code == 404
        assert client.post("/registry/v1/internal/administrators", json={"name": "x"}).status_code == 404
        assert client.get("/.well-known/oauth-authorization-server").json()["issuer"] == inhabited.url
