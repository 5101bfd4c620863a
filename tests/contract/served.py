"""A process server: it loads the program once and forks it on request, so that services start quickly.

It reads one JSON array per line and answers each with the id of the new process. It imports nothing of the tests.
"""

import gc
import importlib
import json
import os
import resource
import signal
import sys
from collections.abc import Mapping

LOADED = (
    "services.cli.databases",
    "services.registry.app",
    "services.notifications.app",
    "uvicorn.protocols.http.httptools_impl",
    "uvloop",
)


def warm() -> None:
    """Build what each registry builds when it starts, so that no process does it again."""
    from services.registry.terminology.terminology import builtin

    terminology = builtin()
    terminology.disease_phrases.exactly("")
    assert terminology.document
    gc.freeze()


def serve(service: str, environment: Mapping[str, str], largest_file: int | None) -> None:
    """Run `cleio serve` with these CLEIO_ variables only; the log is written beside its data folder.

    ``largest_file`` limits the size of its files, in bytes, as a substitute for a small disk.
    """
    for name in [name for name in os.environ if name.startswith("CLEIO_")]:
        del os.environ[name]
    os.environ.update(environment)
    if largest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    null = os.open(os.devnull, os.O_RDWR)
    log = os.open(environment["CLEIO_DATA_DIR"] + ".log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for descriptor, target in ((0, null), (1, null), (2, log)):
        os.dup2(target, descriptor)
    from services.cli.app import app

    app(["serve", service, "--migrate"], standalone_mode=False)


def fork_on_request() -> None:
    for module in LOADED:
        importlib.import_module(module)
    warm()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # exit codes are not read
    for line in sys.stdin:
        if (pid := os.fork()) == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            try:
                serve(*json.loads(line))
            finally:
                os._exit(1)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    fork_on_request()
