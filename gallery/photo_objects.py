"""The objects of one photo: what the detector found, or what people made of that."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from detector.labels import NAME_BY_ID
from featurestore.corrections import OBJECTS, Correction
from featurestore.index import Index
from featurestore.packing import FRAME_SIDE
from featurestore.posting_kernels import MOST_OBJECTS, SURE_SCORE
from featurestore.segments import Edit
from gallery import components
from gallery.drawing import DrawnBox, class_colours, drawn_box
from gallery.errors import EditConflict, EditRefused, refusing_full_disk
from gallery.layouts import Box, unit_box
from gallery.models import Image
from gallery.search import detections_of
from gallery.tasks import schedule_tending

# What a person draws is there.
CERTAIN = 1.0
# An object is the one that it was where no side has moved by more than this share of the photo's:
# numbers that have gone through a browser are rounded.
SAME_PLACE = 0.0005
SMALLEST_SIDE = 0.001
# Clocks may be set back, and the latest edit counts.
LEAST_STEP = 1e-6
VERSION_LENGTH = 16


@dataclass(frozen=True)
class PhotoObject:
    """One object in a photo."""

    class_id: int
    score: float
    """How sure the detector is, 0..1; 1 for what a person drew or changed."""
    box: Box
    by_person: bool = False

    @property
    def name(self) -> str:
        return NAME_BY_ID[self.class_id]

    @property
    def is_sure(self) -> bool:
        """Whether pages show it."""
        return self.score >= SURE_SCORE

    def is_like(self, other: PhotoObject) -> bool:
        """Whether both are one object, and of one origin."""
        return self.by_person == other.by_person and self.is_at(other)

    def is_at(self, draft: DraftObject | PhotoObject) -> bool:
        """Whether a draft is this object, unchanged."""
        return self.class_id == draft.class_id and all(
            abs(side - other) <= SAME_PLACE for side, other in zip(self.box, draft.box, strict=True)
        )


@dataclass(frozen=True)
class DraftObject:
    """An object as a person wants it to be."""

    class_id: int
    box: Box


@dataclass(frozen=True)
class PhotoObjects:
    """All objects of a photo, by falling score."""

    objects: tuple[PhotoObject, ...]
    is_corrected: bool
    """Whether a person has corrected them; they stay as they are then, whatever a model finds."""

    @cached_property
    def version(self) -> str:
        """Another one whenever anything of this is another."""
        facts = [
            (thing.class_id, round(thing.score, 4), *(round(side, 4) for side in thing.box))
            for thing in self.objects
        ]
        text = repr((self.is_corrected, facts))
        return hashlib.sha256(text.encode()).hexdigest()[:VERSION_LENGTH]


def objects_of(image_id: int, index: Index | None = None) -> PhotoObjects:
    """The objects of a photo; none where it was not looked at yet.

    Args:
        index: where to look for what the detector found.
    """
    correction = components.store().corrections().get(image_id)
    if correction is None:
        found = detections_of(image_id, index)
        return PhotoObjects(_photo_objects(found, [False] * len(found)), False)
    return PhotoObjects(_photo_objects(correction.objects, correction.by_person.tolist()), True)


def drawn_objects(objects: PhotoObjects, width: int, height: int) -> list[DrawnBox]:
    """The sure objects of a photo of width × height pixels, one colour a class."""
    shown = [thing for thing in objects.objects if thing.is_sure]
    colours = class_colours(thing.class_id for thing in shown)
    return [
        drawn_box(
            thing.name,
            thing.score,
            colours[thing.class_id],
            thing.box,
            width,
            height,
            by_person=thing.by_person,
        )
        for thing in shown
    ]


def correct_objects(image: Image, drafts: Sequence[DraftObject], version: str) -> PhotoObjects:
    """Replace the objects of a photo, durably; searches count them from now on.

    What a detector found and nobody changed keeps its score, also where it was deleted before and
    is back now; all others are certain. Where all is as it was detected, nothing is corrected.

    Args:
        drafts: all objects that there are, at most `MOST_OBJECTS`.
        version: of the objects that this is a change of; "*" for any.

    Raises EditRefused, EditConflict or DiskFull.
    """
    _check(drafts)
    with refusing_full_disk(), transaction.atomic():
        before = _locked(image, version)
        detected = _detected(image.pk)
        known_objects = [*before.objects, *detected]
        after: list[PhotoObject] = []
        for draft in drafts:
            known = next((thing for thing in known_objects if thing.is_at(draft)), None)
            if known is None:
                _check_box(draft.box)
                after.append(PhotoObject(draft.class_id, CERTAIN, draft.box, by_person=True))
            else:
                known_objects = [thing for thing in known_objects if not thing.is_like(known)]
                after.append(known)
        if _same(after, detected):
            if before.is_corrected:
                _write(image, "null")
        elif not _same(after, before.objects):
            _write(image, _correction(after).as_json())
    return objects_of(image.pk)


def revert_objects(image: Image, version: str) -> PhotoObjects:
    """Return to what the detector found, durably. Raises as `correct_objects` does."""
    with refusing_full_disk(), transaction.atomic():
        if _locked(image, version).is_corrected:
            _write(image, "null")
    return objects_of(image.pk)


def bring_corrections(corrections: Mapping[str, Correction]) -> None:
    """Take over those of another gallery, by the SHA-256 of photos; nobody's here are replaced."""
    for sha256, correction in corrections.items():
        image = Image.objects.ready().filter(sha256=sha256).first()
        if image is None:
            continue
        with refusing_full_disk(), transaction.atomic():
            if not _locked(image, "*").is_corrected:
                _write(image, correction.as_json())


