"""Log lines for programs and for people."""

import json
import logging
import sys

import pytest

from shared.operations.logs import JsonFormatter, TextFormatter, configure_logging
from shared.settings import ServiceSettings, SettingError

CANARY = "DUPONT-JEANNE"


def record(name: str = "shared.requests", message: str = "request", **fields: object) -> logging.LogRecord:
    made = logging.LogRecord(name, logging.WARNING, __file__, 1, message, None, None)
    vars(made).update(fields)
    return made


def test_a_line_for_a_person_is_short() -> None:
    fields = {
        "method": "GET",
        "route": "/registry/v1/trials",
        "status": 200,
        "ms": 2.5,
        "request_id": "r",
        "secret": CANARY,
    }
    line = TextFormatter("registry").format(record(**fields))
    assert line.split(" ", 1)[1].split() == [
        "warning",
        "registry",
        "request",
        "GET",
        "/registry/v1/trials",
        "200",
        "ms=2.5",
    ]
    assert len(line) < 100


def test_a_line_for_a_program_has_the_allowed_fields() -> None:
    line = json.loads(JsonFormatter("registry").format(record(status=200, secret=CANARY)))
    assert line.pop("at").endswith("Z")
    assert line == {"level": "warning", "service": "registry", "event": "request", "status": 200}


@pytest.mark.parametrize("formatter", [TextFormatter("registry"), JsonFormatter("registry")])
def test_messages_of_others_and_of_exceptions_are_not_written(formatter: logging.Formatter) -> None:
    assert CANARY not in formatter.format(record("some.library", CANARY))
    try:
        int(CANARY)
    except ValueError:
        failed = record(message="step_broken", step="follow")
        failed.exc_info = sys.exc_info()
    line = formatter.format(failed)
    assert CANARY not in line
    assert "ValueError" in line
    assert "test_logs.py" in line
    assert len(line.splitlines()) == 1


@pytest.mark.parametrize(
    ("log_format", "kind"), [("text", TextFormatter), ("json", JsonFormatter), ("auto", JsonFormatter)]
)
def test_the_format_is_chosen(log_format: str, kind: type) -> None:
    root, before = logging.getLogger(), list(logging.getLogger().handlers)
    levels = {name: logging.getLogger(name).level for name in ("", "shared", "services")}
    try:
        configure_logging("registry", "INFO", log_format)  # type: ignore[arg-type]
        assert isinstance(root.handlers[0].formatter, kind)
    finally:
        root.handlers[:] = before
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


@pytest.mark.parametrize(("name", "value"), [("CLEIO_LOG_LEVEL", "foo"), ("CLEIO_LOG_FORMAT", "xml")])
def test_an_unknown_value_is_one_line_with_the_allowed_ones(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingError, match=f"^{name}: .*or '") as refused:
        ServiceSettings()
    assert value not in str(refused.value).partition(": ")[2]


def test_levels_may_be_in_lower_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEIO_LOG_LEVEL", "debug")
    assert ServiceSettings().log_level == "DEBUG"
