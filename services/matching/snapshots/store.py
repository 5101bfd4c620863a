"""Keeps the newest snapshot in memory: read from disk or from the export, then updated from the feed."""

import asyncio
import errno
import gc
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from services.matching.clients.documents import Centre, Site, TrialRecord, UnreadableDocumentError
from services.matching.clients.registry import RegistryClient
from services.matching.snapshots.files import SnapshotFiles
from services.matching.snapshots.model import Snapshot, SnapshotTrial, Vocabulary
from services.matching.snapshots.problems import SnapshotMissingError
from shared.clients.feed import Batch, HistoryRestartedError
from shared.operations.metrics import Metrics
from shared.tasks import BackgroundTasks, RepeatedTask

logger = logging.getLogger(__name__)
T = TypeVar("T")

# A batch that changes more trials than this is faster read from the export than one by one.
RELOAD_FROM = 100
PARALLEL_READS = 8
# Between two writes pass at least this many times the duration of the last one.
PAUSE_FACTOR = 20


@dataclass(slots=True)
class _Changes:
    """The ids of what a batch of events changes and the snapshot does not have yet."""

    trials: set[str] = field(default_factory=set)
    sites: set[str] = field(default_factory=set)
    centres: set[str] = field(default_factory=set)
    terminology: bool = False


class SnapshotStore:
    """The copy of the registry of one process. ``current`` is immutable and replaced as a whole.

    ``persist_every``: at least so many seconds pass between two writes to disk.
    """

    def __init__(self, registry: RegistryClient, files: SnapshotFiles, persist_every: float, metrics: Metrics) -> None:
        self._registry = registry
        self._files = files
        self._persist_every = persist_every
        self._metrics = metrics
        self._snapshot: Snapshot | None = None
        self._written: Snapshot | None = None
        self._last_write = 0.0
        self._unwritten_since: float | None = None
        self._connected = False
        self._tasks: list[RepeatedTask] = []

    @property
    def current(self) -> Snapshot:
        """The snapshot to answer from.

        :raises SnapshotMissingError: 503, nothing is loaded yet.
        """
        if self._snapshot is None:
            raise SnapshotMissingError
        return self._snapshot

    @property
    def loaded(self) -> Snapshot | None:
        """The snapshot, or None where nothing is loaded yet."""
        return self._snapshot

    def start(self, tasks: BackgroundTasks) -> None:
        """Read the snapshot on disk, then follow the registry in the background."""
        try:
            self._snapshot = self._written = self._files.newest()
        except OSError as error:
            logger.warning("snapshot_unreadable", extra={"error_class": type(error).__name__})
        if self._snapshot is not None:
            logger.info("snapshot_loaded", extra={"trials": len(self._snapshot.trials)})
        self._tasks = [
            tasks.repeat(self.follow, "follow_registry"),
            tasks.repeat(self._persist_later, "persist_snapshot"),
        ]

    async def stop(self) -> None:
        """Stop following the registry and write the snapshot to disk."""
        for task in self._tasks:
            await task.stop()
        await self.persist()

    async def follow(self) -> None:
        """Do one step: load everything where nothing is loaded, else apply the next batch of the feed."""
        current = self._snapshot
        if current is None:
            await self._reload()
            return
        try:
            if not self._connected:
                # A new release of the registry may bring another terminology without an event.
                current = await self._update_terminology(current)
            batch = await self._registry.feed.next(current.next_feed_path)
            self._connected = True
        except HistoryRestartedError:
            await self._reload()
            return
        except BaseException:
            self._connected = False
            raise
        with batch.applying():
            await self._apply(current, batch)

    @property
    def unwritten_seconds(self) -> float:
        """Seconds since the first failed write to disk after the last good one; 0 while writes succeed."""
        return 0.0 if self._unwritten_since is None else time.monotonic() - self._unwritten_since

    async def persist(self) -> None:
        """Write the snapshot where it differs from the one on disk. Log a failure: answers do not need the disk."""
        current, written = self._snapshot, self._written
        if current is None or (
            written is not None and (written.id, written.next_feed_path) == (current.id, current.next_feed_path)
        ):
            return
        started = time.monotonic()
        try:
            await asyncio.to_thread(self._files.write, current)
        except OSError as error:
            self._unwritten_since = self._unwritten_since or started
            logger.warning(
                "snapshot_unwritten",
                extra={"error_class": type(error).__name__, "code": errno.errorcode.get(error.errno or 0)},
            )
            return
        self._unwritten_since = None
        self._last_write = time.monotonic() - started
        self._written = current

    async def _persist_later(self) -> None:
        await asyncio.sleep(max(self._persist_every, PAUSE_FACTOR * self._last_write))
        await self.persist()

    async def _reload(self) -> None:
        export = await self._registry.export()
        before = self._snapshot
        content = await self._registry.terminology(before.vocabulary.version if before else None)
        vocabulary = before.vocabulary if before is not None and content is None else None
        if vocabulary is None:
            assert content is not None
            vocabulary = await asyncio.to_thread(Vocabulary, content)
        self._snapshot = Snapshot.build(
            export.trials,
            export.centres,
            vocabulary,
            self._files.country,
            export.next_feed_path,
            datetime.now(UTC),
            before,
        )
        gc.freeze()  # without it, garbage collection of the long-lived snapshot delayed a request by 0.1 s
        logger.info("snapshot_reloaded", extra={"trials": len(self._snapshot.trials), "count": len(export.trials)})
        if export.unreadable:
            logger.error("registry_records_unreadable", extra={"count": export.unreadable})

    async def _update_terminology(self, current: Snapshot) -> Snapshot:
        """Recompile every trial where the registry has another terminology; return the current snapshot.

        It is built in a thread, while requests are answered from the one before.
        """
        content = await self._registry.terminology(current.vocabulary.version)
        if content is None:
            return current
        self._snapshot = await asyncio.to_thread(lambda: current.with_vocabulary(Vocabulary(content)))
        gc.freeze()
        return self._snapshot

    async def _apply(self, current: Snapshot, batch: Batch) -> None:
        now = datetime.now(UTC)
        changes = _changes(current, batch.events)
        if len(changes.trials | changes.sites) > RELOAD_FROM:
            await self._reload()
            return
        if changes.terminology:
            current = await self._update_terminology(current)
        trials, centres = dict(current.trials), dict(current.centres)
        for name, record in await _read_all(changes.trials, self._registry.trial):
            _put(trials, name, record, current)
        for name, sites in await _read_all(changes.sites - changes.trials, self._registry.sites):
            if name in trials and sites is not None:
                stored = trials[name].record
                _put(trials, name, replace(stored, sites=_newest(stored.sites, sites)), current)
        for name, centre in await _read_all(changes.centres, self._registry.centre):
            _put_centre(centres, name, centre)
        if trials != current.trials or centres != current.centres:
            self._snapshot = Snapshot.of(trials, centres, current.vocabulary, current.country, batch.next_path, now)
        else:
            self._snapshot = replace(current, next_feed_path=batch.next_path, current_at=now)
        if batch.events:
            self._metrics.lag.labels("registry").set(
                max(0.0, (now - datetime.fromisoformat(batch.events[-1]["time"])).total_seconds())
            )


