"""Pure functions on drafts, the writable part of trials, and checks of what is declared."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from services.registry.model.aliases import aliases_of
from services.registry.model.criteria_head import CriteriaHead
from services.registry.model.site import SiteInput
from services.registry.model.state import TrialState
from services.registry.model.trial import Origin, ScopeAnswer, Trial, TrialInput, preferred_identifier
from services.registry.trials.problems import IdentifierMismatchError, UnknownCohortError
from shared.values.problems import Fault, InvalidBodyError
from shared.values.validation import faults
from shared.vocabulary.identifiers import alias_of


def draft_of(trial: Trial) -> TrialInput:
    """Return the part of a trial that callers write: the trial without what the registry itself sets."""
    return TrialInput(**{name: getattr(trial, name) for name in TrialInput.model_fields})


def public_aliases(draft: TrialInput) -> frozenset[str]:
    """Return the aliases of the identifiers that are unique worldwide: all but a sponsor's code."""
    return frozenset(alias for alias, is_public in aliases_of(draft.identifiers).items() if is_public)


def without_numbers(draft: TrialInput, shared: Collection[str]) -> TrialInput:
    """Return a draft without identifiers that are another trial's."""
    kept = [one for one in draft.identifiers if one.type == "sponsor" or alias_of(one.value) not in shared]
    return draft if len(kept) == len(draft.identifiers) else draft.model_copy(update={"identifiers": kept})


def is_number_of(identifier: str, draft: TrialInput) -> bool:
    """Return whether the draft has this number, in any spelling."""
    return alias_of(identifier) in aliases_of(draft.identifiers)


def check_address(identifier: str, draft: TrialInput, current: Trial | None) -> None:
    """Check that the address names the trial sent. ``current``: the trial that the address names now.

    The id of a trial and its former numbers are not in a draft.

    :raises IdentifierMismatchError: 422, the address is none of the trial's identifiers.
    """
    if is_number_of(identifier, draft) or (current is not None and not is_number_of(identifier, draft_of(current))):
        return
    raise IdentifierMismatchError(
        errors=[Fault(pointer="/identifiers", code="identifier_mismatch", detail=IdentifierMismatchError.title)]
    )


def check_cohorts(trial: Trial, given: SiteInput) -> None:
    """Check that a site declares places of cohorts that the trial has.

    :raises UnknownCohortError: 422.
    """
    cohorts = {cohort.id for cohort in trial.cohorts} or {"all"}
    for index, slots in enumerate(given.slots):
        if slots.cohort not in cohorts:
            place = Fault(pointer=f"/slots/{index}/cohort", code="unknown_cohort", detail=UnknownCohortError.title)
            raise UnknownCohortError(errors=[place])


def changed_fields(before: Trial, after: Trial) -> tuple[str, ...]:
    """Return the names of the fields in which two versions of a trial differ."""
    return tuple(
        name
        for name in Trial.model_fields
        if name not in {"version", "updated_at"} and getattr(after, name) != getattr(before, name)
    )


def patched(trial: Trial, patch: dict[str, Any]) -> TrialInput:
    """Apply a merge patch (RFC 7396) to a trial.

    :raises InvalidBodyError: 422, the result is not a valid trial.
    """
    return validated(merge_patch(draft_of(trial).model_dump(mode="json"), patch))


def validated(document: Mapping[str, Any]) -> TrialInput:
    """Return a draft from JSON. A field that is null is absent.

    :raises InvalidBodyError: 422, it is not a valid trial.
    """
    try:
        return TrialInput.model_validate({name: value for name, value in document.items() if value is not None})
    except ValueError as error:
        raise InvalidBodyError(errors=faults(getattr(error, "errors", list)())) from None


def named_paths(patch: Mapping[str, Any]) -> frozenset[str]:
    """Return the fields that a merge patch names, and their members (``titles.fr``)."""
    members = {f"{name}.{member}" for name, value in patch.items() if isinstance(value, dict) for member in value}
    return frozenset({name for name, value in patch.items() if not isinstance(value, dict)} | members)


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
    """Return whether two answers on the scope say the same, whatever their wording.

    Where a person decided, what the gate finds beside it does not matter.
    """
    same = (one.by, one.answer) == (other.by, other.answer)
    return same and (one.by == "person" or _reasons(one) == _reasons(other))


def _reasons(answer: ScopeAnswer) -> list[tuple[str, str]]:
    return [(reason.code, reason.pointer) for reason in answer.reasons]


def trial_of(
    at: datetime,
    key: str,
    draft: TrialInput,
    version: int,
    head: CriteriaHead | None,
    scope: ScopeAnswer,
    state: TrialState,
    origin: Origin,
) -> Trial:
    """Return a version of a trial, with what the registry adds to the draft. ``at``: when it is written."""
    fields = {name: getattr(draft, name) for name in TrialInput.model_fields}
    return Trial(
        **fields,
        id=key,
        identifier=preferred_identifier(draft.identifiers),
        version=version,
        updated_at=at,
        criteria=head,
        scope=scope,
        state=state,
        published=state == "published",
        origin=origin,
    )
