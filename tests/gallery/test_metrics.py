"""`/metrics`: what Prometheus's own parser reads from it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from gallery.metrics import SEARCH_KINDS
from gallery.models import Image
from tests.gallery.broken_database import broken_database

Metrics = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scrape(client: Client) -> Metrics:
    """Value by name and labels, of all samples."""
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
    }


def value(metrics: Metrics, name: str, **labels: str) -> float:
    return metrics.get((name, tuple(sorted(labels.items()))), 0.0)


def test_it_counts_requests_by_view_and_status(
    client: Client, gallery_data: Path, db: None
) -> None:
    before = scrape(client)
    client.get("/photos/")
    client.get("/photos/7/")
    client.get("/no-such-address")
    client.generic("PROPFIND", "/photos/")
    after = scrape(client)
    for method, view, status in (
        ("GET", "photos", "200"),
        ("GET", "photo", "404"),
        ("GET", "", "404"),
        ("other", "photos", "405"),
    ):
        labels = {"method": method, "view": view, "status": status}
        counted = [value(found, "gallery_requests_total", **labels) for found in (before, after)]
        assert counted[1] == counted[0] + 1, labels


def test_it_tells_how_long_searches_take(client: Client, packaged_photos: dict[str, int]) -> None:
    before = scrape(client)
    client.get("/search?q=kitten")
    client.get("/api/v1/search?q=kitten")
    after = scrape(client)
    counts = [
        value(found, "gallery_search_seconds_count", kind="text") for found in (before, after)
    ]
    assert counts[1] == counts[0] + 2
    seconds = [value(found, "gallery_search_seconds_sum", kind="text") for found in (before, after)]
    assert 0 < seconds[1] - seconds[0] < 60


def test_every_search_that_it_times_has_an_address() -> None:
    names = set(view_names(get_resolver()))
    assert set(SEARCH_KINDS) <= names


def view_names(resolver: URLResolver, prefix: str = "") -> list[str]:
    names = []
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            names.append(f"{prefix}{pattern.name}")
        else:
            names += view_names(pattern, f"{prefix}{pattern.namespace}:")
    return names


def test_it_tells_the_state_of_photos_and_of_the_queue(
    client: Client, packaged_photos: dict[str, int], settings: Settings
) -> None:
    (settings.UNFINISHED_DIR / "anybody").mkdir(parents=True)
    (settings.UNFINISHED_DIR / "anybody" / "half.part").write_bytes(bytes(5000))
    Image.objects.filter(pk=packaged_photos["chelsea"]).update(
        state=Image.State.RECEIVED, uploaded_at=timezone.now() - timedelta(minutes=5)
    )
    Image.objects.filter(pk=packaged_photos["coffee"]).update(state=Image.State.FAILED)
    metrics = scrape(client)
    assert value(metrics, "gallery_database_up") == 1
    assert value(metrics, "gallery_photos", state="ready") == 4
    assert value(metrics, "gallery_photos", state="failed") == 1
    assert value(metrics, "gallery_queue_photos") == 1
    assert value(metrics, "gallery_queue_oldest_seconds") == pytest.approx(300, abs=30)
    assert value(metrics, "gallery_store_bytes") > 100_000
    assert value(metrics, "gallery_unfinished_bytes") == 5000
    assert value(metrics, "gallery_disk_free_bytes") > 0


def test_it_tells_the_rate_of_ingestion_and_failures_of_all_workers(
    client: Client, gallery_data: Path, db: None
) -> None:
    now = timezone.now()
    for passed, ready in ((5, 32), (50, 28), (90, 1000)):
        task_that_ended(now - timedelta(seconds=passed), TaskResultStatus.SUCCESSFUL, ready)
    task_that_ended(now, TaskResultStatus.FAILED, None)
    metrics = scrape(client)
    assert value(metrics, "gallery_ingest_photos_per_second") == 1.0
    assert value(metrics, "gallery_failed_tasks") == 1


def task_that_ended(at: datetime, status: TaskResultStatus, result: int | None) -> None:
    DBTaskResult.objects.create(
        task_path="gallery.tasks.ingest_received",
        args_kwargs={"args": [], "kwargs": {}},
        backend_name="default",
        status=status,
        finished_at=at,
        return_value=result,
    )


def test_it_answers_without_a_database_and_says_so(
    client: Client, gallery_data: Path, db: None
) -> None:
    with broken_database():
        metrics = scrape(client)
    assert metrics["gallery_database_up", ()] == 0
    assert ("gallery_queue_photos", ()) not in metrics
    assert value(metrics, "gallery_disk_free_bytes") > 0
