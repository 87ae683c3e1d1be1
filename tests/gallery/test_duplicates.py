"""Duplicates: found by pixels and looks, shown side by side, tidied with a way back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from PIL import Image as Pillow

from gallery.backups import back_up, restore
from gallery.duplicates.alike_sets import MOST_SHOWN, alike_sets, keep_together, set_of
from gallery.duplicates.comparing import compare_photos, is_same_photo
from gallery.duplicates.hash_pairs import near_pairs
from gallery.duplicates.hashing import make_missing_hashes
from gallery.duplicates.look_pairs import near_by_whole_looks, near_in_reduced
from gallery.duplicates.models import AlikePair, ComparedPhoto
from gallery.duplicates.offered_sets import alike_ids, joined
from gallery.ingest import ingest_batch
from gallery.models import Image
from gallery.originals import delete_images, thumbnail_path
from gallery.tasks import schedule_looking
from gallery.thumbnails import Size
from gallery.uploads import receive_file
from tests.conftest import empty_data_folder
from tests.gallery.made_gallery import add_photo
from tests.photos import CAT, COFFEE, MOTORCYCLE, encoded

PIXELS, SCENE = AlikePair.Kind.PIXELS, AlikePair.Kind.SCENE

MakeFile = Callable[[bytes, str], Path]


@pytest.fixture
def cats(
    gallery_data: Path, db: None, make_file: MakeFile, run_worker: Callable[[], None]
) -> dict[str, int]:
    """A cat in three files, and two other photos, compared; ids by file stem."""
    with Pillow.open(CAT) as cat:
        small = cat.convert("RGB").resize((cat.width // 2, cat.height // 2))
        cut = cat.convert("RGB").crop((8, 6, cat.width - 8, cat.height - 6))
    paths = [CAT, COFFEE, MOTORCYCLE]
    paths.append(make_file(encoded(small, "JPEG", quality=60), "small.jpg"))
    paths.append(make_file(encoded(cut, "PNG"), "cut.png"))
    for path in paths:
        receive_file(path)
    ingest_batch(Image.objects.claim_batch())
    schedule_looking(0)
    run_worker()
    DBTaskResult.objects.filter(task_path="gallery.tasks.compare_looks").update(
        run_after=timezone.now()
    )
    run_worker()
    return {Path(image.name).stem: image.pk for image in Image.objects.all()}


def brute_force(hashes: np.ndarray, distance: int) -> set[tuple[int, int]]:
    first, second = np.triu_indices(len(hashes), 1)
    near = np.bitwise_count(hashes[first] ^ hashes[second]) <= distance
    return set(zip(first[near].tolist(), second[near].tolist(), strict=True))


@pytest.mark.parametrize("distance", [0, 6, 14, 15])
def test_no_near_pair_of_hashes_is_left_out(distance: int) -> None:
    rng = np.random.default_rng(distance)
    hashes = rng.integers(0, 2**64, 300, np.uint64)
    flips = rng.integers(0, 64, (300, 16)).astype(np.uint64)
    for at in range(0, 300, 2):
        for flip in flips[at, : rng.integers(0, 17)]:
            hashes[at + 1] = hashes[at] if flip is flips[at, 0] else hashes[at + 1]
            hashes[at + 1] ^= np.uint64(1) << flip
    pairs, bits = near_pairs(hashes, np.ones(300, np.bool_), distance, most=20)
    assert {(min(pair), max(pair)) for pair in pairs.tolist()} == brute_force(hashes, distance)
    assert (bits == np.bitwise_count(hashes[pairs[:, 0]] ^ hashes[pairs[:, 1]])).all()
    is_new = np.arange(300) >= 290
    pairs, _ = near_pairs(hashes, is_new, distance, most=20)
    expected = {pair for pair in brute_force(hashes, distance) if max(pair) >= 290}
    assert {(min(pair), max(pair)) for pair in pairs.tolist()} == expected


def test_a_thousand_white_pages_make_few_pairs_and_one_set() -> None:
    pairs, _ = near_pairs(np.zeros(1000, np.uint64), np.ones(1000, np.bool_), 14, most=20)
    assert len(pairs) < 20_000
    assert len(joined(pairs)) == 1
    with pytest.raises(ValueError, match="0 to 15"):
        near_pairs(np.zeros(2, np.uint64), np.ones(2, np.bool_), 16, most=20)


def test_nothing_near_by_its_whole_look_is_ruled_out_by_a_few_dimensions() -> None:
    rng = np.random.default_rng(5)
    rows = np.repeat(rng.normal(size=(40, 64)), 3, axis=0) + rng.normal(0, 0.25, (120, 64))
    units = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    everything = np.arange(120)
    found = near_in_reduced(units[:, :20], everything >= 0, everything, 0.9, 200)
    cosines = units @ units.T
    wanted = {(i, j) for j in range(120) for i in range(j) if cosines[i, j] >= 0.9}
    assert wanted
    assert wanted <= set(map(tuple, found.tolist()))


def test_few_new_photos_are_compared_with_all_by_their_whole_looks() -> None:
    rng = np.random.default_rng(6)
    rows = np.repeat(rng.normal(size=(20, 64)), 3, axis=0) + rng.normal(0, 0.25, (60, 64))
    units = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    ids, new = np.arange(100, 160), np.arange(110, 125)

    def near(most: int) -> list[tuple[int, int]]:
        parts = ((ids[start : start + 16], units[start : start + 16]) for start in range(0, 60, 16))
        found = near_by_whole_looks(parts, new, units[10:25], 0.9, most)
        return [(other - 100, own - 100) for other, own in found.tolist()]

    cosines = units @ units.T
    wanted = {
        (min(i, j), max(i, j)) for j in range(10, 25) for i in range(60) if cosines[i, j] >= 0.9
    }
    found = near(20)
    pairs = {(min(pair), max(pair)) for pair in found}
    assert pairs == {pair for pair in wanted if pair[0] != pair[1]}
    assert len(found) == len(pairs) > 0
    nearest = {pair[1]: pair for pair in sorted(found, key=lambda pair: cosines[pair])}
    assert len(found) > len(nearest)
    assert near(1) == [nearest[own] for own in sorted(nearest)]


def test_the_more_pixels_differ_the_more_alike_looks_have_to_be() -> None:
    bits = np.array([0, 6, 10, 14, 16])
    assert is_same_photo(bits, np.full(5, 0.96, np.float32)).tolist() == [True] * 4 + [False]
    assert is_same_photo(bits, np.full(5, 0.76, np.float32)).tolist() == [True] + [False] * 4
    assert not is_same_photo(bits, np.full(5, 0.5, np.float32)).any()


def test_pairs_join_into_sets() -> None:
    assert joined(np.array([(1, 2), (5, 6), (2, 3), (9, 3)])) == [[1, 2, 3, 9], [5, 6]]


def test_the_best_has_most_pixels_then_most_bytes_then_is_the_oldest() -> None:
    def photo(pk: int, width: int, size: int, day: int) -> Image:
        moment = datetime(2026, 1, day, tzinfo=UTC)
        return Image(pk=pk, width=width, height=10, size=size, uploaded_at=moment)

    photos = [photo(1, 10, 9, 1), photo(2, 20, 5, 1), photo(3, 20, 7, 3), photo(4, 20, 7, 2)]
    shown = set_of(photos)
    assert [one.image.pk for one in shown.photos] == [4, 3, 2, 1]
    facts = {fact.label: fact for fact in shown.photos[0].facts}
    assert facts["Pixels"].differs
    assert not facts["Pixels"].is_most
    assert not facts["Format"].differs


@pytest.mark.django_db
def test_of_a_large_set_a_part_is_shown_at_a_time(client: Client) -> None:
    images = [add_photo(f"{number}.jpg", None) for number in range(MOST_SHOWN + 3)]
    AlikePair.objects.bulk_create(
        AlikePair(first=first, second=second, kind=PIXELS) for first, second in pairwise(images)
    )
    [whole] = alike_ids(PIXELS)
    assert len(whole) == MOST_SHOWN + 3
    [shown] = alike_sets([whole])
    assert (len(shown.photos), shown.more) == (MOST_SHOWN, 3)
    assert b"and 3 more" in client.get("/duplicates/").content


def test_copies_in_another_size_quality_and_cut_are_found_and_others_are_not(
    cats: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = sorted([cats["chelsea"], cats["small"], cats["cut"]])
    assert alike_ids(PIXELS) == [wanted]
    assert alike_ids(SCENE) == []
    assert not ComparedPhoto.objects.filter(pixels_compared=False).exists()
    assert not ComparedPhoto.objects.filter(looks_compared=False).exists()
    monkeypatch.setattr("gallery.duplicates.comparing.FEW_PHOTOS", 0)
    ComparedPhoto.objects.update(looks_compared=False)
    assert compare_photos()
    assert not ComparedPhoto.objects.filter(looks_compared=False).exists()
    assert alike_ids(SCENE) == []
    delete_images(Image.objects.filter(pk=cats["small"]))
    assert alike_ids(PIXELS) == [[pk for pk in wanted if pk != cats["small"]]]


def test_tidying_keeps_the_best_moves_the_others_and_can_be_undone(
    cats: dict[str, int], client: Client
) -> None:
    page = client.get("/duplicates/").content.decode()
    assert page.count("data-alike-set>") == 1
    assert "move 2 others to the trash" in page
    ids = [cats["chelsea"], cats["small"], cats["cut"]]
    answer = client.get("/api/v1/duplicates").json()
    assert answer["total"] == 1
    assert [photo["best"] for photo in answer["sets"][0]] == [True, False, False]
    assert answer["sets"][0][0]["id"] == cats["chelsea"]
    asked = {"photo": ids, "keep": [cats["chelsea"]]}
    moved = client.post("/duplicates/tidy", asked, headers={"Accept": "application/json"}).json()
    assert moved["sentence"] == "2 photos moved to the trash."
    assert alike_ids(PIXELS) == []
    assert Image.objects.shown().count() == 3
    client.post("/trash/restore", {"moment": moved["moment"]})
    assert alike_ids(PIXELS) == [sorted(ids)]
    for keep in ([], [999], ["x"]):
        refused = client.post(
            "/duplicates/tidy",
            {"photo": ids, "keep": keep},
            headers={"Accept": "application/json"},
        )
        assert refused.status_code == 400
    assert Image.objects.trashed().count() == 0
    client.post("/duplicates/tidy", {"photo": ids, "keep": ids[:2]})
    assert set(Image.objects.trashed().values_list("pk", flat=True)) == {cats["cut"]}
    assert alike_ids(PIXELS) == []


def test_what_is_kept_is_not_offered_again_also_after_a_backup_and_a_rebuild(
    cats: dict[str, int], client: Client, tmp_path: Path
) -> None:
    ids = [cats["chelsea"], cats["small"], cats["cut"]]
    client.post("/duplicates/keep", {"photo": ids})
    assert alike_ids(PIXELS) == []
    call_command("rebuild_catalogue", force=True, verbosity=0)
    assert compare_photos()
    assert AlikePair.objects.filter(kind=PIXELS).count() >= 2
    assert alike_ids(PIXELS) == []
    back_up(tmp_path / "backup", lambda done, count: None)
    Image.objects.all().delete()
    with empty_data_folder(tmp_path / "restored"):
        restore(tmp_path / "backup", lambda done, count: None)
        assert compare_photos()
        assert alike_ids(PIXELS) == []
        client.post("/duplicates/offer")
        assert alike_ids(PIXELS) == [sorted(ids)]
        assert keep_together(ids, is_kept=False) >= 2


def test_a_photo_that_cannot_be_read_keeps_no_other_waiting(
    packaged_photos: dict[str, int],
) -> None:
    image = Image.objects.get(pk=packaged_photos["rocket"])
    thumbnail_path(image, Size.GRID).write_bytes(b"no picture")
    assert make_missing_hashes(60)
    assert bytes(ComparedPhoto.objects.get(pk=image.pk).pixel_hash) == b""
    assert ComparedPhoto.objects.exclude(pixel_hash=b"").count() == 5
