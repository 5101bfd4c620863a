"""Remembers the lines that were read, so that a line that comes again is neither parsed nor read.

Only in memory: a line names persons, and nothing made of their names is stored.
"""

import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Final

from services.registry.model.trial import ScopeAnswer

MOST: Final = 150_000
_KEY: Final = secrets.token_bytes(32)


@dataclass(frozen=True, slots=True)
class Seen:
    """The id and canonical hash of the record in a line. ``scope``: the answer of the gate, unless it is in scope."""

    source_id: str
    canonical_hash: str
    scope: ScopeAnswer | None = None


class SeenLines:
    """The latest lines that were read, at most ``most``. Threads may share it."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lines: OrderedDict[bytes, Seen] = OrderedDict()
        self._lock = Lock()
        # Few answers of the gate differ: each is kept once.
        self._answers: dict[str, ScopeAnswer] = {}

    def find(self, rules: str, line: bytes) -> Seen | None:
        """Return what a line is by these rules; None if it is not remembered."""
        digest = _digest(rules, line)
        with self._lock:
            found = self._lines.get(digest)
            if found is not None:
                self._lines.move_to_end(digest)
            return found

    def add(self, rules: str, line: bytes, seen: Seen) -> None:
        """Remember a line; the one that was not asked for the longest is forgotten."""
        if seen.scope is not None:
            same = self._answers.setdefault(seen.scope.model_dump_json(), seen.scope)
            seen = Seen(seen.source_id, seen.canonical_hash, same)
        with self._lock:
            self._lines[_digest(rules, line)] = seen
            if len(self._lines) > self._most:
                self._lines.popitem(last=False)
                if len(self._answers) > self._most // 10:
                    self._answers.clear()


def _digest(rules: str, line: bytes) -> bytes:
    return hashlib.blake2b(b"%s %s" % (rules.encode(), line), key=_KEY, digest_size=16).digest()
