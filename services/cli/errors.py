"""How commands end with an error: one line on standard error and an exit code."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from services.cli.output import print_message


def fail(message: str, exit_code: int = 1) -> NoReturn:
    print_message(f"cleio: {message}")
    raise typer.Exit(exit_code)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """End the command with one line and exit code 1 for every error that its user can correct."""
    try:
        yield
    except typer.Exit:
        raise
    except _call_errors() as error:
        fail(str(error))
    except _other_errors() as error:
        from shared.values.problems import Problem, reason_of

        fail(reason_of(error) if isinstance(error, Problem) else str(error))


# Evaluated only when an error was raised: a command that succeeds does not load these modules.
def _call_errors() -> tuple[type[Exception], ...]:
    from services.cli.gateway import CallError

    return CallError, OSError


def _other_errors() -> tuple[type[Exception], ...]:
    from services.cli.audit import UnknownLogError, UnreadableKeyError
    from services.cli.copying import COPY_ERRORS
    from services.cli.feed_history import NoFeedError
    from services.cli.restore import RestoreRefusedError
    from services.supervisor.installation import CannotStartError
    from shared.operations.backups.manifest import UnreadableBackupError
    from shared.settings import SettingError
    from shared.values.problems import Problem

    return (
        *COPY_ERRORS,
        CannotStartError,
        NoFeedError,
        SettingError,
        Problem,
        RestoreRefusedError,
        UnknownLogError,
        UnreadableBackupError,
        UnreadableKeyError,
    )
