from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from featurestore.regions import IOU_TOLERANCE, Region

Points = NDArray[np.float64]


@st.composite
def polygons(draw: st.DrawFn) -> Points:
    """Around a point of the frame, near and far from it, as hands draw them; cut at its edge."""
    corners = draw(st.integers(3, 40))
    x, y = draw(st.tuples(st.floats(0.2, 0.8), st.floats(0.2, 0.8)))
    radii = draw(st.lists(st.floats(0.1, 0.5), min_size=corners, max_size=corners))
    turn = draw(st.floats(0, 6))
    direction = draw(st.sampled_from([-1, 1]))
    angles = turn + direction * np.arange(corners) / corners * 2 * math.pi
    around = np.stack([np.cos(angles), np.sin(angles)], axis=1) * np.array(radii)[:, None]
    points: Points = np.clip(around + np.array([x, y]), 0, 1)
    return points


@st.composite
def boxes(draw: st.DrawFn) -> NDArray[np.float32]:
    """xyxy of 10 × 10 pixels at least."""
    width, height = draw(st.floats(10, 300)), draw(st.floats(10, 300))
    left, top = draw(st.floats(0, 300 - width)), draw(st.floats(0, 300 - height))
    return np.array([left, top, left + width, top + height], np.float32)


@given(polygons(), boxes())
def test_a_region_overlaps_a_box_as_shapely_says(points: Points, box: NDArray[np.float32]) -> None:
    polygon, other = shapely.Polygon(points * 300), shapely.box(*box.astype(float))
    # Cut at the frame's edge, a few cross themselves.
    if not polygon.is_valid or polygon.area < 100:
        return
    region = Region.of_polygon(points)
    assert region.area == pytest.approx(float(polygon.area), abs=0.1)
    shared = float(region.intersections(box[None])[0])
    iou = shared / (region.area + float(other.area) - shared)
    expected = float(polygon.intersection(other).area / polygon.union(other).area)
    assert iou == pytest.approx(expected, abs=IOU_TOLERANCE)


@given(polygons(), boxes())
def test_a_mirrored_region_overlaps_the_mirrored_box_alike(
    points: Points, box: NDArray[np.float32]
) -> None:
    region = Region.of_polygon(points)
    mirrored_box = np.array([300 - box[2], box[1], 300 - box[0], box[3]], np.float32)
    mirrored = region.mirrored()
    assert mirrored.area == pytest.approx(region.area, abs=0.1)
    assert float(mirrored.intersections(mirrored_box[None])[0]) == pytest.approx(
        float(region.intersections(box[None])[0]), abs=0.5
    )


def test_whole_pixels_are_exact() -> None:
    region = Region.of_polygon(np.array([[30, 60], [150, 60], [150, 270], [30, 270]]) / 300)
    assert region.area == pytest.approx(120 * 210)
    assert region.bounds == (30, 60, 150, 270)
    found = np.array([[0, 0, 300, 300], [140, 250, 200, 300], [150, 0, 300, 300]], np.float32)
    assert region.intersections(found).tolist() == pytest.approx([25200, 200, 0], abs=0.01)


def test_both_lobes_of_an_eight_are_inside() -> None:
    eight = Region.of_polygon(np.array([[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]]))
    assert eight.area == pytest.approx(2 * 0.5 * 240 * 120, rel=0.01)


def test_a_loop_in_a_loop_counts_once() -> None:
    once = np.array([[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]])
    assert Region.of_polygon(np.tile(once, (3, 1))).area == pytest.approx(240 * 240)


@pytest.mark.parametrize(
    "points",
    [
        [],
        [[0.1, 0.1], [0.9, 0.9]],
        [[0.1, 0.1, 0.1]] * 3,
        [[0.1, 0.1], [0.9, 0.1], [0.5, 1.1]],
        [[0.1, 0.1], [0.9, 0.1], [0.5, math.nan]],
        [[0.1, 0.1], [0.5, 0.5], [0.9, 0.9]],
    ],
)
def test_what_goes_around_nothing_is_refused(points: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="polygon"):
        Region.of_polygon(np.array(points))
