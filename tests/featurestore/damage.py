"""Damage to files, as a failing disk does it."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from featurestore import segments
from featurestore.errors import ImageDamaged, SegmentDamaged
from featurestore.index_files import read_index
from featurestore.looks import LOOKS, read_look_rows, read_looks
from featurestore.originals import read_image_bytes


def flip_bit(path: Path, chance: random.Random) -> int:
    """Change one bit of a file; returns the place of its byte."""
    content = bytearray(path.read_bytes())
    place = chance.randrange(len(content))
    content[place] ^= 1 << chance.randrange(8)
    path.write_bytes(content)
    return place


def flip_bit_of(path: Path, known: bytes) -> None:
    """Change one bit in the middle of bytes that a file is known to hold."""
    content = bytearray(path.read_bytes())
    content[content.index(known) + len(known) // 2] ^= 1
    path.write_bytes(content)


def contents(path: Path, kind: str) -> object:
    """All that the gallery reads of a segment. Raises SegmentDamaged, ImageDamaged."""
    if kind == segments.IMAGES:
        facts = segments.read_image_facts(path)
        rows = range(len(facts))
        ids = segments.read_image_ids(path).tolist()
        return facts, ids, [read_image_bytes(path, row) for row in rows]
    if kind == segments.FEATURES:
        features = segments.read_features(path)
        arrays = (features.image_ids, features.written_at, features.ssd, features.nlp)
        rows_alone = segments.read_feature_rows(path)
        return [array.tobytes() for array in (*arrays, *rows_alone)]
    if kind == segments.DELETIONS:
        return segments.read_deletions(path).tolist()
    if kind == segments.EDITS:
        return segments.read_edits(path)
    if kind == LOOKS:
        looks = read_looks(path)
        classes = (looks.class_ids, looks.class_scores)
        columns = (looks.image_ids, looks.written_at, looks.embedding, *classes)
        return [column.tobytes() for column in (*columns, *read_look_rows(path))]
    read_index(path)
    return "an index, whose arrays carry no checksum of HDF5's"


def read_each_flipped(
    whole: Path, kind: str, folder: Path, places: Sequence[int]
) -> Iterator[tuple[int, str]]:
    """(place, what came of it) for copies of a segment with one changed bit in each place.

    Copies are named by their digest, so that nothing but what is in them shows the damage.
    """
    chance = random.Random(whole.name)
    content = whole.read_bytes()
    expected = contents(whole, kind)
    time = whole.name.partition("-")[0]
    for place in places:
        flipped = bytearray(content)
        flipped[place] ^= 1 << chance.randrange(8)
        path = folder / f"{time}-{hashlib.sha256(flipped).hexdigest()[:32]}.h5"
        path.write_bytes(flipped)
        try:
            yield place, "same" if contents(path, kind) == expected else "different"
        except (SegmentDamaged, ImageDamaged):
            yield place, "damaged"
        path.unlink()
