"""Finds what was changed in an audit log. Pure.

An edit, a deletion or a cut shows in the chain of the log or against the checkpoints that were written to a file. A log
that is gone shows because every log that was begun has at least one signed checkpoint.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.audit.chain import BEGINNING, Checkpoint, digest_of, instant_of

# Clocks of replicas differ, and an entry is dated shortly before it is written.
CLOCK_TOLERANCE = timedelta(minutes=5)
MAX_LISTED = 10


@dataclass
class Verdict:
    """The content of a log and its faults; without findings it is intact. ``pending`` entries await a checkpoint."""

    entries: int = 0
    checkpoints: int = 0
    pending: int = 0
    begun: datetime | None = None
    findings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Exported:
    """The checkpoints in a service's file. ``until``: ignore later ones, because the log is a copy of then."""

    checkpoints: Sequence[Checkpoint]
    until: datetime | None = None


async def verify(
    service: str,
    lines: AsyncIterator[tuple[int, str]],
    head: int | None,
    checkpoints: Sequence[Checkpoint],
    exported: Exported,
    keys: Sequence[Ed25519PublicKey],
) -> Verdict:
    """Check entries against the log's own checkpoints, and these against the exported ones.

    :param lines: the entries in order: their numbers and the texts that checkpoints cover.
    :param head: the number of the last entry as the service counts it; None: it does not.
    :param keys: the public keys that may have signed.
    """
    chain = [one for one in checkpoints if one.kind == "seal"]
    verdict = Verdict(checkpoints=len(chain), begun=_begun(exported.checkpoints))
    _check_signatures(service, checkpoints, exported.checkpoints, keys, verdict)
    await _check_entries(lines, head, chain, verdict)
    _check_exported(chain, exported, verdict)
    return verdict


async def _check_entries(
    lines: AsyncIterator[tuple[int, str]], head: int | None, chain: Sequence[Checkpoint], verdict: Verdict
) -> None:
    remaining = list(chain)
    previous, first, uncovered = BEGINNING, 1, list[str]()
    former: Checkpoint | None = None
    expected = 1
    async for number, line in lines:
        if number > expected:
            verdict.findings.append(f"entries {expected} to {number - 1} are missing")
        elif number < expected:
            verdict.findings.append(f"entry {number} occurs twice")
        expected = number + 1
        verdict.entries += 1
        uncovered.append(line)
        while remaining and number >= remaining[0].last:
            current = remaining.pop(0)
            if (current.first, current.previous) != (first, previous):
                verdict.findings.append(f"checkpoint {current.number} does not continue the one before it")
            if digest_of(current.previous, uncovered) != current.digest:
                verdict.findings.append(
                    f"entries {current.first} to {current.last} are not those of checkpoint {current.number}"
                )
            _check_dates(uncovered, current.first, former, current, verdict)
            previous, first, uncovered, former = current.digest, current.last + 1, [], current
    if remaining:
        verdict.findings.append(
            f"the log ends at entry {expected - 1}, but checkpoints cover entries up to {remaining[-1].last}"
        )
    if head is not None and head != expected - 1:
        verdict.findings.append(f"the log ends at entry {expected - 1}, but {head} entries were written")
    _check_dates(uncovered, first, former, None, verdict)
    verdict.pending = len(uncovered)


def _check_dates(
    lines: Sequence[str], first: int, former: Checkpoint | None, current: Checkpoint | None, verdict: Verdict
) -> None:
    """Report entries that are older than the checkpoint before them: they were inserted behind it.

    Where the clock was set back between two checkpoints, the later one is the bound.
    """
    if former is None:
        return
    bound = (min(former.at, current.at) if current else former.at) - CLOCK_TOLERANCE
    earliest = bound.isoformat(timespec="microseconds")
    for number, line in enumerate(lines, first):
        try:
            older = instant_of(line) < earliest
        except IndexError:
            continue  # not an entry: its checkpoint does not match it
        if older:
            verdict.findings.append(f"entry {number} was added after checkpoint {former.number} with an older date")


