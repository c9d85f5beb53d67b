"""`/metrics`: figures for Prometheus, of this process and of the installation."""

from collections.abc import Iterator

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from db.store import Store
from webapp.access.projects import Projects, ProjectsDep
from webapp.api.dependencies import StoreDep
from workers.operations.figures import GONE_AFTER_SECONDS, SCORE_STEPS, Figures, figures, silent_for

router = APIRouter(tags=["health"])


class Metrics:
    """The metrics of one application: how long its answers took, and what it finds when it is asked."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.latency = Histogram(
            "anomalyloop_request_seconds",
            "Time from a request to the end of its answer.",
            ("method", "route", "status"),
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10, 30),
            registry=self.registry,
        )


METRICS = Metrics()


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def get_metrics(store: StoreDep, projects: ProjectsDep) -> Response:
    """Prometheus' text format.

    Of this process: request latency by route, memory, CPU. Of the installation, read now: images by status, runs by
    state, the distribution of scores and its drift, of the projects that you see; queue lengths, workers, cache hits.
    """
    installation = CollectorRegistry()
    installation.register(_Installation(store, projects))
    body = generate_latest(METRICS.registry) + generate_latest(installation)
    return Response(body, media_type=CONTENT_TYPE_LATEST)


class _Installation(Collector):
    def __init__(self, store: Store, projects: Projects) -> None:
        self._store, self._projects = store, projects

    def describe(self) -> list[Metric]:
        """Nothing: what there is to say is found out when it is asked for."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All figures."""
        now = figures(self._store, [project.id for project in self._projects.seen()])
        yield from _project_metrics(now)
        yield from _worker_metrics(now)


def _project_metrics(now: Figures) -> Iterator[Metric]:
    images = GaugeMetricFamily("anomalyloop_images", "Images by status.", labels=("project", "status"))
    runs = GaugeMetricFamily("anomalyloop_runs", "Tuning runs by state.", labels=("project", "state"))
    scores = HistogramMetricFamily(
        "anomalyloop_scores", "Scores of the active prompts, 0–1, of all images.", labels=("project",)
    )
    drift = GaugeMetricFamily(
        "anomalyloop_score_drift",
        "Population stability index of the scores since the newest correction against those before; over 0.25: "
        "another distribution.",
        labels=("project",),
    )
    for project in now.projects:
        for status, count in project.images.items():
            images.add_metric((project.name, status), count)
        for state, count in project.runs.items():
            runs.add_metric((project.name, state), count)
        counts = [float(count) for count in project.scores_up_to]
        buckets = [(str((step + 1) / SCORE_STEPS), count) for step, count in enumerate(counts)]
        scores.add_metric((project.name,), [*buckets, ("+Inf", counts[-1])], project.scores_sum)
        if project.drift is not None:
            drift.add_metric((project.name,), project.drift)
    yield from (images, runs, scores, drift)


def _worker_metrics(now: Figures) -> Iterator[Metric]:
    reachable = GaugeMetricFamily("anomalyloop_broker_reachable", "1 where the broker told its queues' lengths.")
    reachable.add_metric((), float(now.queues is not None))
    lengths = GaugeMetricFamily("anomalyloop_queue_length", "Messages that no worker has taken.", labels=("queue",))
    for queue, length in (now.queues or {}).items():
        lengths.add_metric((queue,), length)
    workers = GaugeMetricFamily("anomalyloop_workers", "Workers that report.")
    workers.add_metric((), sum(silent_for(one) < GONE_AFTER_SECONDS for one in now.workers))
    silent = GaugeMetricFamily(
        "anomalyloop_worker_silent_seconds", "Since the last report of each worker of the last day.", labels=("worker",)
    )
    for one in now.workers:
        silent.add_metric((one.name,), silent_for(one))
    looks = CounterMetricFamily(
        "anomalyloop_feature_cache", "Looks for an image's features.", labels=("process", "outcome")
    )
    for process, (hits, misses) in now.cache.items():
        looks.add_metric((process, "hit"), hits)
        looks.add_metric((process, "miss"), misses)
    yield from (reachable, lengths, workers, silent, looks)
