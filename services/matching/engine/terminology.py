"""The relations between codes, as the engine reads them."""

from shared.terminology.graph import Candidate, State, Terminology

__all__ = ["Candidate", "State", "Terminology"]
