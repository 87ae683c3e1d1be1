"""Groups of photos that look alike: made by themselves, the same ones as photos come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from django.test import Client
from django.utils import translation

from detector.look_model import LOOK_MODEL_ID
from featurestore.looks import CLASSES, EMBEDDING_DIMENSIONS, LookFeatures
from gallery import components
from gallery.errors import QueryRefused
from gallery.groups.clustering import Scatter, group_count, moved_centres, nearest
from gallery.groups.grouping import group_photos
from gallery.groups.kept_decisions import DecisionsUnreadable, bring_decisions, decisions_text
from gallery.groups.kind_counts import count_kinds
from gallery.groups.models import GroupedPhoto, PhotoGroup
from gallery.groups.names import call_groups_anew, rename_group
from gallery.groups.naming import (
    KindCounts,
    Source,
    numbers_of,
    query_of,
    title_of,
    typical_kinds,
)
from gallery.models import Image
from gallery.tags.photo_tags import change_tags
from gallery.tasks import call_groups
from gallery.trash import move_to_trash
from tests.gallery.made_gallery import LEFT, MIDDLE, RIGHT, add_photo

KINDS = (
    ("cat", [("cat", 0.9, MIDDLE)]),
    ("dinner", [("person", 0.9, LEFT), ("dining table", 0.9, RIGHT)]),
    ("road", [("motorcycle", 0.9, LEFT), ("car", 0.9, RIGHT)]),
)
A_KIND_HAS = 16


def add_looks(images: list[Image], kind: int, seed: int) -> None:
    """Give photos looks around the direction of a kind."""
    rng = np.random.default_rng(seed)
    embedding = rng.normal(0, 0.02, (len(images), EMBEDDING_DIMENSIONS))
    embedding[:, 40 * kind : 40 * kind + 40] += 1
    scores = np.zeros((len(images), CLASSES), np.float32)
    ids = [image.pk for image in images]
    looks = LookFeatures.of(ids, embedding.astype(np.float32), scores, 1)
    components.store().looks(LOOK_MODEL_ID).append(looks)


def add_kind(kind: int, count: int, start: int = 0) -> list[Image]:
    name, objects = KINDS[kind]
    images = [add_photo(f"{name} {at}.jpg", objects) for at in range(start, start + count)]
    add_looks(images, kind, seed=start + kind)
    return images


@pytest.fixture
def three_kinds(gallery_data: Path, db: None) -> list[list[Image]]:
    """Photos of three kinds, grouped."""
    images = [add_kind(kind, A_KIND_HAS) for kind in range(3)]
    assert group_photos() == 3 * A_KIND_HAS
    return images


def groups_of(images: list[Image]) -> set[int]:
    return set(GroupedPhoto.objects.filter(image__in=images).values_list("group_id", flat=True))


def test_the_number_of_groups_grows_with_the_root_and_stays_surveyable() -> None:
    assert [group_count(n) for n in (8, 100, 1000, 10_000, 1_000_000)] == [2, 5, 16, 50, 60]


def test_centres_become_means_and_an_empty_one_stays() -> None:
    vectors = np.array([[0, 0], [0, 2], [10, 0], [10, 2]], np.float32)
    centres = moved_centres(vectors, np.array([[1, 0], [9, 0], [50, 50]], np.float32))
    assert centres.tolist() == [[0, 1], [10, 1], [50, 50]]
    places, distances = nearest(vectors, centres)
    assert places.tolist() == [0, 0, 1, 1]
    assert distances.tolist() == [1, 1, 1, 1]


def test_reduction_never_brings_photos_further_apart() -> None:
    rows = np.random.default_rng(3).normal(size=(50, 80)).astype(np.float32)
    scatter = Scatter(80)
    for some in (rows[:20], rows[20:]):
        scatter.add(some)
    mean, axes = scatter.principal_axes(10)
    reduced = (rows - mean) @ axes
    whole = np.linalg.norm(rows[:, None] - rows, axis=2)
    near = np.linalg.norm(reduced[:, None] - reduced, axis=2)
    assert (near <= whole + 1e-3).all()
    assert near.sum() > 0.2 * whole.sum()


def kinds_shown(photos: int, **shares: tuple[Source, Sequence[int]]) -> KindCounts:
    """In how many of so many photos of each group kinds are shown."""
    return KindCounts(
        tuple(name.replace("_", " ") for name in shares),
        np.array([source for source, _ in shares.values()]),
        np.array([counts for _, counts in shares.values()]).T,
        np.full(len(next(iter(shares.values()))[1]), photos),
    )


def test_a_group_is_named_by_what_the_rest_has_less_of() -> None:
    typical = typical_kinds(
        kinds_shown(
            50,
            person=(Source.OBJECT, [50, 48, 2, 45]),
            dining_table=(Source.OBJECT, [48, 2, 1, 0]),
            cat=(Source.OBJECT, [0, 1, 49, 1]),
        )
    )
    assert set(typical[0]) == {"dining table", "person"} or typical[0] == ["dining table"]
    assert typical[1] == typical[3] == ["person"]
    assert typical[2] == ["cat"]
    assert numbers_of(typical)[1::2] == [1, 2]


def test_tags_name_a_group_before_what_lies_around_and_looks_tell_like_ones_apart() -> None:
    typical = typical_kinds(
        kinds_shown(
            100,
            bed=(Source.OBJECT, [80, 5, 0, 0, 0]),
            person=(Source.OBJECT, [0, 0, 0, 0, 90]),
            dress=(Source.TAG, [95, 0, 0, 0, 0]),
            shoes=(Source.TAG, [0, 90, 85, 0, 0]),
            sandal=(Source.LOOK, [0, 60, 5, 0, 0]),
            castle=(Source.LOOK, [0, 0, 0, 70, 0]),
        )
    )
    assert typical == [["dress"], ["shoes", "sandal"], ["shoes"], ["castle"], ["person"]]
    assert title_of(typical[1]) == "shoes and sandals"
    with translation.override("fr"):
        assert title_of(typical[0]) == "robes"
        assert title_of(["dress", "person"]) == "personnes avec robes"


def test_a_search_for_a_group_asks_for_its_kinds() -> None:
    assert query_of(["dress", "person", "cat"]) == "dress and person"
    assert query_of(["cat", "summer party"]) == 'cat tag:"summer party"'
    assert query_of(["Labrador retriever", "crane (machine)"]) == "labrador retriever and crane"
    assert query_of([]) == ""


def test_titles_are_words_of_the_reader() -> None:
    assert title_of(["dining table", "person"]) == "people at tables"
    assert title_of(["cat"]) == "cats"
    assert title_of(["motorcycle", "car"]) == "motorcycles and cars"
    assert title_of(["person", "dog", "frisbee"]) == "people with dogs and frisbees"
    assert title_of(["skis"], 2) == "skis 2"
    assert title_of([]) == "mixed photos"
    assert title_of([], 3) == "mixed photos 3"
    assert title_of(["person", "summer party"]) == "people and summer party"
    with translation.override("fr"):
        assert title_of(["dining table", "person"]) == "des personnes à table"
        assert title_of(["cat", "dog"]) == "chats et chiens"
        assert title_of(["oven", "refrigerator"]) == "fours et réfrigérateurs"
        assert title_of([]) == "photos diverses"
        assert title_of([], 2) == "photos diverses 2"


def test_photos_that_look_alike_come_together(three_kinds: list[list[Image]]) -> None:
    found = [groups_of(images) for images in three_kinds]
    assert not found[0] & found[1]
    assert not found[1] & found[2]
    titles = [{PhotoGroup.objects.get(pk=pk).title for pk in some} for some in found]
    assert any(title.startswith("cats") for title in titles[0])
    assert any("tables" in title for title in titles[1])
    assert any("motorcycles" in title for title in titles[2])
    assert group_photos() == 0


def test_new_photos_join_at_once_and_groups_stay_the_same_when_made_anew(
    three_kinds: list[list[Image]],
) -> None:
    cats = PhotoGroup.objects.get(pk=min(groups_of(three_kinds[0][:1])))
    rename_group(cats, "  Our\tcats ")
    keys = set(PhotoGroup.objects.values_list("key", flat=True))
    few = add_kind(0, 2, start=100)
    assert group_photos() == 2
    assert groups_of(few) <= groups_of(three_kinds[0])
    many = [add_kind(kind, 2 * A_KIND_HAS, start=200) for kind in range(3)]
    assert group_photos() == 9 * A_KIND_HAS + 2
    assert keys <= set(PhotoGroup.objects.values_list("key", flat=True))
    cats.refresh_from_db()
    assert cats.title == "Our cats"
    members = GroupedPhoto.objects.filter(group=cats)
    assert members.filter(image__name__startswith="cat").count() == members.count() > 0
    assert not groups_of(many[0]) & groups_of(many[1])


def test_tags_that_people_give_become_names(three_kinds: list[list[Image]]) -> None:
    cats = groups_of(three_kinds[0])
    change_tags([image.pk for image in three_kinds[0]], add=["Our pets"])
    assert call_groups.call() is None
    titles = {group.title for group in PhotoGroup.objects.filter(pk__in=cats)}
    assert all(title.startswith("our pets") for title in titles)
    change_tags([image.pk for image in three_kinds[0]], add=["cats"], remove=["our pets"])
    assert call_groups_anew() == len(cats)
    assert all(group.typical == ["cat"] for group in PhotoGroup.objects.filter(pk__in=cats))


def test_what_is_a_tag_is_not_counted_as_a_look_too(three_kinds: list[list[Image]]) -> None:
    ids = np.array(sorted(image.pk for image in three_kinds[0]), np.int64)

    def names() -> set[str]:
        kinds = count_kinds(components.index(), ids, np.zeros(len(ids), np.int64), 1)
        return {name for name in kinds.names if name.lower() == "t-shirt"}

    assert names() == {"T-shirt"}
    change_tags(ids.tolist(), add=["T-shirt"])
    assert names() == {"t-shirt"}
    assert title_of(["t-shirt"]) == title_of(["T-shirt"]) == "T-shirts"


def test_names_and_pairs_outlive_the_catalogue(three_kinds: list[list[Image]]) -> None:
    group = PhotoGroup.objects.get(pk=min(groups_of(three_kinds[1][:1])))
    before = set(GroupedPhoto.objects.filter(group=group).values_list("image_id", flat=True))
    rename_group(group, "Dinners")
    text = decisions_text()
    assert text.count == 1
    PhotoGroup.objects.all().delete()
    assert bring_decisions(text.text) == 1
    group_photos()
    again = PhotoGroup.objects.get(name="Dinners")
    assert again.key == group.key
    after = set(GroupedPhoto.objects.filter(group=again).values_list("image_id", flat=True))
    assert len(before & after) >= len(before) / 2
    for damaged in ("{", '{"keep": [1]}', '{"group": "x", "centre": "AAAA"}', "[]"):
        with pytest.raises(DecisionsUnreadable):
            bring_decisions(damaged)


def test_pages_and_api_show_groups_and_rename_them(
    three_kinds: list[list[Image]], client: Client
) -> None:
    move_to_trash([three_kinds[0][0].pk])
    change_tags([three_kinds[0][0].pk, three_kinds[0][1].pk], add=["Our pets"])
    page = client.get("/groups/")
    assert b"tables" in page.content
    link = '<a href="/search?q=tag%3A%22our%20pets%22">our pets <span class="tag-count">1<'
    assert link in page.content.decode(), "one photo of them is in the trash"
    listed = client.get("/api/v1/groups").json()
    assert sum(group["photos"] for group in listed) == 3 * A_KIND_HAS - 1
    group = PhotoGroup.objects.get(key=listed[0]["key"])
    images = client.get(f"/api/v1/groups/{group.key}/images?limit=2").json()
    assert images["total"] == listed[0]["photos"]
    assert len(images["photos"]) == 2
    assert client.get("/api/v1/groups/none/images").status_code == 404
    assert client.get("/groups/none/").status_code == 404
    address = f"/groups/{group.key}/rename"
    assert client.post(address, {"name": "x" * 121}).status_code == 400
    answer = client.post(address, {"name": "<b>Mine</b>"}, follow=True)
    assert b"&lt;b&gt;Mine" in answer.content
    client.post(address, {"name": ""})
    assert PhotoGroup.objects.get(key=group.key).name == ""
    with pytest.raises(QueryRefused):
        rename_group(group, "x" * 121)


def test_few_photos_make_no_groups(
    packaged_photos: dict[str, int], client: Client, run_worker: Callable[[], None]
) -> None:
    assert group_photos() == 0
    assert b"No groups yet" in client.get("/groups/").content
