"""The rules that decide on trials.

The application passes them in, so that trials do not import the scope gate or a source.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from services.registry.model.trial import ScopeAnswer, TrialInput
from services.registry.terminology.terminology import Terminology


@dataclass(frozen=True, slots=True)
class TrialRules:
    """``scope``: judges a draft. ``registry_criteria``: derives criteria (JSON) from a draft's registry fields.

    ``version``: a hash of the rules of merging and scope, and of the terminology.
    """

    terminology: Terminology
    scope: Callable[[TrialInput, Terminology], ScopeAnswer]
    registry_criteria: Callable[[TrialInput, Terminology], dict[str, Any]]
    version: str = ""