def _check_signatures(
    service: str,
    own: Sequence[Checkpoint],
    exported: Sequence[Checkpoint],
    keys: Sequence[Ed25519PublicKey],
    verdict: Verdict,
) -> None:
    for place, checkpoints in (("log", own), ("checkpoint file", exported)):
        unsigned = [str(one.number) for one in checkpoints if not one.is_signed_by(keys)]
        if unsigned:
            verdict.findings.append(
                f"checkpoints in the {place} are not signed by the installation's key: {_listed(unsigned)}"
            )
        foreign = [str(one.number) for one in checkpoints if one.service != service]
        if foreign:
            verdict.findings.append(f"checkpoints in the {place} belong to another service: {_listed(foreign)}")
    numbers = [one.number for one in own if one.kind == "seal"]
    if numbers != list(range(1, len(numbers) + 1)):
        verdict.findings.append("checkpoints are missing from the log")


def _check_exported(chain: Sequence[Checkpoint], exported: Exported, verdict: Verdict) -> None:
    """Compare the log with the history in its checkpoint file, restores taken into account."""
    if not exported.checkpoints:
        verdict.findings.append(
            "there are no checkpoints to compare the log with: it was removed, or its service has never run"
            if not chain and not verdict.entries
            else "there are no checkpoints to compare the log with: a cut cannot be excluded"
        )
        return
    known, brought = _history(exported.checkpoints, verdict)
    present = {one.number: one for one in chain}
    newest = max(present, default=0)
    later = {
        number
        for number, one in known.items()
        if number > newest and exported.until is not None and one.at > exported.until
    }
    if lost := sorted(set(known) - set(present) - later):
        verdict.findings.append(f"the log was cut: checkpoints {lost[0]} to {lost[-1]} were exported and are missing")
    if changed := sorted(
        number for number in set(known) & set(present) if known[number].digest != present[number].digest
    ):
        verdict.findings.append(f"checkpoint {changed[0]} differs from the exported one")
    if known and not brought and (early := [number for number in present if number < min(known)]):
        verdict.findings.append(f"checkpoints up to {max(early)} are missing from the checkpoint file")


def _history(exported: Sequence[Checkpoint], verdict: Verdict) -> tuple[dict[int, Checkpoint], bool]:
    """The checkpoints that the file says exist, and whether the log was brought from another machine by a restore."""
    known: dict[int, Checkpoint] = {}
    brought = exported[0].kind == "restored"
    started = False
    for one in exported:
        if one.kind == "begun":
            if started:
                verdict.findings.append(f"the log was begun again on {_day(one.at)}")
            continue
        started = True
        if one.kind == "restored":
            known = {number: former for number, former in known.items() if number <= one.number}
            if not known and brought and one.number:
                known = {one.number: one}
            if one.number and (one.number not in known or known[one.number].digest != one.digest):
                verdict.findings.append(f"a restore names checkpoint {one.number}, which was not exported like this")
            continue
        if one.number in known and known[one.number].digest == one.digest:
            continue  # two replicas that share a folder
        if one.number != max(known, default=0) + 1 and known:
            verdict.findings.append(f"checkpoints between {max(known)} and {one.number} are missing")
        known[one.number] = one
    return known, brought


def _begun(exported: Sequence[Checkpoint]) -> datetime | None:
    """When the log was begun; None: unknown."""
    return exported[0].at if exported and exported[0].kind == "begun" else None


def check_begin(verdict: Verdict, oldest: datetime | None) -> None:
    """Report a log that was begun after the service's data: the former log was removed.

    :param oldest: when the oldest row was created that only a recorded request can create.
    """
    if verdict.begun is not None and oldest is not None and oldest < verdict.begun - CLOCK_TOLERANCE:
        verdict.findings.append(
            f"the log was begun on {_day(verdict.begun)}, but the database has older data of {_day(oldest)}"
        )


def _day(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _listed(numbers: Sequence[str]) -> str:
    return ", ".join(numbers[:MAX_LISTED]) + (", …" if len(numbers) > MAX_LISTED else "")
