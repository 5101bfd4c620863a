"""How much one caller may ask for, and how much a process takes in hand: so that no caller keeps the others from being answered."""

from shared.http.limits.concurrency import ConcurrencyLimiter
from shared.http.limits.quotas import Quotas

__all__ = ["ConcurrencyLimiter", "Quotas"]
