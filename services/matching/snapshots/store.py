"""Keeps the newest snapshot: from disk at the start, from the export when there is none, from the feed ever after."""

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
from services.matching.snapshots.model import HeldTrial, Snapshot, Vocabulary
from services.matching.snapshots.problems import SnapshotMissingError
from shared.clients.feed import Batch, HistoryRestartedError
from shared.operations.metrics import Metrics
from shared.tasks import BackgroundTasks, RepeatedTask

logger = logging.getLogger(__name__)
T = TypeVar("T")

# More trials than these in one batch are read faster from the export than one by one.
RELOAD_FROM = 100
AT_A_TIME = 8
# Writing takes at most this share of the time while the registry keeps changing.
WRITING_SHARE = 20


@dataclass(slots=True)
class _Touched:
    """What a batch of events says has changed, and is not held yet."""

    trials: set[str] = field(default_factory=set)
    sites: set[str] = field(default_factory=set)
    centres: set[str] = field(default_factory=set)
    terminology: bool = False


class SnapshotStore:
    """One copy of the registry. `current` is what answers are given from; it never changes under a reader."""

    def __init__(self, registry: RegistryClient, files: SnapshotFiles, persist_every: float, metrics: Metrics) -> None:
        self._registry = registry
        self._files = files
        self._persist_every = persist_every
        self._metrics = metrics
        self._snapshot: Snapshot | None = None
        self._written: Snapshot | None = None
        self._last_write = 0.0
        self._unwritten_since: float | None = None
        self._in_touch = False
        self._tasks: list[RepeatedTask] = []

    @property
    def current(self) -> Snapshot:
        """:raises SnapshotMissingError: 503, nothing has been loaded yet."""
        if self._snapshot is None:
            raise SnapshotMissingError
        return self._snapshot

    @property
    def loaded(self) -> Snapshot | None:
        return self._snapshot

    def start(self, tasks: BackgroundTasks) -> None:
        """Load what is on disk, then follow the registry in the background."""
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
        """Stop following and leave what is held on disk."""
        for task in self._tasks:
            await task.stop()
        await self.persist()

    async def follow(self) -> None:
        """One step: load everything where nothing is held, else apply the next batch of the feed."""
        held = self._snapshot
        if held is None:
            await self._reload()
            return
        try:
            if not self._in_touch:
                # A new release of the registry may bring another terminology without an event.
                held = await self._with_terminology(held)
            batch = await self._registry.feed.next(held.following)
            self._in_touch = True
        except HistoryRestartedError:
            await self._reload()
            return
        except BaseException:
            self._in_touch = False
            raise
        with batch.applying():
            await self._apply(held, batch)

    @property
    def unwritten_seconds(self) -> float:
        """How long the disk has not taken a snapshot; 0 where it does."""
        return 0.0 if self._unwritten_since is None else time.monotonic() - self._unwritten_since

    async def persist(self) -> None:
        """Write the snapshot where it differs from the one on disk. A disk that does not take it hurts nobody before the next start."""
        held, written = self._snapshot, self._written
        if held is None or (written is not None and (written.id, written.following) == (held.id, held.following)):
            return
        started = time.monotonic()
        try:
            await asyncio.to_thread(self._files.write, held)
        except OSError as error:
            self._unwritten_since = self._unwritten_since or started
            logger.warning(
                "snapshot_unwritten",
                extra={"error_class": type(error).__name__, "code": errno.errorcode.get(error.errno or 0)},
            )
            return
        self._unwritten_since = None
        self._last_write = time.monotonic() - started
        self._written = held

    async def _persist_later(self) -> None:
        await asyncio.sleep(max(self._persist_every, WRITING_SHARE * self._last_write))
        await self.persist()

    async def _reload(self) -> None:
        export = await self._registry.export()
        before = self._snapshot
        concepts = await self._registry.terminology(before.vocabulary.version if before else None)
        vocabulary = before.vocabulary if before is not None and concepts is None else None
        if vocabulary is None:
            assert concepts is not None
            vocabulary = Vocabulary(concepts)
        self._snapshot = Snapshot.build(
            export.trials, export.centres, vocabulary, export.following, datetime.now(UTC), before
        )
        gc.freeze()  # it stays: looking through it for garbage held a request up for a tenth of a second
        logger.info("snapshot_reloaded", extra={"trials": len(self._snapshot.trials), "count": len(export.trials)})
        if export.unreadable:
            logger.error("registry_records_unreadable", extra={"count": export.unreadable})

    async def _with_terminology(self, held: Snapshot) -> Snapshot:
        concepts = await self._registry.terminology(held.vocabulary.version)
        if concepts is None:
            return held
        vocabulary = Vocabulary(concepts)
        trials = {name: trial.under(vocabulary) for name, trial in held.trials.items()}
        self._snapshot = Snapshot.of(trials, held.centres, vocabulary, held.following, held.current_at)
        return self._snapshot

    async def _apply(self, held: Snapshot, batch: Batch) -> None:
        now = datetime.now(UTC)
        touched = _touched(held, batch.events)
        if len(touched.trials | touched.sites) > RELOAD_FROM or any(
            "/" in name for name in touched.trials | touched.sites
        ):
            # A name with a slash has no address of its own.
            await self._reload()
            return
        if touched.terminology:
            held = await self._with_terminology(held)
        trials, centres = dict(held.trials), dict(held.centres)
        for name, record in await _each(touched.trials, self._registry.trial):
            _put(trials, name, record, held.vocabulary)
        for name, sites in await _each(touched.sites - touched.trials, self._registry.sites):
            if name in trials and sites is not None:
                _put(
                    trials,
                    name,
                    replace(trials[name].record, sites=_newest(trials[name].record.sites, sites)),
                    held.vocabulary,
                )
        for name, centre in await _each(touched.centres, self._registry.centre):
            _put_centre(centres, name, centre)
        if trials != held.trials or centres != held.centres:
            self._snapshot = Snapshot.of(trials, centres, held.vocabulary, batch.following, now)
        else:
            self._snapshot = replace(held, following=batch.following, current_at=now)
        if batch.events:
            self._metrics.lag.labels("registry").set(
                max(0.0, (now - datetime.fromisoformat(batch.events[-1]["time"])).total_seconds())
            )


