"""Merges small segments and leaves out what is deleted or superseded.

Nothing waits for it: it writes new segments beside the old ones, and only then removes those.
Killed in between, it leaves rows twice, which readers take once, and the next run removes. A merged
segment takes the time of its newest source, so that whatever is written meanwhile stays newer.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from featurestore import looks, segment_file, segments
from featurestore.durable import fsync_folder
from featurestore.errors import (
    CompactionRuns,
    ImageDamaged,
    SegmentDamaged,
    SegmentUnavailable,
)
from featurestore.looks import LookFeatures
from featurestore.originals import read_image_bytes
from featurestore.segment_rows import SegmentRows
from featurestore.segments import Edit, Features, StoredImage
from featurestore.store import FeatureStore

# A merged segment is about this large: few files, and little to write again for one deletion.
TARGET_BYTES = 64 * 1024 * 1024
# So many small segments are worth a merge.
ENOUGH_SEGMENTS = 8

# At most so many bytes are merged in one run, since sources and merges lie on the disk together.
RUN_BYTES = 1024 * 1024 * 1024

_Merge = Callable[[Sequence[SegmentRows], int], Path]
_Find = Callable[[Collection[Path]], list[SegmentRows]]


@dataclass
class Compaction:
    """What a run did."""

    merged: int = 0
    """Segments that were replaced."""
    written: int = 0
    """Segments that replace them."""
    bytes_read: int = 0
    bytes_written: int = 0
    damaged: list[Path] = field(default_factory=list)
    """Segments left as they are, for `check_store`."""
    unfinished: bool = False
    """Whether there is more for another run."""


@contextmanager
def compaction_lock(folder: Path, *, wait: bool = False) -> Iterator[None]:
    """Keep segments from being removed. Raises CompactionRuns where another process holds it."""
    with (folder / "compaction.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CompactionRuns() from error
        yield


def compact(
    store: FeatureStore,
    *,
    everything: bool = False,
    before_removal: Callable[[Collection[Path]], object] = lambda paths: None,
) -> Compaction:
    """Merge small segments and drop dead rows.

    Args:
        everything: merge even a few small segments.
        before_removal: told which segments are about to be removed, so that nothing points to them.

    Raises CompactionRuns, or OSError (a full disk), after which all rows are still there.
    """
    report = Compaction()
    merged: list[Path] = []
    written: set[Path] = set()
    with compaction_lock(store.folder):
        kinds: list[tuple[_Find, _Merge]] = [
            (store.image_segments, _merge_images),
            *(
                (partial(store.feature_segments, model_id), _feature_merger(model_id))
                for model_id in store.model_ids()
            ),
            *(
                (store.looks(model_id).segments, _look_merger(model_id))
                for model_id in store.look_model_ids()
            ),
            (store.edit_segments, _merge_edits),
            (store.deletion_segments, _merge_deletions),
        ]
        for find, merge in kinds:
            for group in _sound_groups(report, find, everything):
                if report.bytes_read > RUN_BYTES and not everything:
                    report.unfinished = True
                    break
                sources, result = _merge_group(report, group, merge)
                merged += sources
                written |= result
        # After a kill, a source of one group may be the very merge of another, written before.
        superfluous = [path for path in merged if path not in written]
        before_removal(superfluous)
        for path in superfluous:
            path.unlink(missing_ok=True)
        for folder in {path.parent for path in superfluous}:
            fsync_folder(folder)
    return report


def _sound_groups(report: Compaction, find: _Find, everything: bool) -> list[list[SegmentRows]]:
    """Segments to merge into one each, none of which has changed on disk.

    A changed segment could take the place of a sound one: where rows are superseded, all segments
    are looked at, and which rows count is found anew without the changed ones.
    """
    while True:
        found = find(report.damaged)
        groups = _groups(found, everything)
        chosen = [rows for group in groups for rows in group]
        if any(rows.superseded for rows in chosen):
            chosen = found
        damaged = [rows.path for rows in chosen if not _is_sound(rows.path)]
        if not damaged:
            return groups
        report.damaged += damaged


def _is_sound(path: Path) -> bool:
    try:
        segment_file.check_digest(path)
    except (SegmentDamaged, OSError):
        return False
    return True


def _merge_group(
    report: Compaction, group: list[SegmentRows], merge: _Merge
) -> tuple[list[Path], set[Path]]:
    """Write one segment for a group; returns its sources, and that segment if any row counts."""
    live = [rows for rows in group if len(rows.live)]
    newest = max(segment_file.time_ns_of(rows.path.name) for rows in group)
    try:
        written = {merge(live, newest)} if live else set()
    except (SegmentDamaged, SegmentUnavailable, ImageDamaged) as error:
        # Its name says that it is whole, so the group is left to `check_store` or to another run.
        report.damaged.append(error.path)
        return [], set()
    for path in written:
        report.written += 1
        report.bytes_written += path.stat().st_size
    report.merged += len(group)
    report.bytes_read += sum(rows.size for rows in group)
    return [rows.path for rows in group], written


def _groups(found: Sequence[SegmentRows], everything: bool) -> list[list[SegmentRows]]:
    """Segments to merge into one each."""
    dead = [rows for rows in found if len(rows.live) < rows.count]
    small = [
        rows for rows in found if len(rows.live) == rows.count and rows.size < TARGET_BYTES / 2
    ]
    if len(small) + len(dead) < (2 if everything else ENOUGH_SEGMENTS):
        small = []
    groups: list[list[SegmentRows]] = []
    total = 0
    for rows in sorted([*dead, *small], key=lambda rows: rows.path.name):
        if not groups or total + rows.size > TARGET_BYTES:
            groups.append([])
            total = 0
        groups[-1].append(rows)
        total += rows.size
    # A segment alone without a dead row would only be copied.
    return [group for group in groups if len(group) > 1 or len(group[0].live) < group[0].count]


def _merge_images(sources: Sequence[SegmentRows], time_ns: int) -> Path:
    images: list[StoredImage] = []
    for source in sources:
        facts = segments.read_image_facts(source.path)
        for row in source.live.tolist():
            images.append(facts[row].with_data(read_image_bytes(source.path, row)))
    # By rising id, as the view maps them: neighbours stay neighbours.
    images.sort(key=lambda image: image.image_id)
    return segments.write_images(sources[0].path.parent, images, time_ns=time_ns)


def _feature_merger(model_id: str) -> _Merge:
    def merge(sources: Sequence[SegmentRows], time_ns: int) -> Path:
        features = Features.concatenated(
            [segments.read_features(source.path).take(source.live) for source in sources]
        )
        features = features.take(np.argsort(features.image_ids))
        return segments.write_features(sources[0].path.parent, model_id, features, time_ns=time_ns)

    return merge


def _look_merger(model_id: str) -> _Merge:
    def merge(sources: Sequence[SegmentRows], time_ns: int) -> Path:
        found = LookFeatures.concatenated(
            [looks.read_looks(source.path).take(source.live) for source in sources]
        )
        found = found.take(np.argsort(found.image_ids))
        return looks.write_looks(sources[0].path.parent, model_id, found, time_ns=time_ns)

    return merge


def _merge_edits(sources: Sequence[SegmentRows], time_ns: int) -> Path:
    edits: list[Edit] = []
    for source in sources:
        found = segments.read_edits(source.path)
        edits.extend(found[row] for row in source.live.tolist())
    return segments.write_edits(sources[0].path.parent, edits, time_ns=time_ns)


def _merge_deletions(sources: Sequence[SegmentRows], time_ns: int) -> Path:
    ids = np.unique(np.concatenate([segments.read_deletions(source.path) for source in sources]))
    return segments.write_deletions(sources[0].path.parent, ids, time_ns=time_ns)
