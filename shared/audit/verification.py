"""What is wrong with a record: pure. Edits, deletions and truncation each leave a trace in the chain or against the exported checkpoints."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.audit.chain import BEGINNING, Seal, digest_of


@dataclass
class Verdict:
    """``findings`` empty: nothing was changed. ``unsealed`` entries are too young to be sealed."""

    entries: int = 0
    seals: int = 0
    unsealed: int = 0
    findings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Exported:
    """The checkpoints of one service, in their order. ``until``: those made after it are of no account, as the record looked at is a copy of then."""

    seals: Sequence[Seal]
    until: datetime | None = None


async def verify(
    service: str,
    lines: AsyncIterator[tuple[int, str]],
    head: int | None,
    seals: Sequence[Seal],
    exported: Exported,
    keys: Sequence[Ed25519PublicKey],
) -> Verdict:
    """Check entries in order (number, sealed text) against the seals, and the seals against the checkpoints exported before.

    ``head`` is the number of the last entry as the service counts it, where it does.
    """
    verdict = Verdict(seals=len(seals))
    _check_signatures(service, seals, exported.seals, keys, verdict)
    waiting = list(seals)
    previous, first, held = BEGINNING, 1, list[str]()
    expected = 1
    async for number, line in lines:
        if number != expected:
            verdict.findings.append(
                f"entries {expected} to {number - 1} are missing"
                if number > expected
                else f"entry {number} stands twice"
            )
        expected = number + 1
        verdict.entries += 1
        held.append(line)
        while waiting and number >= waiting[0].last:
            seal = waiting.pop(0)
            if (seal.first, seal.previous) != (first, previous):
                verdict.findings.append(f"seal {seal.number} does not follow the one before it")
            if digest_of(seal.previous, held) != seal.digest:
                verdict.findings.append(f"entries {seal.first} to {seal.last} are not what seal {seal.number} sealed")
            previous, first, held = seal.digest, seal.last + 1, []
    if waiting:
        verdict.findings.append(
            f"the record ends at entry {expected - 1}, and entries up to {waiting[-1].last} were sealed"
        )
    if head is not None and head != expected - 1:
        verdict.findings.append(f"the record ends at entry {expected - 1}, and {head} were written")
    verdict.unsealed = len(held)
    _check_exported(seals, exported, verdict)
    return verdict


def _check_signatures(
    service: str, seals: Sequence[Seal], exported: Sequence[Seal], keys: Sequence[Ed25519PublicKey], verdict: Verdict
) -> None:
    for where, several in (("the record", seals), ("the checkpoints", exported)):
        unsigned = [str(seal.number) for seal in several if not seal.holds(keys)]
        if unsigned:
            verdict.findings.append(
                f"in {where}, not signed by the installation's key: seals {', '.join(unsigned[:10])}"
            )
        foreign = [str(seal.number) for seal in several if seal.service != service]
        if foreign:
            verdict.findings.append(f"in {where}, of another service: seals {', '.join(foreign[:10])}")
    numbers = [seal.number for seal in seals]
    if numbers != list(range(1, len(numbers) + 1)):
        verdict.findings.append("seals are missing from the record")


def _check_exported(seals: Sequence[Seal], exported: Exported, verdict: Verdict) -> None:
    """The history that the checkpoints tell, restores taken into account, must be the record's own."""
    if seals and not exported.seals:
        verdict.findings.append(
            "there are no checkpoints to compare the record with: whether it was cut cannot be told"
        )
        return
    told, brought = _told(exported.seals, verdict)
    held = {seal.number: seal for seal in seals}
    newest = max(held, default=0)
    later = {
        number
        for number, seal in told.items()
        if number > newest and exported.until is not None and seal.at > exported.until
    }
    if lost := sorted(set(told) - set(held) - later):
        verdict.findings.append(f"seals {lost[0]} to {lost[-1]} were exported and are not in the record: it was cut")
    if changed := sorted(number for number in set(told) & set(held) if told[number].digest != held[number].digest):
        verdict.findings.append(f"seal {changed[0]} is not the one that was exported")
    if told and not brought and (early := [number for number in held if number < min(told)]):
        verdict.findings.append(f"checkpoints up to {max(early)} are missing")


def _told(exported: Sequence[Seal], verdict: Verdict) -> tuple[dict[int, Seal], bool]:
    """The seals that the checkpoints say there are, and whether they begin with a restore: of a record that was brought from another machine."""
    told: dict[int, Seal] = {}
    brought = bool(exported) and exported[0].kind == "restored"
    for seal in exported:
        if seal.kind == "restored":
            told = {number: one for number, one in told.items() if number <= seal.number}
            if not told and brought and seal.number:
                told = {seal.number: seal}
            if seal.number and (seal.number not in told or told[seal.number].digest != seal.digest):
                verdict.findings.append(
                    f"the checkpoint of a restore names seal {seal.number}, which was never exported so"
                )
            continue
        if seal.number in told and told[seal.number].digest == seal.digest:
            continue  # two replicas that share a folder
        if seal.number != max(told, default=0) + 1 and told:
            verdict.findings.append(f"checkpoints between {max(told)} and {seal.number} are missing")
        told[seal.number] = seal
    return told, brought
