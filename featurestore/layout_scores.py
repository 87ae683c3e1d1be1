"""How much the layout of images resembles that of a query: pure functions over arrays.

A layout is (m, 6) float32, rows of [class_id, score, xmin, ymin, xmax, ymax] like a detector's,
without padding. Boxes are compared in the steps of `packing`, in which an index keeps them.

The score of an image, with i for the query's objects and j for all of the image's:

    S = (Σ_i max_j v_ij + Σ_j max_i v_ij) / (Σ_i w_i + Σ_j w_j)
    v_ij = (IoU_ij + PRESENCE) / (1 + PRESENCE) · min(w_i, w_j) where the classes are one, else 0
    w = ⁴√area · score^1.5, with the frame's area as 1

So what the image lacks of the query counts as much as what it has besides. S is 1 for the query's
own layout only, and the same when query and image are exchanged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from featurestore.layout_kernel import object_weight, score_rows
from featurestore.layout_pairs import pair_objects
from featurestore.packing import FRAME_SIDE, STEPS, pack_boxes, pack_scores
from featurestore.regions import Region
from featurestore.row_ranges import for_row_ranges

if TYPE_CHECKING:
    from featurestore.postings import Postings

# Sums for so many images stay in a core's cache.
ROWS_A_RANGE = 1 << 16

_SQUARE_STEPS = (STEPS / FRAME_SIDE) ** 2


@dataclass(frozen=True)
class Pair:
    """An object of the query and one of the image, one of which the other answers best."""

    query_object: int
    """Row of the query layout."""
    image_object: int
    """Row of the image's layout."""
    iou: float
    """Intersection over union of the two, 0..1."""
    part: float
    """What the pair adds to the image's score, 0..1; all parts together are the score."""
    mirrored: bool = False
    """Whether the query's object lies so with left and right exchanged."""


@dataclass(frozen=True)
class LayoutQuery:
    """A layout made ready to be compared with many images: q objects by class, of c classes."""

    order: NDArray[np.int64]
    """(q,) the row of the layout that each object is."""
    class_ids: NDArray[np.int64]
    """(q,)"""
    classes: NDArray[np.int64]
    """(c,) rising."""
    starts: NDArray[np.int64]
    """(c + 1,) objects of the k-th class are starts[k]:starts[k + 1]."""
    boxes: NDArray[np.float32]
    """(sides, q, 4) xyxy in steps; the second side is the mirror."""
    areas: NDArray[np.float32]
    """(q,) square steps."""
    weights: NDArray[np.float32]
    """(q,)"""
    region_row: int
    """The object that is a region instead of its box, or -1."""
    region_integrals: NDArray[np.float32]
    """(sides, 302, 302) of that region in square steps, as the kernel reads it; smaller where there
    is none."""

    @classmethod
    def of(
        cls,
        layout: NDArray[np.float32],
        *,
        mirror: bool = False,
        region: Region | None = None,
        region_row: int = 0,
    ) -> LayoutQuery:
        """Make a layout ready.

        Args:
            layout: (m, 6)
            mirror: whether it may also be met with left and right exchanged; the better counts.
            region: what one object is, instead of its box.
            region_row: the row of that object in the layout.
        """
        order = np.argsort(layout[:, 0], kind="stable")
        class_ids = layout[order, 0].astype(np.int64)
        classes, starts = np.unique(class_ids, return_index=True)
        boxes = pack_boxes(layout[order, 2:]).astype(np.float32)
        mirrored = boxes[:, [2, 1, 0, 3]]
        mirrored[:, [0, 2]] = STEPS - mirrored[:, [0, 2]]
        sides = 2 if mirror else 1
        areas = box_areas(boxes)
        integrals = np.zeros((sides, 1, 1), np.float32)
        if region is not None:
            areas[order == region_row] = region.area * _SQUARE_STEPS
            both = (region.integral, region.mirrored().integral)
            integrals = np.pad(np.stack(both[:sides]), ((0, 0), (0, 1), (0, 1)), "edge")
            integrals *= np.float32(_SQUARE_STEPS)
        weights = [
            object_weight(area, np.float32(score))
            for area, score in zip(areas, pack_scores(layout[order, 1]), strict=True)
        ]
        return cls(
            order=order,
            class_ids=class_ids,
            classes=classes,
            starts=np.append(starts, len(order)).astype(np.int64),
            boxes=np.stack((boxes, mirrored)[:sides]),
            areas=areas,
            weights=np.array(weights, np.float32),
            region_row=-1 if region is None else int(np.flatnonzero(order == region_row)[0]),
            region_integrals=integrals,
        )

    def scores(self, postings: Postings) -> NDArray[np.float32]:
        """(n,) resemblance of every image, 0..1: S of this module, exact."""
        result = np.zeros(len(postings), np.float32)
        objects = postings.objects

        def score(first: int, stop: int) -> None:
            score_rows(
                first,
                stop,
                objects.image_rows,
                objects.packed_scores,
                objects.packed_boxes,
                postings.layout_weights,
                postings.class_starts[self.classes],
                postings.class_starts[self.classes + 1],
                self.starts,
                self.boxes,
                self.areas,
                self.weights,
                self.region_row,
                self.region_integrals,
                result,
            )

        for_row_ranges(len(postings), score, rows_a_range=ROWS_A_RANGE)
        return result

    def pairs(
        self, detections: NDArray[np.float32], image_weight: float | None = None
    ) -> list[Pair]:
        """Why an image has its score: pairs whose parts add up to it, greatest part first.

        Args:
            detections: (k, 6) the image's objects, or those of `classes`.
            image_weight: the image's `Postings.layout_weights`, needed where `detections` are not
                all of its objects.
        """
        sides = [
            pair_objects(
                self.class_ids,
                boxes,
                self.areas,
                self.weights,
                self.region_row,
                integral,
                detections,
                -1.0 if image_weight is None else image_weight,
            )
            for boxes, integral in zip(self.boxes, self.region_integrals, strict=True)
        ]
        # Where both are worth the same, the layout as it is.
        side = int(np.argmax([pairs[:, 3].sum() for pairs in sides]))
        pairs = [
            Pair(int(self.order[int(i)]), int(j), iou, part, mirrored=side == 1)
            for i, j, iou, part in sides[side].tolist()
        ]
        return sorted(pairs, key=lambda pair: -pair.part)


