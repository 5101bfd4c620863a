"""The scope gate: advanced therapies outside oncology, judged on the indication."""

from services.registry.scope.gate import judge

__all__ = ["judge"]
