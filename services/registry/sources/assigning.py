"""Finds the trial of a record in the database."""

from collections.abc import Mapping

from services.registry.model.aliases import aliases_of
from services.registry.model.trial import TrialInput
from services.registry.records.repository import OBSOLETE, SourceRecord, SourceRepository
from services.registry.sources.identity import Assignment, Numbers, Owner, assign
from services.registry.sources.readers import READERS
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
    numbers = numbers_of(source_id, draft, READERS[records.source].numbers)
    found = await trials.owners(numbers.all)
    stored = {key: await trials.get(key) for key in sorted(set(found.values()))}
    owners = await _owners(found, stored, records)
    assigned, obsolete = (known.trial_key, known.result == OBSOLETE) if known is not None else (None, False)
    assignment = assign(numbers, assigned, owners, obsolete=obsolete)
    if assignment.key is None:
        return assignment, None
    return assignment, stored.get(assignment.key) or await trials.get(assignment.key)


def numbers_of(source_id: str, draft: TrialInput, kind: IdentifierType) -> Numbers:
    """Return the numbers of a record. ``kind``: the type of those that its source gives."""
    own = alias_of(source_id)
    former = frozenset(alias_of(one.value) for one in draft.identifiers if one.type == kind) - {own}
    return Numbers(own, former, public_aliases(draft) - former - {own})


async def _owners(
    found: Mapping[str, str], stored: Mapping[str, StoredTrial], records: SourceRepository
) -> dict[str, Owner]:
    """Return who has which number. ``found``: the keys of trials by number; ``stored``: these trials."""
    describing = await records.describing(list(stored)) if stored else {}
    kind = READERS[records.source].numbers
    owners = {
        key: Owner(
            key,
            frozenset(map(alias_of, describing[key])),
            frozenset(aliases_of(one for one in owner.trial.identifiers if one.type == kind)),
        )
        for key, owner in stored.items()
    }
    return {alias: owners[key] for alias, key in found.items()}
