"""What Prometheus is told: requests by route and status, how long they take, what is live, and the clicks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from recsys.serving.click_log import ClickLog
from recsys.serving.served import Follower

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Meters:
    """The meters of one server, in a registry of their own."""

    def __init__(self, follower: Follower, clicks: ClickLog) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(_State(follower, clicks))
        self._requests = Counter("recsys_requests", "Requests answered.", ("route", "status"), registry=self._registry)
        self._seconds = Histogram(
            "recsys_request_seconds",
            "Time from request to answer.",
            ("route",),
            buckets=SECONDS,
            registry=self._registry,
        )

    def count(self, route: str, status: int, seconds: float) -> None:
        """Count one request.

        Args:
            route: As declared, never as asked for: callers could make up any number of others.
            status: Of the answer.
            seconds: Until the answer began.
        """
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def exposition(self) -> bytes:
        """Return everything in the text format of Prometheus."""
        return generate_latest(self._registry)


class _State(Collector):
    """Reads what is live, and what was counted elsewhere, when Prometheus asks."""

    def __init__(self, follower: Follower, clicks: ClickLog) -> None:
        self._follower = follower
        self._clicks = clicks

    def collect(self) -> Iterator[Metric]:
        follower, recommender = self._follower, self._follower.served.recommender
        live = {
            "alias": recommender.alias,
            "collection": recommender.collection,
            "run": recommender.lineage.run,
            "encoder_hash": recommender.lineage.encoder_hash,
        }
        yield InfoMetricFamily("recsys_live", "What answers.", value=live)
        yield GaugeMetricFamily("recsys_items", "Items of the live collection.", value=recommender.lineage.items)
        yield CounterMetricFamily("recsys_reloads", "Moves of the alias that were followed.", value=follower.moves)
        yield CounterMetricFamily("recsys_reload_failures", "Looks at the alias that failed.", value=follower.failures)
        yield CounterMetricFamily("recsys_clicks", "Clicks on the page that were logged.", value=self._clicks.clicks)
