"""How much one caller may ask for, and how much a process takes in hand: so that no caller keeps the others from being answered."""

from shared.limits.load import Load
from shared.limits.quotas import Quotas

__all__ = ["Load", "Quotas"]
