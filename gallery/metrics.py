"""What `/metrics` tells Prometheus: requests of this process, and the state of the gallery.

The web process counts its own requests. What workers do is read from the catalogue at each
scrape, so it is right however many of them there are.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Min
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gallery import components
from gallery.disk_use import unfinished_size
from gallery.models import Image

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
#: The name of a view that searches → what it searches by.
SEARCH_KINDS = {
    "search": "text",
    "api-1:search": "text",
    "photo_query": "photo",
    "api-1:search_by_photo": "photo",
    "photo_results": "layout",
    "api-1:search_by_layout": "layout",
    "similar": "similar",
    "api-1:similar": "similar",
}
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
#: The rate of ingestion is that of so many last seconds.
RATE_SECONDS = 60

# When each series began, which nobody asks for, would be half of all lines.
disable_created_metrics()  # type: ignore[no-untyped-call]  # It has no types.
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
REQUESTS = Counter(
    "gallery_requests",
    "Requests answered, by view and status.",
    ["method", "view", "status"],
    registry=REGISTRY,
)
REQUEST_SECONDS = Histogram(
    "gallery_request_seconds",
    "Time until the answer begins, by view.",
    ["view"],
    buckets=SECONDS,
    registry=REGISTRY,
)
SEARCH_SECONDS = Histogram(
    "gallery_search_seconds",
    "Time until a search is answered, by what it searches by.",
    ["kind"],
    buckets=SECONDS,
    registry=REGISTRY,
)


def count_request(method: str, view: str, status: int, seconds: float) -> None:
    """Count a request to the view of a name, "" where no view has its address."""
    known = method if method in METHODS else "other"
    REQUESTS.labels(known, view, str(status)).inc()
    REQUEST_SECONDS.labels(view).observe(seconds)
    if view in SEARCH_KINDS and status < 400:
        SEARCH_SECONDS.labels(SEARCH_KINDS[view]).observe(seconds)


def metrics_text() -> bytes:
    """All metrics in Prometheus's text format."""
    return generate_latest(REGISTRY)


class GalleryCollector(Collector):
    """Reads the state of catalogue and disk at each scrape."""

    def describe(self) -> list[Metric]:
        # Nothing is read before the first scrape, when there may be no database yet.
        return []

    def collect(self) -> Iterator[Metric]:
        try:
            catalogue = [*_photos(), *_work()]
        except DatabaseError:
            catalogue = []
        answers = float(bool(catalogue))
        yield _gauge("gallery_database_up", "Whether the catalogue could be read.", answers)
        yield from catalogue
        yield from _disk()


REGISTRY.register(GalleryCollector())


def _photos() -> Iterator[Metric]:
    photos = GaugeMetricFamily("gallery_photos", "Photos, by their state.", labels=["state"])
    for state in Image.State.values:
        photos.add_metric([state], Image.objects.shown().filter(state=state).count())
    photos.add_metric(["trashed"], Image.objects.trashed().count())
    yield photos
    waiting = Image.objects.received()
    yield _gauge("gallery_queue_photos", "Photos that wait for their features.", waiting.count())
    oldest = waiting.aggregate(oldest=Min("uploaded_at"))["oldest"]
    age = max((timezone.now() - oldest).total_seconds(), 0.0) if oldest else 0.0
    yield _gauge("gallery_queue_oldest_seconds", "How long the first of them has waited.", age)


def _work() -> Iterator[Metric]:
    now = timezone.now()
    ended = DBTaskResult.objects.filter(finished_at__gte=now - timedelta(seconds=RATE_SECONDS))
    counts = ended.filter(
        status=TaskResultStatus.SUCCESSFUL, task_path="gallery.tasks.ingest_received"
    ).values_list("return_value", flat=True)
    ready = sum(count for count in counts if isinstance(count, int))
    yield _gauge(
        "gallery_ingest_photos_per_second",
        f"Photos that became ready, over the last {RATE_SECONDS} seconds.",
        ready / RATE_SECONDS,
    )
    failed = DBTaskResult.objects.filter(status=TaskResultStatus.FAILED)
    yield _gauge(
        "gallery_failed_tasks", "Background tasks of the last day that failed.", failed.count()
    )


def _disk() -> Iterator[Metric]:
    # Only what is told by few files: thumbnails are as many as the photos.
    try:
        store = components.store().size_on_disk()
        unfinished = unfinished_size()
        free = shutil.disk_usage(settings.GALLERY_DATA).free
    except OSError:
        return
    yield _gauge("gallery_store_bytes", "Bytes of the store on disk.", store)
    yield _gauge("gallery_unfinished_bytes", "Bytes of uploads that are under way.", unfinished)
    yield _gauge("gallery_disk_free_bytes", "Free bytes on the disk of GALLERY_DATA.", free)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=value)
