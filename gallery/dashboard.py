"""What the dashboard shows: the collection and its state in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from django.db.models import Count

from detector.labels import NAME_BY_ID
from featurestore.posting_kernels import SURE_SCORE
from gallery import components
from gallery.models import Image

COMMON_OBJECTS = 12
RECENT_IMAGES = 12
FAILURES_SHOWN = 20


@dataclass(frozen=True)
class ObjectCount:
    """In how many images a class is found."""

    name: str
    images: int
    share: int
    """Percent of the most common class."""


@dataclass(frozen=True)
class IngestState:
    """How far ingestion is."""

    total: int
    ready: int
    waiting: int
    failed: int
    hold_up: str
    """Why photos wait for longer than usual: what was wrong with most of those that were tried."""

    @property
    def percent_ready(self) -> int:
        return 100 * self.ready // self.total if self.total else 100


@dataclass(frozen=True)
class DiskUse:
    """Bytes the gallery keeps."""

    store: int
    spool: int
    thumbnails: int

    @property
    def total(self) -> int:
        return self.store + self.spool + self.thumbnails


def ingest_state() -> IngestState:
    by_state = dict(
        Image.objects.shown().order_by().values_list("state").annotate(images=Count("pk"))
    )
    tried = Image.objects.shown().received().exclude(failure="").order_by()
    reasons = tried.values_list("failure").annotate(images=Count("pk")).order_by("-images")
    return IngestState(
        total=sum(by_state.values()),
        ready=by_state.get(Image.State.READY, 0),
        waiting=by_state.get(Image.State.RECEIVED, 0),
        failed=by_state.get(Image.State.FAILED, 0) + by_state.get(Image.State.LOST, 0),
        hold_up=next((reason for reason, _ in reasons[:1]), ""),
    )


def common_objects() -> list[ObjectCount]:
    """The classes found in most images, most first."""
    counts = components.index().images_per_class(SURE_SCORE)
    most = np.argsort(-counts, kind="stable")[:COMMON_OBJECTS]
    return [
        ObjectCount(
            NAME_BY_ID[int(class_id)],
            int(counts[class_id]),
            round(100 * int(counts[class_id]) / int(counts.max())),
        )
        for class_id in most
        if counts[class_id]
    ]


def disk_use() -> DiskUse:
    return DiskUse(
        store=components.store().size_on_disk(),
        spool=_folder_size(components.spool().folder),
        thumbnails=_folder_size(components.thumbnails().folder),
    )


def _folder_size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue  # Moved on since the listing.
    return total
