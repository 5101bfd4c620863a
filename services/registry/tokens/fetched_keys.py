"""Public keys that others publish: fetched by one caller for all, held for a while, renewed for a kid that is not known, never asked in a hurry."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic

from shared.identity.directory import Jwk

HELD_SECONDS = 300.0
RENEWED_AFTER = 30.0  # an unknown kid, which anybody can write, makes nobody's server be asked more often
RETRIED_AFTER = 10.0  # nor does a server that failed
FETCH_SECONDS = 5.0  # somebody waits for the answer


class KeysUnavailableError(ConnectionError):
    """No keys can be had at the moment; ``reason`` is one word for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class FetchedKeys:
    """The keys of one place. ``fetch`` brings them, or raises `KeysUnavailableError`; ``stale``: so many seconds they serve while it does not."""

    def __init__(self, fetch: Callable[[], Awaitable[Sequence[Jwk]]], stale: float = HELD_SECONDS) -> None:
        self._fetch = fetch
        self.stale = stale
        self._keys: Sequence[Jwk] = ()
        self._fetched = self._tried = float("-inf")
        self._failure = ""
        self._one = asyncio.Lock()

    async def having(self, kid: str) -> Sequence[Jwk]:
        """The keys of now; fetched where they are old, or where none is called ``kid``.

        :raises KeysUnavailableError: the last ones are too old, or do not do, and no newer ones can be had.
        """
        if self._lacks(kid) and (self._may_ask() or self._one.locked()):
            async with self._one:
                if self._lacks(kid) and self._may_ask():  # nobody fetched while this one waited
                    await self._renew()
        if monotonic() - self._fetched > self.stale or (self._failure and not self._knows(kid)):
            raise KeysUnavailableError(self._failure)
        return self._keys

    def _knows(self, kid: str) -> bool:
        return any(key.get("kid") == kid for key in self._keys)

    def _lacks(self, kid: str) -> bool:
        return monotonic() - self._fetched > HELD_SECONDS or not self._knows(kid)

    def _may_ask(self) -> bool:
        return monotonic() - self._tried >= (RETRIED_AFTER if self._failure else RENEWED_AFTER)

    async def _renew(self) -> None:
        self._tried, self._failure = monotonic(), "key_set_unanswered"
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                self._keys = await self._fetch()
            self._fetched, self._failure = monotonic(), ""
        except KeysUnavailableError as error:
            self._failure = error.reason
        except TimeoutError:
            self._failure = "key_set_timed_out"
