from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import featurestore.layout_scores
from featurestore import row_ranges
from featurestore.layout_scores import (
    LayoutQuery,
    layout_scores,
    matched_pairs,
    object_weights,
    original_layout_scores,
    pairwise_iou,
)
from featurestore.packing import BOX_UNIT, SCORE_UNIT, STEPS
from featurestore.regions import Region
from tests.featurestore.samples import detections, postings, random_detections

Layout = NDArray[np.float32]

DOG, CAT = 18, 17
CLASSES = (1, CAT, DOG)

ends = st.tuples(st.integers(0, STEPS), st.integers(0, STEPS)).map(sorted)


def layout(rows: list[tuple[int, int, list[int], list[int]]]) -> Layout:
    """(m, 6) with numbers that an index keeps exactly."""
    return np.array(
        [
            [class_id, score * SCORE_UNIT, *(x * BOX_UNIT for x in (x0, y0, x1, y1))]
            for class_id, score, (x0, x1), (y0, y1) in rows
        ],
        np.float32,
    ).reshape(-1, 6)


def layouts(min_size: int = 0, max_size: int = 9) -> st.SearchStrategy[Layout]:
    objects = st.tuples(st.sampled_from(CLASSES), st.integers(1, STEPS), ends, ends)
    return st.lists(objects, min_size=min_size, max_size=max_size).map(layout)


def padded(found: Layout) -> Layout:
    return detections(*found[np.argsort(-found[:, 1], kind="stable")])


def layout_of(found: Layout) -> Layout:
    return found[found[:, 0] > 0]


def mirrored(found: Layout) -> Layout:
    turned = found[:, [0, 1, 4, 3, 2, 5]]
    turned[:, [2, 4]] = 300 - turned[:, [2, 4]]
    return turned


def score(query: Layout, image: Layout) -> float:
    return float(layout_scores(postings(padded(image)), query)[0])


def plain_score(query: Layout, image: Layout) -> float:
    """The definition, pair by pair."""
    asked, found = query.astype(np.float64), image.astype(np.float64)
    values = np.zeros((len(asked), len(found)))
    for i, a in enumerate(asked):
        for j, b in enumerate(found):
            if a[0] == b[0]:
                iou = float(pairwise_iou(a[None, 2:], b[None, 2:])[0, 0])
                values[i, j] = (iou + 0.02) / 1.02 * min(weight(a), weight(b))
    answers = values.max(axis=1, initial=0).sum() + values.max(axis=0, initial=0).sum()
    weights = sum(map(weight, asked)) + sum(map(weight, found))
    return float(answers / weights) if weights else 0.0


def weight(row: NDArray[np.float64]) -> float:
    area = (row[4] - row[2]) * (row[5] - row[3]) / 300**2
    return float(area**0.25 * row[1] ** 1.5)


def test_iou_of_known_boxes() -> None:
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30], [3, 3, 3, 3]], np.float32)
    assert pairwise_iou(boxes[:1], boxes)[0].tolist() == pytest.approx([1, 1 / 3, 0, 0])


@given(layouts(min_size=1), st.lists(layouts(), min_size=1, max_size=6))
def test_layout_scores_equal_the_definition(query: Layout, images: list[Layout]) -> None:
    expected = [plain_score(query, image) for image in images]
    found = layout_scores(postings(*map(padded, images)), query)
    assert found.tolist() == pytest.approx(expected, abs=1e-5)


@given(layouts(min_size=1), st.lists(layouts(), min_size=1, max_size=6))
def test_the_better_of_a_layout_and_its_mirror_counts(query: Layout, images: list[Layout]) -> None:
    expected = [
        max(plain_score(query, image), plain_score(mirrored(query), image)) for image in images
    ]
    found = layout_scores(postings(*map(padded, images)), query, mirror=True)
    assert found.tolist() == pytest.approx(expected, abs=1e-5)


@given(layouts(min_size=1), layouts(), st.booleans())
def test_the_parts_of_the_pairs_add_up_to_the_score(
    query: Layout, image: Layout, mirror: bool
) -> None:
    index = postings(padded(image))
    pairs = matched_pairs(query, index.detections_of(0), mirror=mirror)
    total = sum(pair.part for pair in pairs)
    assert total == pytest.approx(layout_scores(index, query, mirror=mirror)[0], abs=1e-6)
    assert [pair.part for pair in pairs] == sorted((pair.part for pair in pairs), reverse=True)


@given(layouts(min_size=1), layouts())
def test_pairs_are_the_same_without_objects_of_other_classes(query: Layout, image: Layout) -> None:
    index = postings(padded(image))
    ready = LayoutQuery.of(query)
    all_pairs = ready.pairs(index.detections_of(0))
    of_its_classes = index.objects_of(0, ready.classes)
    pairs = ready.pairs(of_its_classes, float(index.layout_weights[0]))
    assert [pair.part for pair in pairs] == pytest.approx([pair.part for pair in all_pairs])


