"""Prometheus metrics of one service."""

import asyncio
import platform
import time
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector, generate_latest

LOOP_SECONDS = 0.5


class Metrics:
    """Creates, updates and exposes the metrics."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._exposed: set[Gauge] = set()
        # Looking a metric up by its labels costs more than counting.
        self._counted: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        labels = ("method", "route", "status")
        self.requests = Counter(
            "cleio_requests", "Requests answered, by method, route and status.", labels, registry=self.registry
        )
        self.seconds = Histogram(
            "cleio_request_seconds", "Seconds from the head of a request to the end of its answer.",
            ("method", "route"), registry=self.registry,
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
        )  # fmt: skip
        self.snapshot_age = self._gauge(
            "cleio_snapshot_age_seconds", "Seconds since the snapshot was known to be current."
        )
        self.snapshot_trials = self._gauge("cleio_snapshot_trials", "Trials in the snapshot.")
        self.snapshot_unwritten = self._gauge(
            "cleio_snapshot_unwritten_seconds",
            "Seconds since the last failed snapshot write; 0 if the last write succeeded.",
        )
        self.queue_depth = self._gauge(
            "cleio_queue_depth", "Deliveries waiting for active subscriptions, counted up to 10,000."
        )
        self.oldest_unsent = self._gauge(
            "cleio_oldest_unsent_seconds", "Seconds that the oldest due delivery has waited; 0 if none is due."
        )
        self.feed_position = self._gauge(
            "cleio_feed_position", "Sequence number of the newest entry of the service's own feed."
        )
        self.feed_read = Gauge(
            "cleio_feed_read_seconds", "Seconds since a consumed feed last answered.", ("feed",), registry=self.registry
        )
        self.lag = Gauge(
            "cleio_feed_lag_seconds",
            "Age in seconds of the newest entry of a consumed feed when it was applied.",
            ("feed",),
            registry=self.registry,
        )
        self.loop_delay = Histogram(
            "cleio_event_loop_delay_seconds", "Delay of a timer on the event loop, in seconds.", registry=self.registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
        )  # fmt: skip
        self.cards = Counter(
            "cleio_cds_cards", "Cards of CDS Hooks of which an EHR reported the outcome.", ("outcome",),
            registry=self.registry,
        )  # fmt: skip
        build = Info("cleio_build", "Version of the program and of Python.", registry=self.registry)
        build.info({"version": version("cleio"), "python": platform.python_version()})
        ProcessCollector(registry=self.registry)

    def _gauge(self, name: str, meaning: str) -> Gauge:
        """Create a gauge that is exposed only once it has a value: for other services 0 would be wrong."""
        return Gauge(name, meaning, registry=None)

    def set(self, gauge: Gauge, value: float) -> None:
        """Set a gauge, and expose it from now on."""
        gauge.set(value)
        if gauge not in self._exposed:
            self._exposed.add(gauge)
            self.registry.register(gauge)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answered request, and how long it took."""
        found = self._counted.get((method, route, status))
        if found is None:
            counter, histogram = self.requests.labels(method, route, str(status)), self.seconds.labels(method, route)
            found = self._counted[method, route, status] = counter, histogram
        found[0].inc()
        found[1].observe(seconds)

    def count_card(self, outcome: str) -> None:
        """Count a card of CDS Hooks; ``outcome``: ``accepted`` or ``overridden``."""
        self.cards.labels(outcome).inc()

    def exposition(self) -> bytes:
        return generate_latest(self.registry)

    async def watch_loop(self) -> None:
        """Measure once, over half a second, how late the event loop runs a callback that is due."""
        due = time.perf_counter() + LOOP_SECONDS
        await asyncio.sleep(LOOP_SECONDS)
        self.loop_delay.observe(max(0.0, time.perf_counter() - due))
