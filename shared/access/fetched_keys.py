"""Public keys fetched from their publisher: cached, and refreshed for an unknown key id at a limited rate."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

Jwk = Mapping[str, Any]

FETCH_SECONDS = 5.0  # short: a caller waits for the answer


@dataclass(frozen=True, slots=True)
class Pace:
    """Refresh policy, in seconds.

    ``held``: how long keys are used before they are fetched again.
    ``renewed_after``, ``retried_after``: minimum time between two fetches, after a success and after a failure.
    ``stale``: how long keys are used while the publisher does not answer; None: as ``held``.
    Unknown key ids do not increase the fetch rate: a caller can invent them.
    """

    held: float = 300.0
    renewed_after: float = 30.0
    retried_after: float = 10.0
    stale: float | None = None


class KeysUnavailableError(ConnectionError):
    """The keys cannot be fetched at the moment; ``reason`` is one word for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class FetchedKeys:
    """The keys of one publisher. ``fetch`` returns them, or raises an ``OSError``."""

    def __init__(self, fetch: Callable[[], Awaitable[Sequence[Jwk]]], pace: Pace) -> None:
        self._fetch = fetch
        self._pace = pace
        self._keys: Sequence[Jwk] = ()
        self._fetched = self._tried = float("-inf")
        self._failure = ""
        self._one = asyncio.Lock()

    async def having(self, kid: str) -> Sequence[Jwk]:
        """Return the keys; fetched if they are old or if none has this ``kid``.

        :raises KeysUnavailableError: they cannot be fetched, and the cached ones are too old or lack this ``kid``.
        """
        if self._lacks(kid) and (self._may_ask() or self._one.locked()):
            async with self._one:
                if self._lacks(kid) and self._may_ask():  # not fetched while this call waited
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
        """Fetch the keys now.

        :raises KeysUnavailableError: they cannot be fetched.
        """
        async with self._one:
            await self._try()
        if self._failure:
            raise KeysUnavailableError(self._failure)

    def put(self, keys: Sequence[Jwk]) -> None:
        """Use these keys, which were just learnt in another way."""
        self._keys, self._failure = keys, ""
        self._fetched = self._tried = monotonic()

    @property
    def age(self) -> float:
        """Seconds since the keys were last fetched or put."""
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