@given(layouts(min_size=1), st.lists(layouts(), max_size=5))
def test_nothing_scores_higher_than_the_layout_itself(query: Layout, others: list[Layout]) -> None:
    # What weighs nothing is not seen.
    query = query[object_weights(query[:, 1], query[:, 2:]) > 0]
    if len(query) == 0:
        return
    scores = layout_scores(postings(padded(query), *map(padded, others)), query)
    assert scores[0] == pytest.approx(1, abs=1e-6)
    assert scores.max() <= 1


@given(layouts(min_size=1), layouts(min_size=1))
def test_layout_scores_are_symmetric(a: Layout, b: Layout) -> None:
    assert score(a, b) == pytest.approx(score(b, a), abs=1e-6)


@given(
    query=layouts(max_size=4),
    others=layouts(max_size=4),
    corner=st.tuples(st.integers(20000, 30000), st.integers(20000, 30000)),
    size=st.tuples(st.integers(3000, 12000), st.integers(3000, 12000)),
    partner=st.tuples(ends, ends),
    steps=st.tuples(st.integers(0, 2000), st.integers(0, 2000)),
)
def test_moving_a_box_away_from_its_only_partner_never_raises_the_score(
    query: Layout,
    others: Layout,
    corner: tuple[int, int],
    size: tuple[int, int],
    partner: tuple[list[int], list[int]],
    steps: tuple[int, int],
) -> None:
    query, others = query[query[:, 0] != DOG], others[others[:, 0] != DOG]
    asked = np.concatenate([query, layout([(DOG, STEPS, *partner)])])
    centre = [(low + high) / 2 for low, high in partner]
    away = [
        step if start + length / 2 >= middle else -step
        for step, start, length, middle in zip(steps, corner, size, centre, strict=True)
    ]
    images = []
    for moves in range(11):
        x, y = (start + moves * step for start, step in zip(corner, away, strict=True))
        dog = layout([(DOG, 50000, [x, x + size[0]], [y, y + size[1]])])
        images.append(padded(np.concatenate([others, dog])))
    scores = layout_scores(postings(*images), asked)
    assert (np.diff(scores) <= 1e-6).all()


def test_scores_do_not_depend_on_ranges_of_rows_or_the_number_of_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Objects of a class fill several blocks, with twins in different places of them.
    images = [random_detections(seed, objects=seed % 21) for seed in range(300)] * 5
    index = postings(*images)
    query = layout_of(random_detections(7, objects=12))
    scores = layout_scores(index, query, mirror=True)
    assert (scores.reshape(5, 300) == scores[:300]).all()
    for rows, cores in ((1500, 1), (100, 1), (7, 3)):
        monkeypatch.setattr(featurestore.layout_scores, "ROWS_A_RANGE", rows)
        monkeypatch.setattr(row_ranges, "_cores", lambda cores=cores: cores)
        assert (layout_scores(index, query, mirror=True) == scores).all()
    expected = [plain_score(query, index.detections_of(row)) for row in range(300)]
    assert layout_scores(index, query)[:300].tolist() == pytest.approx(expected, abs=1e-4)


def test_what_a_range_of_rows_raises_is_raised() -> None:
    def work(first: int, stop: int) -> None:
        raise ValueError(f"rows {first} to {stop}")

    with pytest.raises(ValueError, match="rows 0 to 10"):
        row_ranges.for_row_ranges(25, work, rows_a_range=10)


@given(st.integers(0, 100), st.integers(1, 40))
def test_ranges_cover_each_row_once(count: int, rows_a_range: int) -> None:
    seen = np.zeros(count, np.int64)

    def work(first: int, stop: int) -> None:
        seen[first:stop] += 1

    row_ranges.for_row_ranges(count, work, rows_a_range=rows_a_range)
    assert (seen == 1).all()


def test_a_box_in_the_right_place_beats_a_bigger_surer_one_elsewhere() -> None:
    query = layout_of(detections((DOG, 0.5, 0, 0, 50, 50)))
    identical = detections((DOG, 0.5, 0, 0, 50, 50))
    elsewhere = detections((DOG, 0.9, 100, 100, 300, 300))
    assert original_layout_scores(postings(identical, elsewhere), query).argmax() == 1
    assert layout_scores(postings(identical, elsewhere), query).argmax() == 0


