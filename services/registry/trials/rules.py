"""The rules that decide on trials.

The application passes them in, so that trials do not import the scope gate or a source.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from services.registry.centres.schemas import Centre
from services.registry.model.trial import ScopeAnswer, TrialInput
from services.registry.terminology.terminology import Terminology
from services.registry.trials.places.model import CentreOf


@dataclass(frozen=True, slots=True)
class TrialRules:
    """``scope``: judges a draft. ``registry_criteria``: derives criteria (JSON) from a draft's registry fields.

    ``centre_of``: returns how to recognise these centres by the names of facilities.
    """

    terminology: Terminology
    scope: Callable[[TrialInput, Terminology], ScopeAnswer]
    registry_criteria: Callable[[TrialInput, Terminology], dict[str, Any]]
    centre_of: Callable[[Iterable[Centre]], CentreOf]
