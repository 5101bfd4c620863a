"""Finds the trial of a record in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from services.registry.merge.sources import authority
from services.registry.model.aliases import aliases_of
from services.registry.model.trial import TrialInput
from services.registry.records.repository import OBSOLETE, SourceRecord, SourceRepository
from services.registry.sources.identity import Assignment, Numbers, Owner, assign
from services.registry.trials.drafts import public_aliases
from services.registry.trials.model import StoredTrial
from services.registry.trials.repository import TrialRepository
from shared.vocabulary.identifiers import IdentifierType, alias_of


@dataclass(frozen=True, slots=True)
class Found:
    """The assignment of a record, the trial that answers for it, if any, and the shared numbers that proposed it.

    ``assignment.key``: the trial to which the record is assigned, which may be merged into ``stored``.
    """

    assignment: Assignment
    stored: StoredTrial | None = None
    proposed: frozenset[str] = frozenset()


async def find_assignment(
    source_id: str,
    draft: TrialInput,
    known: SourceRecord | None,
    trials: TrialRepository,
    records: SourceRepository,
) -> Found:
    """Return the trial of a record, if it has one.

    Trials that are merged are first taken each for itself: the record stays with one of them when they are separated.
    """
    numbers, kind = numbers_of(source_id, draft)
    found = await trials.name_owners(numbers.all)
    stored = {key: await trials.get(key) for key in sorted({key for pair in found.values() for key in pair})}
    assigned, obsolete = (known.trial_key, known.result == OBSOLETE) if known is not None else (None, False)
    may_join = authority(records.source).may_join
    by_trial = {alias: trial for alias, (trial, _) in found.items()}
    present = {alias: answering for alias, (_, answering) in found.items()}
    apart = {key: await _of_itself(key, stored, kind, trials) for key in {*by_trial.values()}}
    owners = await _owners(by_trial, apart, {key: (key,) for key in apart}, records)
    assignment = assign(numbers, assigned, owners, obsolete=obsolete, may_join=may_join)
    if assignment.standing == "undecided" and present != by_trial:
        together = {key: _of_type(stored[key], kind) for key in {*present.values()}}
        parts = {key: (key, *stored[key].merged) for key in together}
        owners = await _owners(present, together, parts, records)
        assignment = assign(numbers, assigned, owners, may_join=may_join)
    if assignment.key is None:
        return Found(assignment)
    home = stored.get(assignment.key) or await trials.get(assignment.key)
    home = home if home.merged_into is None else await trials.present(home.key)
    others = frozenset(alias for alias in assignment.shared if present[alias] != home.key)
    proposed = frozenset(alias for alias, key in present.items() if assigned is None and key == home.key)
    return Found(replace(assignment, shared=others), home, proposed)


def numbers_of(source_id: str, draft: TrialInput) -> tuple[Numbers, IdentifierType | None]:
    """Return the numbers of a record, and the type of its own; None if that is no public number.

    Only ClinicalTrials.gov renames records: the other NCT numbers of its records are former ones.
    """
    own = alias_of(source_id)
    public = [one for one in draft.identifiers if one.type != "sponsor"]
    kind = next((one.type for one in public if alias_of(one.value) == own), None)
    former = frozenset(alias_of(one.value) for one in public if one.type == kind == "nct") - {own}
    return Numbers(own, former, public_aliases(draft) - former - {own}, renames=kind == "nct"), kind


async def _owners(
    found: Mapping[str, str],
    numbers: Mapping[str, frozenset[str]],
    parts: Mapping[str, Sequence[str]],
    records: SourceRepository,
) -> dict[str, Owner]:
    """Return who has which number. ``found``: the keys of trials by number.

    ``numbers``: those that each trial has of the type of the record's own; ``parts``: the trials that it consists of.
    """
    describing = await records.describing([part for found in parts.values() for part in found]) if found else {}
    owners = {
        key: Owner(key, frozenset(alias_of(one) for part in parts[key] for one in describing[part]), numbers[key])
        for key in parts
    }
    return {alias: owners[key] for alias, key in found.items()}


def _of_type(stored: StoredTrial, kind: IdentifierType | None) -> frozenset[str]:
    return frozenset(aliases_of(one for one in stored.trial.identifiers if one.type == kind))


async def _of_itself(
    key: str, stored: Mapping[str, StoredTrial], kind: IdentifierType | None, trials: TrialRepository
) -> frozenset[str]:
    """Return the numbers of a type that a trial has now, without those of trials with which it is merged."""
    if stored[key].merged_into is None and not stored[key].merged:
        return _of_type(stored[key], kind)
    together = _of_type(await trials.present(key), kind)
    return frozenset(alias for alias, (trial, _) in (await trials.name_owners(together)).items() if trial == key)
