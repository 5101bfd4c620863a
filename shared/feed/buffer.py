"""The newest entries of a feed in memory, decoded once for all readers of this process.

One task fills the buffer after each commit and wakes the waiting readers in small groups, so that a write with many
readers never occupies the event loop for long. The buffer contains all entries: `Reader.sees` decides what a reader
gets. Entries older than the buffer come from the database, in pages, with the caller's own rights.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter

from shared.feed.changes import Reader, Visibility
from shared.feed.encoding import encode_event
from shared.feed.log import Entry, FeedLog, Position
from shared.persistence import Database
from shared.tasks import BackgroundTasks
from shared.values.problems import DatabaseUnavailableError

# Entries kept in memory: a few kilobytes each.
CAPACITY = 5_000
# One answer inspects at most this many entries, however few of them its reader sees.
MAX_INSPECTED = 5_000
# Entries decoded, and readers woken, before other work of the event loop gets its turn.
PAGE = 500
WOKEN_AT_ONCE = 20
MAX_ANSWER_BYTES = 16 * 1024 * 1024
_SEQ = attrgetter("seq")


@dataclass(frozen=True)
class FeedQuery:
    """What one reader asks for. Equal queries at the same position get the same bytes.

    ``limit``: the greatest number of events. ``with_routing``: for services (see `encode_event`).
    """

    reader: Reader
    limit: int
    with_routing: bool = False

    @cached_property
    def key(self) -> Hashable:
        """A key that equal queries share."""
        reader = self.reader
        return reader.audiences, frozenset(reader.wanted.items()), reader.types, self.limit, self.with_routing


@dataclass(frozen=True, slots=True)
class Batch:
    """A CloudEvents batch: its JSON, the number of its events, and the position where the next one begins."""

    body: bytes
    count: int
    at: Position


class _Scan:
    """Collects the events that a query sees, up to its limit."""

    def __init__(self, query: FeedQuery, source: str, at: Position) -> None:
        self._query, self._source = query, source
        self.generation, self.seq = at.generation, at.seq
        self.left = MAX_INSPECTED
        self.events: list[bytes] = []

    @property
    def is_done(self) -> bool:
        """Whether the answer is complete, even if there are more entries."""
        return not self.left or len(self.events) >= self._query.limit

    def inspect(self, entries: Sequence[Entry], start: int = 0) -> bool:
        """Inspect the entries from index ``start`` on; return whether all of them were."""
        query, source, events = self._query, self._source, self.events
        sees, limit, with_routing = query.reader.sees, query.limit, query.with_routing
        end = min(len(entries), start + self.left)
        index = start
        while index < end and len(events) < limit:
            entry = entries[index]
            seen = sees(entry.type, entry.before, entry.after)
            if seen is not Visibility.NOTHING:
                tombstone = seen is Visibility.TOMBSTONE
                events.append(encode_event(entry, source, tombstone=tombstone, with_routing=with_routing))
            index += 1
        if index > start:
            self.left -= index - start
            self.seq = entries[index - 1].seq
        return index == len(entries)

    def batch(self) -> Batch:
        """What was collected so far."""
        body = b"[" + b",".join(self.events) + b"]"
        return Batch(body, len(self.events), Position(self.generation, self.seq))


class FeedBuffer:
    """The newest entries of one feed, and the readers that wait for more."""

    def __init__(self, database: Database, log: FeedLog, source: str, capacity: int = CAPACITY) -> None:
        """``source``: of the CloudEvents, a URI; ``capacity``: the greatest number of entries kept."""
        self._database, self._log, self._source, self._capacity = database, log, source, capacity
        # All entries after number `_floor` up to the newest one known, `_head`.
        self._entries: list[Entry] = []
        self._generation, self._floor, self._head = 0, 0, 0
        self._revision: int | None = None
        self._compactions = log.compactions
        self._reading = asyncio.Lock()
        self._begun = self._completed = 0
        self._waiting: dict[asyncio.Future[None], None] = {}
        self._woken_at = Position(0, 0)
        # Answers that are valid until the buffer changes, shared by readers with the same query and position.
        self._answers: dict[Hashable, Batch] = {}
        self._answer_bytes = 0

    def start(self, tasks: BackgroundTasks) -> None:
        """Follow the commits in the background."""
        tasks.repeat(self.follow, "follow_feed")

    @property
    def position(self) -> Position:
        """The newest position known; call `refresh` first."""
        return Position(self._generation, self._head)

    async def follow(self) -> None:
        """Fill the buffer, wake the waiting readers, and wait for the next commit.

        :raises DatabaseUnavailableError: the server cannot be reached; waiting readers get the same error.
        """
        committed = self._database.committed
        if not self._database.closing:
            try:
                await self.refresh()
            except DatabaseUnavailableError as error:
                self._refuse_waiting(error)
                raise
        if self._database.closing or self._woken_at != self.position:
            await self._wake()
        await committed.wait()

    async def refresh(self) -> None:
        """Fill the buffer with everything that was committed before this call.

        :raises DatabaseUnavailableError: the server cannot be reached.
        """
        if self._is_current():
            return
        begun = self._begun
        async with self._reading:
            # Another caller may have read meanwhile: one read serves all that waited for it.
            if self._completed <= begun and not self._is_current():
                self._begun += 1
                await self._fill()
                self._completed = self._begun

    def _is_current(self) -> bool:
        # Other processes write to PostgreSQL too, so only a read shows what is committed there.
        return (
            self._database.is_sqlite
            and self._database.revision.current() == self._revision
            and self._log.compactions == self._compactions
        )

    async def _fill(self) -> None:
        while True:
            revision = self._database.revision.current()  # before anything is read
            async with self._database.read(as_service=True) as connection:
                newest = await self._log.position(connection)
                if not self._continues_to(newest):
                    self._restart(newest)
                entries = []
                if newest.seq > self._head:
                    entries = await self._log.read(connection, self._head, PAGE, last=newest.seq)
            self._append(entries, newest.seq if len(entries) < PAGE else entries[-1].seq)
            if self._head == newest.seq:
                self._revision = revision
                return
            await asyncio.sleep(0)

    def _continues_to(self, newest: Position) -> bool:
        """Whether the buffer can go on: no restore or compaction, and no more new entries than it can contain."""
        return (
            newest.generation == self._generation
            and 0 <= newest.seq - self._head <= self._capacity
            and self._log.compactions == self._compactions
        )

    def _restart(self, newest: Position) -> None:
        self._entries, self._compactions = [], self._log.compactions
        self._generation = newest.generation
        self._floor = self._head = max(0, newest.seq - self._capacity)
        self._answers, self._answer_bytes = {}, 0

    def _append(self, entries: Sequence[Entry], head: int) -> None:
        if head == self._head:
            return
        for entry in entries:  # parsed here, in pages, and not by the first reader
            entry.before, entry.after  # noqa: B018
        self._entries += entries
        self._head = head
        self._answers, self._answer_bytes = {}, 0
        excess = len(self._entries) - self._capacity
        if excess > 0:
            self._floor = self._entries[excess - 1].seq
            del self._entries[:excess]

    async def next(self, query: FeedQuery, at: Position, seconds: float = 0) -> Batch:
        """Return the batch after ``at``; if that is the end, wait up to ``seconds`` for a batch with an event.

        An empty batch may end before the newest entry: then its reader goes on at once. ``at`` must be a position of
        the generation of `position`, after `refresh`.

        :raises DatabaseUnavailableError, DatabaseBusyError: the database could not be read.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            batch = await self._answer(query, at)
            remaining = deadline - asyncio.get_running_loop().time()
            at_end = batch.at == self.position
            if batch.count or not at_end or remaining <= 0 or self._database.closing:
                return batch
            at = batch.at
            await self._wait(remaining)

    async def _answer(self, query: FeedQuery, at: Position) -> Batch:
        key = at, query.key
        found = self._answers.get(key)
        if found is not None:
            return found
        scan, answers = _Scan(query, self._source, at), self._answers
        while scan.seq < self._floor and scan.generation == self._generation and not scan.is_done:
            await self._inspect_page(scan, min(query.limit, PAGE) if scan.seq == at.seq else PAGE)
        if scan.generation == self._generation and scan.seq >= self._floor:
            start = bisect_right(self._entries, scan.seq, key=_SEQ)
            if scan.inspect(self._entries, start):
                scan.seq = self._head
        batch = scan.batch()
        if answers is self._answers:
            self._keep(key, batch)
        return batch

    async def _inspect_page(self, scan: _Scan, size: int) -> None:
        """Inspect one page from the database, up to the oldest entry of the buffer."""
        floor = self._floor
        async with self._database.read() as connection:
            found = await self._log.read(connection, scan.seq, size, last=floor)
        # The database may hide entries by itself: a page that is not full reaches to the end of what was asked for.
        if scan.inspect(found) and len(found) < size:
            scan.seq = floor
        await asyncio.sleep(0)

    def _keep(self, key: Hashable, batch: Batch) -> None:
        self._answer_bytes += len(batch.body)
        if self._answer_bytes > MAX_ANSWER_BYTES:
            self._answers, self._answer_bytes = {}, len(batch.body)
        self._answers[key] = batch

    async def _wait(self, seconds: float) -> None:
        """Wait until the buffer changes, at most ``seconds``.

        :raises DatabaseUnavailableError: the server cannot be reached, so no change would be seen.
        """
        loop = asyncio.get_running_loop()
        change = loop.create_future()
        self._waiting[change] = None
        timer = loop.call_later(seconds, _settle, change)
        try:
            await change
        finally:
            timer.cancel()
            self._waiting.pop(change, None)

    async def _wake(self) -> None:
        self._woken_at = self.position
        waiting, self._waiting = list(self._waiting), {}
        for start in range(0, len(waiting), WOKEN_AT_ONCE):
            for change in waiting[start : start + WOKEN_AT_ONCE]:
                _settle(change)
            await asyncio.sleep(0)

    def _refuse_waiting(self, cause: Exception) -> None:
        waiting, self._waiting = self._waiting, {}
        for change in waiting:
            if not change.done():
                error = DatabaseUnavailableError()
                error.__cause__ = cause
                change.set_exception(error)


def _settle(change: "asyncio.Future[None]") -> None:
    if not change.done():
        change.set_result(None)