@given(layouts(min_size=1), st.lists(layouts(), min_size=1, max_size=6))
def test_the_original_score_is_the_mean_over_pairs_of_a_class(
    query: Layout, images: list[Layout]
) -> None:
    index = postings(*map(padded, images))

    def area(row: Layout) -> float:
        return float((row[4] - row[2]) * (row[5] - row[3])) / 300**2

    expected = []
    for row in range(len(index)):
        worth = [
            (a[1] + b[1] + area(a) + area(b)) / 4
            for a in query
            for b in index.detections_of(row)
            if a[0] == b[0]
        ]
        expected.append(float(np.mean(worth)) if worth else 0.0)
    assert original_layout_scores(index, query).tolist() == pytest.approx(expected, abs=1e-5)


def test_a_pair_counts_for_both_where_each_is_the_others_best() -> None:
    query = layout_of(detections((DOG, 1, 0, 0, 60, 60), (CAT, 1, 100, 100, 160, 160)))
    image = layout_of(
        detections((DOG, 1, 200, 200, 260, 260), (DOG, 1, 0, 0, 60, 30), (1, 0.9, 0, 0, 60, 60))
    )
    best, other = matched_pairs(query, image)
    assert (best.query_object, best.image_object) == (0, 1)
    assert best.iou == pytest.approx(0.5, abs=1e-3)
    # The other dog is answered by the query's dog, which has a better answer itself.
    assert (other.query_object, other.image_object) == (0, 0)
    assert other.iou == 0
    assert best.part > 10 * other.part > 0


def test_pairs_say_that_the_mirror_was_met() -> None:
    query = layout_of(detections((DOG, 1, 0, 0, 60, 60), (CAT, 1, 100, 100, 160, 160)))
    assert not any(pair.mirrored for pair in matched_pairs(query, query, mirror=True))
    pairs = matched_pairs(query, mirrored(query), mirror=True)
    assert [(pair.mirrored, round(pair.iou, 3)) for pair in pairs] == [(True, 1.0), (True, 1.0)]
    assert sum(pair.part for pair in pairs) == pytest.approx(1)


def test_no_pairs_with_an_image_without_objects() -> None:
    query = layout_of(detections((DOG, 0.9, 0, 0, 50, 50)))
    assert matched_pairs(query, np.zeros((0, 6), np.float32)) == []
    assert layout_scores(postings(detections()), query).tolist() == [0]


def test_a_layout_without_objects_is_like_nothing() -> None:
    nothing = np.zeros((0, 6), np.float32)
    dog = detections((DOG, 0.9, 0, 0, 50, 50))
    assert layout_scores(postings(dog, detections()), nothing).tolist() == [0, 0]
    assert matched_pairs(nothing, layout_of(dog)) == []


@given(layouts(min_size=1), st.lists(layouts(), min_size=1, max_size=6), st.booleans())
def test_a_region_of_the_shape_of_a_box_scores_like_the_box(
    query: Layout, images: list[Layout], mirror: bool
) -> None:
    row = len(query) - 1
    query[row, 2:] = [30, 60, 150, 270]
    corners = np.array([[0.1, 0.2], [0.5, 0.2], [0.5, 0.9], [0.1, 0.9]])
    region = Region.of_polygon(corners)
    index = postings(*map(padded, images))
    with_region = layout_scores(index, query, mirror=mirror, region=region, region_row=row)
    # Inside a pixel the region's part counts as spread evenly, which tells for tiny boxes.
    assert with_region.tolist() == pytest.approx(
        layout_scores(index, query, mirror=mirror).tolist(), abs=1e-3
    )


@given(layouts(min_size=1), layouts(min_size=1), st.booleans(), st.data())
def test_parts_add_up_to_the_score_with_a_region(
    query: Layout, image: Layout, mirror: bool, data: st.DataObject
) -> None:
    row = data.draw(st.integers(0, len(query) - 1))
    region = Region.of_polygon(np.array([[0.1, 0.1], [0.8, 0.3], [0.4, 0.95]]))
    index = postings(padded(image))
    pairs = matched_pairs(
        query, index.detections_of(0), mirror=mirror, region=region, region_row=row
    )
    scores = layout_scores(index, query, mirror=mirror, region=region, region_row=row)
    assert sum(pair.part for pair in pairs) == pytest.approx(scores[0], abs=1e-5)


def test_a_region_finds_what_lies_in_it() -> None:
    triangle = Region.of_polygon(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
    query = layout_of(detections((DOG, 1, *triangle.bounds)))
    inside = detections((DOG, 1, 0, 0, 150, 150))
    outside = detections((DOG, 1, 150, 150, 300, 300))
    lassoed = layout_scores(postings(inside, outside), query, region=triangle)
    assert lassoed[0] > 5 * lassoed[1]
    assert np.ptp(layout_scores(postings(inside, outside), query)) < 1e-4
