"""The greeting shows the public address, and a token where a match needs one."""

import pytest

from services.supervisor.greeting import greeting
from services.supervisor.installation import Installation


def test_an_installation_of_this_machine_needs_no_token_to_match() -> None:
    text = greeting(Installation.from_environment({}))
    match = text[text.index("Match the example") : text.index("Create an administrator")]
    assert "trials         http://127.0.0.1:8080/registry/v1/trials" in text
    assert "cleio match" in match
    assert "Authorization" not in match


@pytest.mark.parametrize(
    "settings", [{"CLEIO_PUBLIC_URL": "https://cleio.example"}, {"CLEIO_BIND": "0.0.0.0"}, {"CLEIO_BIND": "10.0.0.5"}]
)
def test_a_public_installation_shows_the_token(settings: dict[str, str]) -> None:
    text = greeting(Installation.from_environment(settings))
    match = text[text.index("Match the example") : text.index("Create an administrator")]
    assert 'Authorization: Bearer $CLEIO_TOKEN"' in match
    if "CLEIO_PUBLIC_URL" in settings:
        assert "trials         https://cleio.example/registry/v1/trials" in text
