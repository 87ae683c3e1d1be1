"""Fills a gallery with copies of the photos that it has: rows, features and small pictures.

`python -m tests.lighthouse.copies 10000`, with the gallery's environment and while it stands still.
No originals come with the copies, so such a gallery is good for looking at and for nothing else.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from datetime import timedelta

import django
import numpy as np

BATCH = 1000
A_DAY = 24
"""So many photos of each day."""


def main() -> None:
    django.setup()
    from featurestore.segments import Features, read_features
    from gallery import components
    from gallery.models import Image
    from gallery.thumbnails import Size

    store, model_id = components.store(), components.model_id()
    segments = [rows.path for rows in store.feature_segments(model_id)]
    known = Features.concatenated([read_features(path) for path in segments])
    originals = {image.pk: image for image in Image.objects.ready()}
    sources = [originals[image_id] for image_id in known.image_ids.tolist()]
    oldest = min(image.uploaded_at for image in sources)
    first_id = max(originals) + 1
    wanted = int(sys.argv[1]) - len(sources)
    for start in range(0, wanted, BATCH):
        copies = []
        numbers = np.arange(start, min(start + BATCH, wanted))
        for number in numbers.tolist():
            source = sources[number % len(sources)]
            copy = Image(
                pk=first_id + number,
                sha256=hashlib.sha256(f"{number}".encode()).hexdigest(),
                name=f"{number:05}.jpg",
                media_type=source.media_type,
                size=source.size,
                width=source.width,
                height=source.height,
                uploaded_at=oldest - timedelta(days=1 + number // A_DAY, seconds=number % A_DAY),
                state=Image.State.READY,
                preview=source.preview,
            )
            path = components.thumbnails().path(copy.sha256, Size.GRID)
            path.parent.mkdir(exist_ok=True)
            os.link(components.thumbnails().path(source.sha256, Size.GRID), path)
            copies.append(copy)
        Image.objects.bulk_create(copies)
        rows = known.take(numbers % len(sources))
        written_at = np.full(len(rows.image_ids), time.time_ns(), np.int64)
        store.append_features(
            model_id, Features(first_id + numbers, rows.ssd, rows.nlp, written_at)
        )
    store.renew_index(model_id)


if __name__ == "__main__":
    main()
