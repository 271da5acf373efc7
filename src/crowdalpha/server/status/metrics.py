"""Gauges of the platform, read from the database when Prometheus asks."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily

from crowdalpha.server.status.service import Disk, Status

__all__ = ["render_metrics"]


def render_metrics(requests: CollectorRegistry, *, status: Status, disk: Disk) -> bytes:
    """Write the metrics of the requests of this process and of the platform, as Prometheus reads them."""
    platform = CollectorRegistry(auto_describe=False)
    platform.register(_Once(_gauges(status, disk)))
    return generate_latest(requests) + generate_latest(platform)


class _Once:
    """Hands the gauges of one scrape to a registry."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _gauges(status: Status, disk: Disk) -> list[Metric]:
    jobs = GaugeMetricFamily("crowdalpha_jobs", "Jobs by kind and state.", labels=("kind", "state"))
    for labels, count in sorted(status.jobs.items()):
        jobs.add_metric(labels, count)
    rounds = GaugeMetricFamily("crowdalpha_rounds", "Rounds by state.", labels=("state",))
    for state, count in sorted(status.rounds.items()):
        rounds.add_metric((state,), count)
    return [
        jobs,
        rounds,
        _one("crowdalpha_oldest_job_seconds", "Age of the oldest job that waits.", status.waits_s or 0.0),
        _one("crowdalpha_workers", "Workers that live.", status.workers_alive),
        _one("crowdalpha_submissions", "Submissions accepted so far.", status.submissions),
        _one("crowdalpha_clock_offset_seconds", "Clock of the database less that here.", status.clock_offset_s),
        _one("crowdalpha_disk_free_bytes", "Free space of the data folder.", disk.free),
        _one("crowdalpha_disk_bytes", "Space of the data folder.", disk.total),
    ]


def _one(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value=value)
