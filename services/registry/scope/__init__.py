"""The scope gate: advanced therapies outside oncology, judged on the indication."""

from services.registry.scope.gate import NO_SIGN, judge, rules_version

__all__ = ["NO_SIGN", "judge", "rules_version"]
