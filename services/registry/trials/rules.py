"""The rules that trials are decided by. The application passes them in, so that trials depend on no scope gate and on no source."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from services.registry.model.trial import ScopeAnswer, TrialInput
from services.registry.terminology.terminology import Terminology


@dataclass(frozen=True, slots=True)
class TrialRules:
    """``scope``: judges whether a draft belongs in the registry. ``registry_criteria``: criteria (JSON) derived from a draft's registry fields."""

    terminology: Terminology
    scope: Callable[[TrialInput, Terminology], ScopeAnswer]
    registry_criteria: Callable[[TrialInput, Terminology], dict[str, Any]]
