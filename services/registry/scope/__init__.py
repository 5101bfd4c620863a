"""The scope gate: advanced therapies outside oncology, judged on the indication."""

from services.registry.scope.gate import judge, rules_version

__all__ = ["judge", "rules_version"]
