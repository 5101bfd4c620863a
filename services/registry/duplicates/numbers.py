"""The numbers that a trial has through one of its records."""

from services.registry.merge.merging import merge
from services.registry.merge.reading import Record
from services.registry.model.aliases import aliases_of
from services.registry.trials.drafts import public_aliases, validated
from services.registry.trials.merging import TrialMerger
from shared.vocabulary.identifiers import alias_of


def numbers_of(record: Record) -> frozenset[str]:
    """Return the public numbers that a record states, as aliases."""
    return public_aliases(validated(merge([record]).document))


async def leaving(merger: TrialMerger, record: Record, key: str) -> frozenset[str] | None:
    """Return the numbers that a trial no longer has without one of its records; None: nothing else is known of it.

    The record's own number goes with it, also where others state it.
    """
    others = [
        one
        for one in (await merger.records.of_trials([key]))[key]
        if (one.source, one.source_id) != (record.source, record.source_id)
    ]
    statements = await merger.statements.in_force(key)
    if not others and not statements:
        return None
    kept = aliases_of(await merger.numbers_of_parts(key, others, statements)).keys() - {alias_of(record.source_id)}
    owners = await merger.writer.repository.name_owners(numbers_of(record))
    return frozenset(alias for alias, (trial, _) in owners.items() if trial == key) - kept