def _check(drafts: Sequence[DraftObject]) -> None:
    if len(drafts) > MOST_OBJECTS:
        raise EditRefused(
            _("A photo can have %(most)s objects, these are %(count)s.")
            % {"most": MOST_OBJECTS, "count": len(drafts)}
        )
    for draft in drafts:
        if draft.class_id not in NAME_BY_ID:
            raise EditRefused(
                _("The gallery knows no object of class %(id)s.") % {"id": draft.class_id}
            )


def _check_box(box: Box) -> None:
    xmin, ymin, xmax, ymax = box
    inside = all(math.isfinite(side) and 0 <= side <= 1 for side in box)
    if not inside or xmin >= xmax or ymin >= ymax:
        raise EditRefused(
            _(
                "The box of an object lies within the photo: left, top, right and bottom from 0 to "
                "1, left before right and top before bottom."
            )
        )
    if min(xmax - xmin, ymax - ymin) < SMALLEST_SIDE:
        raise EditRefused(_("The box of an object is too small to see."))


def _detected(image_id: int) -> tuple[PhotoObject, ...]:
    """What models find in a photo, whatever people say."""
    index = components.store().index(components.model_id(), completed=True)
    found = detections_of(image_id, index)
    return _photo_objects(found, [False] * len(found))


def _same(some: Sequence[PhotoObject], others: Sequence[PhotoObject]) -> bool:
    return len(some) == len(others) and all(
        any(thing.is_like(other) for other in others) for thing in some
    )


def _locked(image: Image, version: str) -> PhotoObjects:
    """The objects as they are, and stay until the transaction ends: one writer at a time."""
    row = Image.objects.select_for_update().filter(pk=image.pk).first()
    if row is None:
        raise EditConflict(_("This photo was deleted meanwhile."))
    if not row.is_ready:
        raise EditRefused(
            _("This photo was not looked at yet. Its objects can be corrected once it is ready.")
        )
    objects = objects_of(image.pk)
    if version not in ("*", objects.version):
        raise EditConflict(
            _(
                "The objects of this photo were changed meanwhile, by somebody else or by another "
                "detector. Load the page again to see them, and make your changes once more."
            )
        )
    return objects


def _write(image: Image, value: str) -> None:
    """Hold the lock of `_locked`."""
    store = components.store()
    last = store.edits().get((image.pk, OBJECTS))
    now = timezone.now().timestamp()
    if last is not None:
        now = max(now, last.edited_at + LEAST_STEP)
    schedule_tending()
    store.append_edits([Edit(image.pk, OBJECTS, value, now)])


def _correction(objects: Sequence[PhotoObject]) -> Correction:
    by_score = sorted(objects, key=lambda thing: -thing.score)
    rows = [
        (thing.class_id, thing.score, *(side * FRAME_SIDE for side in thing.box))
        for thing in by_score
    ]
    return Correction(
        np.array(rows, np.float32).reshape(-1, 6),
        np.array([thing.by_person for thing in by_score], np.bool_),
    )


def _photo_objects(rows: NDArray[np.float32], by_person: Sequence[bool]) -> tuple[PhotoObject, ...]:
    return tuple(
        PhotoObject(int(row[0]), float(row[1]), unit_box(row), person)
        for row, person in zip(rows, by_person, strict=True)
        # A class that this version of the gallery does not know cannot be shown.
        if int(row[0]) in NAME_BY_ID
    )
