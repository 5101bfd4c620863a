"""Keeps the index of trials current: fills it at start, and then follows the feed.

A search waits until everything is in the index that was committed before it: it finds what its caller has just written.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping
from typing import Final

from services.registry.search.documents import CentreFacts, Documents, TrialFacts, TrialPlaces
from services.registry.search.index import TrialIndex, View, any_term
from services.registry.search.vocabulary import vocabulary
from services.registry.terminology.phrases import words
from services.registry.terminology.terminology import Terminology
from services.registry.trials.listing.repository import IndexRepository
from services.registry.trials.problems import IndexStartingError
from shared.feed.log import Position
from shared.persistence import Database
from shared.tasks import BackgroundTasks
from shared.vocabulary.identifiers import is_trial_id, trial_id, trial_number

logger = logging.getLogger(__name__)

TOGETHER: Final = 500
# Changes that nothing asks for yet are put into the index in groups: each group costs a commit of the index.
BETWEEN_COMMITS: Final = 1.0
# Below the ten seconds that a request may take.
START_WAIT: Final = 8.0


class IndexFollower:
    """The index of one process, and the position of the feed up to which it is complete."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._index = TrialIndex()
        self._places: Mapping[int, TrialPlaces] = {}
        self._position: Position | None = None
        self._revision: int | None = None
        self._filled = asyncio.Event()
        self._reading = asyncio.Lock()

    def use(self, terminology: Terminology) -> None:
        """Index by this terminology. Called before the first search; later the index is filled anew."""
        self._terminology = terminology
        self._documents = Documents(terminology, {})
        self._position = self._revision = None

    def start(self, tasks: BackgroundTasks) -> None:
        """Fill the index and follow the feed in the background."""
        tasks.repeat(self.follow, "index_trials")

    @property
    def centres(self) -> dict[str, CentreFacts]:
        """The centres by id, as of the last `current`."""
        return dict(self._documents.centres)

    @property
    def position(self) -> Position | None:
        """The position of the feed up to which the index is complete; None: before it is filled."""
        return self._position

    @property
    def places(self) -> Mapping[int, TrialPlaces]:
        """Where trials take place, by their numbers, as of the last `current`; without those that have no site."""
        return self._places

    async def follow(self) -> None:
        """Bring the index up to date, then wait for the next commit."""
        committed = self._database.committed
        await self._update()
        await committed.wait()
        await asyncio.sleep(BETWEEN_COMMITS)

    async def current(self) -> View:
        """Return the index with everything that was committed before this call.

        :raises IndexStartingError: 503, it is still being filled after the start.
        :raises DatabaseUnavailableError: 503, the server cannot be reached.
        """
        if not self._filled.is_set():
            try:
                await asyncio.wait_for(self._filled.wait(), START_WAIT)
            except TimeoutError:
                raise IndexStartingError from None
        await self._update()
        return self._index.view

    async def _update(self) -> None:
        if self._is_current():
            return
        async with self._reading:
            # Another caller may have read meanwhile: one read serves all that waited for it.
            if self._is_current():
                return
            revision = self._database.revision.current()  # before anything is read
            async with self._database.read(as_service=True) as connection:
                newest = await IndexRepository(connection).position()
            if self._position is None or newest.generation != self._position.generation:
                await self._fill()
            elif newest.seq > self._position.seq:
                await self._apply(self._position.seq, newest.seq)
            self._position, self._revision = newest, revision
            self._filled.set()

    def _is_current(self) -> bool:
        # On PostgreSQL None: a change of another replica may have been missed, so the database is read.
        revision = self._database.revision.current()
        return revision is not None and revision == self._revision

    async def _fill(self) -> None:
        """Make a new index of all trials; the present one answers until it is complete."""
        index, number, places = TrialIndex(), 0, dict[int, TrialPlaces | None]()
        await asyncio.to_thread(_warm_up, self._terminology)
        async with self._database.read(as_service=True) as connection:
            documents = Documents(self._terminology, await IndexRepository(connection).centres())
        while True:
            async with self._database.read(as_service=True) as connection:
                facts = await IndexRepository(connection).after(number, TOGETHER)
            if not facts:
                break
            number = facts[-1].number
            places |= await asyncio.to_thread(_put, index, documents, facts)
        await asyncio.to_thread(index.commit)
        self._index, self._documents, self._places = index, documents, _known(places)

    async def _apply(self, after: int, last: int) -> None:
        """Put into the index what the entries of the feed up to number ``last`` name."""
        places = dict[int, TrialPlaces | None](self._places)
        while after < last:
            async with self._database.read(as_service=True) as connection:
                repository = IndexRepository(connection)
                subjects, after = await repository.changed(after, last, TOGETHER)
                keys = {parts[1] for one in subjects if (parts := one.split("/"))[0] in {"trial", "site"}}
                # A decision on a trial may be about its owner alone.
                keys |= {one.partition(":")[2] for one in subjects if one.startswith("review/")}
                centres = {one.partition("/")[2] for one in subjects if one.startswith("centre/")}
                if centres:
                    self._documents = Documents(self._terminology, await repository.centres())
                    keys |= await repository.of_centres(centres)
            places |= await self._put_all(keys)
        await asyncio.to_thread(self._index.commit)
        self._places = _known(places)

    async def _put_all(self, keys: set[str]) -> dict[int, TrialPlaces | None]:
        places = dict[int, TrialPlaces | None]()
        listed = sorted(keys)
        while listed:
            async with self._database.read(as_service=True) as connection:
                facts = await IndexRepository(connection).of_keys(listed[:TOGETHER])
            gone = {key for key in listed[:TOGETHER] if is_trial_id(key)} - {one.document["id"] for one in facts}
            places |= await asyncio.to_thread(_put, self._index, self._documents, facts, gone)
            del listed[:TOGETHER]
            # A former number of another trial may be theirs now.
            named = any_term("alias", {alias for one in facts for alias in one.aliases})
            owners = {trial_id(hit.number) for hit in self._index.view.page(named, [], "by_updated", None, TOGETHER)}
            listed += sorted(owners - keys)
            keys |= owners
        return places


def _put(
    index: TrialIndex, documents: Documents, facts: Collection[TrialFacts], gone: Collection[str] = frozenset()
) -> dict[int, TrialPlaces | None]:
    """Put trials into the index, without those that are ``gone``; return where they take place, by number.

    One that cannot be read is left out.
    """
    index.remove(gone)
    places: dict[int, TrialPlaces | None] = {trial_number(key): None for key in gone}
    for one in facts:
        try:
            fields, places[one.number] = documents.of(one), documents.places_of(one)
        except (KeyError, ValueError):
            logger.exception("trial %s cannot be indexed", trial_id(one.number))
            index.remove([trial_id(one.number)])
        else:
            index.put([fields])
    return places


def _known(places: Mapping[int, TrialPlaces | None]) -> dict[int, TrialPlaces]:
    return {number: one for number, one in places.items() if one}


def _warm_up(terminology: Terminology) -> None:
    # The tables are made when they are first asked for, which takes a second.
    terminology.disease_phrases.find(words("x"))
    terminology.is_word("x")
    vocabulary()
