"""What `cleio demo` makes, and where it refuses."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.app import app
from services.cli.demonstration.stories import chapters, filled, value_at
from services.registry.demonstration.service import listed
from services.supervisor.demonstration import is_demonstration
from services.supervisor.installation import Installation


def test_stories_are_of_demonstration_users_and_each_is_recognised() -> None:
    for chapter in chapters():
        for story in chapter.stories:
            assert {story.seen_by, *(call.user for call in story.calls)} <= listed("users").keys(), story.name
            texts = json.dumps([call.body for call in story.calls])
            assert "NCT" not in texts, f"{story.name} names a real trial"
        marks = Counter(
            tuple(value_at(story.calls[0].body, pointer) for pointer in story.known_by.values())
            for story in chapter.stories
            if story.known_by
        )
        assert [mark for mark, count in marks.items() if count > 1] == [], chapter.title


def test_days_and_months_are_relative_to_today() -> None:
    today = date(2026, 11, 30)
    given = {"on": "{today-30}", "until": "{month+2}", "at": "/a/{job}/b", "all": "{kept}"}
    assert filled(given, {"job": "J1", "kept": [1]}, today) == {
        "on": "2026-10-31", "until": "2027-01", "at": "/a/J1/b", "all": [1],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("environment", "with_sample", "expected"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"CLEIO_DEMONSTRATION": "false"}, True, False),
        ({"CLEIO_BIND": "0.0.0.0"}, True, False),  # the case
        ({"CLEIO_PUBLIC_URL": "https://cleio.example"}, True, False),
    ],
)
def test_only_a_demonstration_that_this_machine_alone_reaches_is_filled(
    environment: dict[str, str], with_sample: bool, expected: bool
) -> None:
    installation = Installation.from_environment(environment)
    assert is_demonstration(installation, environment, with_sample=with_sample) is expected


@pytest.fixture
def registry_without_sample() -> Iterator[int]:
    """A registry that knows no demonstration user; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def test_an_installation_that_is_no_demonstration_is_refused(tmp_path: Path, registry_without_sample: int) -> None:
    installation = Installation.from_environment({"CLEIO_DATA_DIR": str(tmp_path)})
    installation.make_secrets()
    environment = {"CLEIO_DATA_DIR": str(tmp_path), "CLEIO_REGISTRY_PORT": str(registry_without_sample)}
    result = CliRunner().invoke(app, ["demo"], env=environment)
    assert result.exit_code == 1
    assert "this installation is no demonstration" in result.stderr