def layout_scores(
    postings: Postings,
    layout: NDArray[np.float32],
    *,
    mirror: bool = False,
    region: Region | None = None,
    region_row: int = 0,
) -> NDArray[np.float32]:
    """(n,) score of every image; the arguments are those of `LayoutQuery.of`."""
    query = LayoutQuery.of(layout, mirror=mirror, region=region, region_row=region_row)
    return query.scores(postings)


def matched_pairs(
    layout: NDArray[np.float32],
    detections: NDArray[np.float32],
    *,
    mirror: bool = False,
    region: Region | None = None,
    region_row: int = 0,
) -> list[Pair]:
    """Why an image with (k, 6) detections has its score, as `LayoutQuery.pairs` tells."""
    query = LayoutQuery.of(layout, mirror=mirror, region=region, region_row=region_row)
    return query.pairs(detections)


def original_layout_scores(postings: Postings, layout: NDArray[np.float32]) -> NDArray[np.float32]:
    """The original system's photo score: mean of score and relative area over same-class pairs.

    It never looks at overlap; kept as a baseline for every figure.
    """
    n = len(postings)
    totals, counts = np.zeros(n), np.zeros(n)
    for class_id, score, *box in layout.tolist():
        objects = postings.of_class(int(class_id))
        query_area = box_areas(np.array([box], np.float32))[0] / FRAME_SIDE**2
        areas = box_areas(objects.boxes) / FRAME_SIDE**2
        worth = (score + objects.scores + query_area + areas) / 4
        totals += np.bincount(objects.image_rows, worth, n)
        counts += np.bincount(objects.image_rows, minlength=n)
    scores = np.divide(totals, counts, out=np.zeros(n), where=counts > 0)
    return scores.astype(np.float32)


def pairwise_iou(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, m) intersection over union of (n, 4) and (m, 4) xyxy boxes; 0 where both are empty."""
    top_left = np.maximum(a[:, None, :2], b[None, :, :2])
    bottom_right = np.minimum(a[:, None, 2:], b[None, :, 2:])
    overlap = np.clip(bottom_right - top_left, 0, None).prod(axis=2)
    union = box_areas(a)[:, None] + box_areas(b)[None, :] - overlap
    iou = np.zeros(overlap.shape, np.float32)
    np.divide(overlap, union, out=iou, where=union > 0)
    return iou


def box_areas(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n,) areas of (n, 4) xyxy boxes."""
    areas: NDArray[np.float32] = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)
    return areas


def object_weights(scores: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """(m,) how much each object counts: ⁴√area · score^1.5, with the frame's area as 1.

    A large object counts more, but not so much that it alone decides.
    """
    sides = np.sqrt(np.sqrt(box_areas(boxes) / FRAME_SIDE**2))
    weights: NDArray[np.float32] = (sides * scores**1.5).astype(np.float32, copy=False)
    return weights