def _changes(current: Snapshot, events: Iterable[dict[str, Any]]) -> _Changes:
    """Return the subjects of events newer than the snapshot. Their present state is then read from the registry."""
    changes = _Changes()
    for event in events:
        kind, _, name = event["subject"].partition("/")
        version = event["data"].get("version") if event["data"].get("op") == "upsert" else None
        if kind == "trial":
            trial = current.trials.get(name)
            if version is None or trial is None or trial.record.trial.version < version:
                changes.trials.add(name)
        elif kind == "site":
            owner, _, centre = name.rpartition("/")
            if version is None or _site_version(current, owner, centre) < version:
                changes.sites.add(owner)
        elif kind == "centre":
            if version is None or name not in current.centres or current.centres[name].version < version:
                changes.centres.add(name)
        elif kind == "terminology":
            changes.terminology = True
    return changes


def _site_version(current: Snapshot, trial: str, centre: str) -> int:
    owner = current.trials.get(trial)
    return max((site.version for site in owner.record.sites if site.centre == centre), default=0) if owner else 0


async def _read_all(names: set[str], read: Callable[[str], Awaitable[T]]) -> list[tuple[str, T]]:
    """Read some resources, a few at a time; leave out those that cannot be read."""

    async def one(name: str) -> list[tuple[str, T]]:
        try:
            return [(name, await read(name))]
        except UnreadableDocumentError:
            logger.exception("registry_record_unreadable")
            return []

    ordered, found = sorted(names), []
    for start in range(0, len(ordered), PARALLEL_READS):
        for answers in await asyncio.gather(*map(one, ordered[start : start + PARALLEL_READS])):
            found += answers
    return found


def _put(trials: dict[str, SnapshotTrial], name: str, record: TrialRecord | None, current: Snapshot) -> None:
    """Store a trial that is newer than the stored one; drop one that is gone, merged or no longer published."""
    if record is None or record.trial.id != name:
        trials.pop(name, None)
    if record is None:
        return
    stored = trials.get(record.trial.id)
    if stored is not None and (stored.record.trial.version > record.trial.version or stored.record == record):
        return
    if record.trial.published:
        trials[record.trial.id] = SnapshotTrial.prepare(record, current.vocabulary, current.country)
    else:
        trials.pop(record.trial.id, None)


def _put_centre(centres: dict[str, Centre], name: str, centre: Centre | None) -> None:
    if centre is None:
        centres.pop(name, None)
    elif name not in centres or centres[name].version < centre.version:
        centres[name] = centre


def _newest(stored: tuple[Site, ...], read: tuple[Site, ...]) -> tuple[Site, ...]:
    """Return the sites that were read, each in the newer one of its two versions."""
    by_centre = {site.centre: site for site in stored}
    return tuple(
        site
        if site.centre not in by_centre or by_centre[site.centre].version <= site.version
        else by_centre[site.centre]
        for site in read
    )
