"""Hooks around the requests of tests/contract/test_fuzz.py; Schemathesis loads this file itself."""

import re
import uuid
from typing import Any

import schemathesis

KEY = re.compile(r"[A-Za-z0-9_-]{16,255}")


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """The feed waits for news as long as it is asked to, and here there are none: the longest wait becomes a second, a shorter one nothing.

    Simple keys are drawn again and again, and one that was used is answered as before, though what it made be gone by now: each request has its own.
    """
    if KEY.fullmatch(str(case.headers.get("Idempotency-Key"))):
        case.headers["Idempotency-Key"] = uuid.uuid4().hex
    wait = str(case.query.get("wait"))
    if case.path == "/registry/v1/feed" and wait in map(str, range(1, 26)):
        case.query["wait"] = int(wait) // 25
