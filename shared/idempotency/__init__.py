"""Idempotency keys: a POST sent again with its key and body takes effect once and gets the same answer for a day."""

from shared.idempotency.keys import IdempotencyKeys
from shared.idempotency.marks import idempotent, repeatable
from shared.idempotency.tables import IdempotencyLog

__all__ = ["IdempotencyKeys", "IdempotencyLog", "idempotent", "repeatable"]
