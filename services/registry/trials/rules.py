"""The rules that decide on trials.

The application passes them in, so that trials do not import the scope gate or a source.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from services.registry.model.trial import ScopeAnswer, TrialInput
from services.registry.terminology.terminology import Terminology
from services.registry.trials.places.model import CentreOf


@dataclass(frozen=True, slots=True)
class TrialRules:
    """``scope``: judges a draft. ``registry_criteria``: derives criteria (JSON) from a draft's registry fields.

    ``centre_of``: returns how to recognise these centres (id, name, city) by the names of facilities.
    ``version``: a hash of the rules of merging and scope, and of the terminology.
    """

    terminology: Terminology
    scope: Callable[[TrialInput, Terminology], ScopeAnswer]
    registry_criteria: Callable[[TrialInput, Terminology], dict[str, Any]]
    centre_of: Callable[[tuple[tuple[str, str, str], ...]], CentreOf]
    version: str = ""
