"""Makes spool, catalogue and store agree again after whatever was killed."""

from __future__ import annotations

from django.core.management import call_command
from django.utils import timezone

from gallery import components
from gallery.models import Image
from gallery.originals import delete_images
from gallery.tasks import schedule_ingestion

# An upload is under way for minutes at the most; older files without a row are leftovers.
ABANDONED_SECONDS = 3600.0


def agree_after_crash() -> None:
    """End what killed processes began; run when a worker starts."""
    store = components.store()
    store.sweep()
    deleted = store.deleted_ids().tolist()
    delete_images(Image.objects.filter(pk__in=deleted))
    owned = Image.objects.exclude(spool_name="").values_list("spool_name", flat=True)
    components.spool().sweep(owned, older_than_seconds=ABANDONED_SECONDS)
    call_command("prune_db_task_results", verbosity=0)
    schedule_ingestion(timezone.now())
