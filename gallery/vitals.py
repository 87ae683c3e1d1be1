"""Storage and health as the dashboard shows them: found out quickly, or as they were lately."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from detector import DetectorError
from gallery.disk_use import disk_use
from gallery.doctor import MIN_FREE_BYTES, OVERDUE_SECONDS, Verdict
from gallery.health import check_detector
from gallery.lately import Lately
from gallery.models import Image

# Where photos are added all the time, sizes need not be those of this second.
SIZES_SECONDS = 60.0
DETECTOR_SECONDS = 20.0
PATIENCE_SECONDS = 0.04


@dataclass(frozen=True)
class Room:
    """Bytes of the disk that the gallery lies on."""

    free: int
    total: int

    @property
    def percent_used(self) -> int:
        return round(100 * (self.total - self.free) / self.total) if self.total else 0

    @property
    def verdict(self) -> Verdict:
        if self.free < max(MIN_FREE_BYTES, 2 * settings.MAX_UPLOAD_BYTES):
            return Verdict.BAD
        return Verdict.NOTE if self.free < self.total / 20 else Verdict.GOOD


@dataclass(frozen=True)
class Sign:
    """How one part is, and in a sentence why."""

    name: str
    verdict: Verdict
    sentence: str


#: None for the moment that a first look at a large gallery takes.
lately_disk_use = Lately(disk_use, keep_seconds=SIZES_SECONDS, patience_seconds=PATIENCE_SECONDS)


def room() -> Room:
    usage = shutil.disk_usage(settings.GALLERY_DATA)
    return Room(usage.free, usage.total)


def signs() -> list[Sign]:
    """Disk, detector and worker; that catalogue and store work shows by the page itself."""
    return [_disk_sign(room()), *_detector_sign(), _worker_sign()]


def _disk_sign(disk: Room) -> Sign:
    sentences = {
        Verdict.GOOD: _("There is room enough."),
        Verdict.NOTE: _("The disk is nearly full."),
        Verdict.BAD: _("The disk is full: uploads are refused before anything is lost."),
    }
    return Sign(_("Disk"), disk.verdict, sentences[disk.verdict])


def _detector_problem() -> str:
    try:
        check_detector()
    except (DetectorError, OSError, ValueError) as error:
        return str(error) or type(error).__name__
    return ""


lately_detector_problem = Lately(
    _detector_problem, keep_seconds=DETECTOR_SECONDS, patience_seconds=PATIENCE_SECONDS
)


def _detector_sign() -> Iterator[Sign]:
    problem = lately_detector_problem()
    if problem is None:
        yield Sign(_("Detector"), Verdict.NOTE, _("It has not answered yet."))
    elif problem:
        sentence = _("It does not answer. Uploads are kept, and words are searched meanwhile.")
        yield Sign(_("Detector"), Verdict.BAD, sentence)
    else:
        yield Sign(_("Detector"), Verdict.GOOD, _("It can be reached."))


def _worker_sign() -> Sign:
    overdue_at = timezone.now() - timedelta(seconds=OVERDUE_SECONDS)
    overdue = DBTaskResult.objects.filter(
        status=TaskResultStatus.READY, run_after__lte=overdue_at, enqueued_at__lte=overdue_at
    )
    if overdue.exists() or Image.objects.claimable(overdue_at).exists():
        sentence = _("Work that is due is not taken up. Start a worker, or look into its log.")
        return Sign(_("Worker"), Verdict.BAD, sentence)
    if DBTaskResult.objects.aggregate(at=Max("finished_at"))["at"] is None:
        return Sign(_("Worker"), Verdict.GOOD, _("It has had nothing to do yet."))
    return Sign(_("Worker"), Verdict.GOOD, _("No work is overdue."))