def _touched(held: Snapshot, events: Iterable[dict[str, Any]]) -> _Touched:
    """The subjects of events that tell more than is held; whatever an event says, the registry is asked for what is true now."""
    touched = _Touched()
    for event in events:
        kind, _, name = event["subject"].partition("/")
        version = event["data"].get("version") if event["data"].get("op") == "upsert" else None
        if kind == "trial":
            trial = held.trials.get(name)
            if version is None or trial is None or trial.record.trial.version < version:
                touched.trials.add(name)
        elif kind == "site":
            owner, _, centre = name.rpartition("/")
            if version is None or _site_version(held, owner, centre) < version:
                touched.sites.add(owner)
        elif kind == "centre":
            if version is None or name not in held.centres or held.centres[name].version < version:
                touched.centres.add(name)
        elif kind == "terminology":
            touched.terminology = True
    return touched


def _site_version(held: Snapshot, trial: str, centre: str) -> int:
    owner = held.trials.get(trial)
    return max((site.version for site in owner.record.sites if site.centre == centre), default=0) if owner else 0


async def _each(names: set[str], read: Callable[[str], Awaitable[T]]) -> list[tuple[str, T]]:
    async def one(name: str) -> list[tuple[str, T]]:
        try:
            return [(name, await read(name))]
        except UnreadableDocumentError:
            logger.exception("registry_record_unreadable")
            return []

    ordered, found = sorted(names), []
    for start in range(0, len(ordered), AT_A_TIME):
        for answers in await asyncio.gather(*map(one, ordered[start : start + AT_A_TIME])):
            found += answers
    return found


def _put(trials: dict[str, HeldTrial], name: str, record: TrialRecord | None, vocabulary: Vocabulary) -> None:
    """Take a trial over where it is newer than the one held; drop one that is gone, renamed or no longer published."""
    if record is None or record.trial.id != name:
        trials.pop(name, None)
    if record is None:
        return
    held = trials.get(record.trial.id)
    if held is not None and (held.record.trial.version > record.trial.version or held.record == record):
        return
    if record.trial.published:
        trials[record.trial.id] = HeldTrial.prepare(record, vocabulary)
    else:
        trials.pop(record.trial.id, None)


def _put_centre(centres: dict[str, Centre], name: str, centre: Centre | None) -> None:
    if centre is None:
        centres.pop(name, None)
    elif name not in centres or centres[name].version < centre.version:
        centres[name] = centre


def _newest(held: tuple[Site, ...], read: tuple[Site, ...]) -> tuple[Site, ...]:
    """The sites as read now, but none older than the one held."""
    versions = {site.centre: site for site in held}
    return tuple(
        site if site.centre not in versions or versions[site.centre].version <= site.version else versions[site.centre]
        for site in read
    )
