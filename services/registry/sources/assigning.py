"""Finds the trial of a record in the database."""

from collections.abc import Mapping

from services.registry.merge.sources import authority
from services.registry.model.aliases import aliases_of
from services.registry.model.trial import TrialInput
from services.registry.records.repository import OBSOLETE, SourceRecord, SourceRepository
from services.registry.sources.identity import Assignment, Numbers, Owner, assign
from services.registry.trials.drafts import public_aliases
from services.registry.trials.model import StoredTrial
from services.registry.trials.repository import TrialRepository
from shared.vocabulary.identifiers import IdentifierType, alias_of


async def find_assignment(
    source_id: str,
    draft: TrialInput,
    known: SourceRecord | None,
    trials: TrialRepository,
    records: SourceRepository,
) -> tuple[Assignment, StoredTrial | None]:
    """Return the assignment of a record and its trial, if it has one."""
    numbers, kind = numbers_of(source_id, draft)
    found = await trials.owners(numbers.all)
    stored = {key: await trials.get(key) for key in sorted(set(found.values()))}
    owners = await _owners(found, stored, kind, records)
    assigned, obsolete = (known.trial_key, known.result == OBSOLETE) if known is not None else (None, False)
    may_join = authority(records.source).may_join
    assignment = assign(numbers, assigned, owners, obsolete=obsolete, may_join=may_join)
    if assignment.key is None:
        return assignment, None
    return assignment, stored.get(assignment.key) or await trials.get(assignment.key)


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
    stored: Mapping[str, StoredTrial],
    kind: IdentifierType | None,
    records: SourceRepository,
) -> dict[str, Owner]:
    """Return who has which number. ``found``: the keys of trials by number; ``stored``: these trials.

    ``kind``: the type of the record's own number.
    """
    describing = await records.describing(list(stored)) if stored else {}
    owners = {
        key: Owner(
            key,
            frozenset(map(alias_of, describing[key])),
            frozenset(aliases_of(one for one in owner.trial.identifiers if one.type == kind)),
        )
        for key, owner in stored.items()
    }
    return {alias: owners[key] for alias, key in found.items()}
