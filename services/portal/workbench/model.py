"""What one use of the workbench gives. Plain data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.portal.clients.problems import ApiError, ApiUnavailableError
from services.portal.workbench.comparing import Difference
from services.portal.workbench.public_texts import CriteriaSource
from services.portal.workbench.state import State
from shared.values.wire import Label


@dataclass(frozen=True, slots=True)
class Outcome:
    """The state after an action, and what it evaluates to.

    ``answer``: of the record; None: there is no record, or it was refused. ``effect``: what the action changed.
    ``hypothesis``: the answer with the suppositions, and ``supposed`` what differs then. ``names``: of codes.
    ``sources``: of the criteria of trials. ``faults``: what is wrong, by field. ``problem``: the API refused the
    record, or did not answer; then ``retry`` is the action to do again. ``codes``: those that words found. ``kept``:
    the fields to show again. ``first``: the position of the first trial that is shown with all criteria.
    """

    state: State
    answer: Mapping[str, Any] | None = None
    effect: Sequence[Difference] | None = None
    hypothesis: Mapping[str, Any] | None = None
    supposed: Sequence[Difference] = ()
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sources: Mapping[str, CriteriaSource] = field(default_factory=dict)
    faults: Mapping[str, Label] = field(default_factory=dict)
    problem: ApiError | ApiUnavailableError | None = None
    retry: str = ""
    codes: Sequence[Mapping[str, Any]] | None = None
    kept: Mapping[str, str] = field(default_factory=dict)
    first: int = 0
