"""Pure functions on drafts, the writable part of trials."""

from typing import Any

from services.registry.model.trial import ScopeAnswer, Trial, TrialInput
from services.registry.trials.problems import IdentifierMismatchError
from shared.values.problems import Fault, InvalidBodyError
from shared.values.validation import faults


def draft_of(trial: Trial) -> TrialInput:
    """Return the part of a trial that callers write: the trial without what the registry itself sets."""
    return TrialInput(**{name: getattr(trial, name) for name in TrialInput.model_fields})


def public_numbers(draft: TrialInput) -> list[tuple[str, str]]:
    """Return (type, value) of the identifiers that are unique worldwide: all but a sponsor's code."""
    return [(one.type, one.value) for one in draft.identifiers if one.type != "sponsor"]


def check_address(identifier: str, draft: TrialInput) -> None:
    """Check that the address names the trial.

    :raises IdentifierMismatchError: 422, the address is none of the trial's identifiers.
    """
    if identifier not in {one.value for one in draft.identifiers}:
        raise IdentifierMismatchError(
            errors=[Fault(pointer="/identifiers", code="identifier_mismatch", detail=IdentifierMismatchError.title)]
        )


def patched(trial: Trial, patch: dict[str, Any]) -> TrialInput:
    """Apply a merge patch (RFC 7396) to a trial.

    :raises InvalidBodyError: 422, the result is not a valid trial.
    """
    merged = merge_patch(draft_of(trial).model_dump(mode="json"), patch)
    try:
        return TrialInput.model_validate(merged)
    except ValueError as error:
        raise InvalidBodyError(errors=faults(getattr(error, "errors", list)())) from None


def merge_patch(target: Any, patch: Any) -> Any:
    """Return ``target`` changed as RFC 7396 says: objects are merged, null removes a member, anything else replaces."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def same_scope(one: ScopeAnswer, other: ScopeAnswer) -> bool:
    """Return whether two answers of the scope gate say the same, whatever their wording."""
    return one.answer == other.answer and _reasons(one) == _reasons(other)


def _reasons(answer: ScopeAnswer) -> list[tuple[str, str]]:
    return [(reason.code, reason.pointer) for reason in answer.reasons]
