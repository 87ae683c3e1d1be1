"""How far ingestion is, and what failed and why."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Max

from gallery.models import Image

RECENT_IMAGES = 12
REASONS_SHOWN = 6
# Of each reason.
FAILURES_SHOWN = 4


@dataclass(frozen=True)
class IngestState:
    """How far ingestion is."""

    total: int
    ready: int
    waiting: int
    failed: int
    lost: int
    hold_up: str
    """Why photos wait for longer than usual: what was wrong with most of those that were tried."""

    @property
    def percent_ready(self) -> int:
        return 100 * self.ready // self.total if self.total else 100

    @property
    def retryable(self) -> int:
        """Failed ones that may still succeed: of a lost photo, nothing is left to try."""
        return self.failed - self.lost


@dataclass(frozen=True)
class FailureGroup:
    """Photos that failed for one reason."""

    reason: str
    count: int
    images: list[Image]
    """The newest of them."""
    is_lost: bool

    @property
    def more(self) -> int:
        return self.count - len(self.images)


def ingest_state() -> IngestState:
    by_state = dict(
        Image.objects.shown().order_by().values_list("state").annotate(images=Count("pk"))
    )
    tried = Image.objects.shown().received().exclude(failure="").order_by()
    reasons = tried.values_list("failure").annotate(images=Count("pk")).order_by("-images")
    lost = by_state.get(Image.State.LOST, 0)
    return IngestState(
        total=sum(by_state.values()),
        ready=by_state.get(Image.State.READY, 0),
        waiting=by_state.get(Image.State.RECEIVED, 0),
        failed=by_state.get(Image.State.FAILED, 0) + lost,
        lost=lost,
        hold_up=next((reason for reason, _ in reasons[:1]), ""),
    )


def failure_groups() -> list[FailureGroup]:
    """Failed photos by reason, the reasons of the newest first."""
    reasons = (
        Image.objects.shown()
        .failed()
        .order_by()
        .values("state", "failure")
        .annotate(images=Count("pk"), newest=Max("pk"))
        .order_by("-newest")[:REASONS_SHOWN]
    )
    return [
        FailureGroup(
            reason=reason["failure"],
            count=reason["images"],
            images=list(
                Image.objects.shown()
                .filter(state=reason["state"], failure=reason["failure"])
                .newest_first()[:FAILURES_SHOWN]
            ),
            is_lost=reason["state"] == Image.State.LOST,
        )
        for reason in reasons
    ]
