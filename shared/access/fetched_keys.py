"""Public keys that another publishes: fetched by one caller for all, held for a while, renewed for an unknown kid, never asked in a hurry."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

Jwk = Mapping[str, Any]

FETCH_SECONDS = 5.0  # somebody waits for the answer


@dataclass(frozen=True, slots=True)
class Pace:
    """In seconds: how long keys serve without being seen again, and how soon others are asked for after an answer and after none.

    ``stale``: how long they serve where nobody answers; None: no longer than otherwise.
    An unknown kid, which anybody can write, makes nobody be asked more often.
    """

    held: float = 300.0
    renewed_after: float = 30.0
    retried_after: float = 10.0
    stale: float | None = None


class KeysUnavailableError(ConnectionError):
    """No keys can be had at the moment; ``reason`` is one word for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class FetchedKeys:
    """The keys of one place. ``fetch`` brings them, or raises an ``OSError``."""

    def __init__(self, fetch: Callable[[], Awaitable[Sequence[Jwk]]], pace: Pace) -> None:
        self._fetch = fetch
        self._pace = pace
        self._keys: Sequence[Jwk] = ()
        self._fetched = self._tried = float("-inf")
        self._failure = ""
        self._one = asyncio.Lock()

    async def having(self, kid: str) -> Sequence[Jwk]:
        """The keys of now; fetched where they are old, or where none is called ``kid``.

        :raises KeysUnavailableError: nobody can tell at the moment: the last ones are too old, or ``kid`` could be among newer ones.
        """
        if self._lacks(kid) and (self._may_ask() or self._one.locked()):
            async with self._one:
                if self._lacks(kid) and self._may_ask():  # nobody fetched while this one waited
                    await self._try()
        if (
            self._failure
            and self._lacks(kid)
            and not (
                self._knows(kid) and self.age <= (self._pace.held if self._pace.stale is None else self._pace.stale)
            )
        ):
            raise KeysUnavailableError(self._failure)
        return self._keys

    async def renew(self) -> None:
        """Fetch them now.

        :raises KeysUnavailableError: they are not to be had.
        """
        async with self._one:
            await self._try()
        if self._failure:
            raise KeysUnavailableError(self._failure)

    def put(self, keys: Sequence[Jwk]) -> None:
        """They were just learnt in another way."""
        self._keys, self._failure = keys, ""
        self._fetched = self._tried = monotonic()

    @property
    def age(self) -> float:
        """Seconds since they were last seen."""
        return monotonic() - self._fetched

    def _knows(self, kid: str) -> bool:
        return any(key.get("kid") == kid for key in self._keys)

    def _lacks(self, kid: str) -> bool:
        return self.age > self._pace.held or not self._knows(kid)

    def _may_ask(self) -> bool:
        return monotonic() - self._tried >= (self._pace.retried_after if self._failure else self._pace.renewed_after)

    async def _try(self) -> None:
        self._tried, self._failure = monotonic(), "key_set_unanswered"
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                self._keys = await self._fetch()
            self._fetched, self._failure = monotonic(), ""
        except KeysUnavailableError as error:
            self._failure = error.reason
        except TimeoutError:
            self._failure = "key_set_timed_out"
        except OSError:
            self._failure = "key_set_unanswered"
