"""Finds the trial of a record in the database."""

from collections.abc import Mapping
from typing import Final

from services.registry.model.aliases import aliases_of
from services.registry.model.trial import Identifier, TrialInput
from services.registry.sources.identity import Assignment, Numbers, Owner, assign
from services.registry.sources.repository import OBSOLETE, SourceRecord, SourceRepository
from services.registry.trials.drafts import public_aliases
from services.registry.trials.repository import TrialRepository
from shared.vocabulary.identifiers import IdentifierType, alias_of

# The type of the numbers that each source gives its records.
NUMBERS_OF: Final[Mapping[str, IdentifierType]] = {"ctgov": "nct"}


async def find_assignment(
    source_id: str,
    draft: TrialInput,
    known: SourceRecord | None,
    trials: TrialRepository,
    records: SourceRepository,
) -> Assignment:
    """Return the trial of a record, or that a person must decide."""
    numbers = numbers_of(source_id, draft, NUMBERS_OF[records.source])
    owners = await _owners(numbers, trials, records)
    assigned, obsolete = (known.trial_key, known.result == OBSOLETE) if known is not None else (None, False)
    return assign(numbers, assigned, owners, obsolete=obsolete)


def numbers_of(source_id: str, draft: TrialInput, kind: IdentifierType) -> Numbers:
    """Return the numbers of a record. ``kind``: the type of those that its source gives."""
    own = alias_of(source_id)
    former = frozenset(alias_of(one.value) for one in draft.identifiers if one.type == kind) - {own}
    return Numbers(own, former, public_aliases(draft) - former - {own})


def without_numbers(draft: TrialInput, shared: frozenset[str]) -> TrialInput:
    """Return a draft without identifiers that are another trial's."""
    kept: list[Identifier] = [
        one for one in draft.identifiers if one.type == "sponsor" or alias_of(one.value) not in shared
    ]
    return draft.model_copy(update={"identifiers": kept})


async def _owners(numbers: Numbers, trials: TrialRepository, records: SourceRepository) -> dict[str, Owner]:
    found = await trials.owners(numbers.all)
    keys = sorted(set(found.values()))
    describing = await records.describing(keys) if keys else {}
    kind = NUMBERS_OF[records.source]
    owners = {}
    for key in keys:
        trial = (await trials.get(key)).trial
        given = frozenset(aliases_of([one for one in trial.identifiers if one.type == kind]))
        owners[key] = Owner(key, frozenset(map(alias_of, describing[key])), given)
    return {alias: owners[key] for alias, key in found.items()}
