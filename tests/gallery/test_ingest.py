from __future__ import annotations

import io
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import h5py
import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from numpy.typing import NDArray
from PIL import Image as Pillow
from pytest_django import Settings

from gallery import components
from gallery.decoding import PhotoFacts, detector_input, read_pixels
from gallery.ingest import BATCHES_AT_ONCE, Ingestion, ingest_batch
from gallery.models import Image
from gallery.originals import delete_images, read_original
from gallery.preparing import Prepared, prepare
from gallery.search import detections_of, search_text
from gallery.thumbnails import Size
from gallery.uploads import receive_file
from tests.gallery.conftest import MakeFile
from tests.gallery.served_gallery import REPOSITORY, free_port, own_environment
from tests.photos import CAT, COFFEE, HORSE, drawn_png

pytestmark = pytest.mark.django_db

CAT_ID = 17


def received(*paths: Path) -> list[Image]:
    images = [receive_file(path).image for path in paths]
    return [image for image in images if image is not None]


def spooled() -> list[Path]:
    return list(components.spool().folder.iterdir())


def stored_features(group: str) -> NDArray[np.float32]:
    """Every row of features in the store's files, of whichever image."""
    parts = []
    for path in sorted(components.store().folder.glob("features/*/*.h5")):
        with h5py.File(path) as file:
            parts.append(file[group]["features"][:])
    return np.concatenate(parts)


def let_pass(**duration: float) -> None:
    """What waits is due sooner, as it would be after a time."""
    for image in Image.objects.all():
        image.due_at -= timedelta(**duration)
        image.save()


@pytest.fixture
def broken_detector(settings: Settings) -> Iterator[Callable[[], None]]:
    """The detector is a server that does not run; calling this repairs it."""
    components.detector.cache_clear()
    settings.DETECTOR_URL = f"grpc://127.0.0.1:{free_port()}"

    def repair() -> None:
        components.detector.cache_clear()
        settings.DETECTOR_URL = "local:"

    yield repair
    components.detector.cache_clear()


@pytest.fixture
def missing_model(settings: Settings, tmp_path: Path) -> Iterator[Callable[[], None]]:
    """There is no exported model, which does not pass by itself; calling this repairs it."""
    components.detector.cache_clear()
    models, settings.GALLERY_MODELS = settings.GALLERY_MODELS, tmp_path

    def repair() -> None:
        settings.GALLERY_MODELS = models

    yield repair
    components.detector.cache_clear()


def test_a_received_photo_becomes_ready_with_features_and_thumbnail(
    gallery_data: Path, run_worker: Callable[[], None]
) -> None:
    [image] = received(CAT)
    assert image.state == Image.State.RECEIVED
    run_worker()
    image.refresh_from_db()
    assert (image.state, image.spool_name, image.failure) == (Image.State.READY, "", "")
    ssd, nlp = stored_features("ssd_feature_group"), stored_features("nlp_feature_group")
    assert (ssd.shape, nlp.shape) == ((1, 20, 6), (1, 50))
    assert ssd[0, 0, 0] == CAT_ID
    np.testing.assert_allclose(nlp[0], components.vocabulary().phrase_vector(["cat"]), rtol=1e-5)
    with Pillow.open(components.thumbnails().path(image.sha256, Size.GRID)) as thumbnail:
        assert thumbnail.format == "JPEG"
        assert max(thumbnail.size) == min(480, max(image.width, image.height)) == 451
    assert read_original(image) == CAT.read_bytes()
    assert spooled() == []


def test_all_that_waits_is_taken_in_batches(
    gallery_data: Path,
    run_worker: Callable[[], None],
    make_file: MakeFile,
    settings: Settings,
) -> None:
    settings.INGEST_BATCH = 4
    received(*(make_file(drawn_png(seed), f"{seed}.png") for seed in range(10)))
    assert len(Image.objects.claim_batch()) == 4
    let_pass(hours=1)
    run_worker()
    assert Image.objects.ready().count() == 10
    assert len(components.store().image_ids()) == 10


def test_a_batch_is_small_enough_for_the_memory(gallery_data: Path, settings: Settings) -> None:
    received(CAT, COFFEE, HORSE)
    settings.INGEST_BATCH_BYTES = CAT.stat().st_size + 1
    assert [image.name for image in Image.objects.claim_batch()] == ["chelsea.png"]
    # One that is larger than the limit is taken by itself.
    assert [image.name for image in Image.objects.claim_batch()] == ["coffee.png"]


def test_a_claimed_batch_is_not_claimed_again(gallery_data: Path) -> None:
    received(CAT, COFFEE)
    first = Image.objects.claim_batch()
    assert {image.name for image in first} == {"chelsea.png", "coffee.png"}
    assert Image.objects.claim_batch() == []


def test_what_a_killed_worker_held_is_claimed_again_after_its_lease(
    gallery_data: Path, settings: Settings
) -> None:
    received(CAT, COFFEE)
    Image.objects.claim_batch()
    let_pass(seconds=settings.INGEST_LEASE_SECONDS - 5)
    assert Image.objects.claim_batch() == []
    let_pass(seconds=6)
    # Each alone, because one of them may be what killed the worker.
    assert [len(Image.objects.claim_batch()) for _ in range(3)] == [1, 1, 0]


def test_new_photos_go_before_those_that_were_tried(gallery_data: Path) -> None:
    received(CAT)
    Image.objects.claim_batch()
    let_pass(hours=1)
    received(COFFEE)
    assert [image.name for image in Image.objects.claim_batch()] == ["coffee.png"]


def test_uploads_go_before_imports_that_have_waited_longer(gallery_data: Path) -> None:
    imported, uploaded = received(CAT, COFFEE)
    Image.objects.filter(pk=imported.pk).update(priority=Image.Priority.IMPORT)
    assert [image.pk for image in Image.objects.claim_batch()] == [uploaded.pk, imported.pk]


def test_an_upload_goes_before_imports_even_when_it_was_tried(gallery_data: Path) -> None:
    tried, imported = received(CAT, COFFEE)
    Image.objects.filter(pk=tried.pk).update(tries=1)
    Image.objects.filter(pk=imported.pk).update(priority=Image.Priority.IMPORT)
    assert [image.pk for image in Image.objects.claim_batch()] == [tried.pk]
    assert [image.pk for image in Image.objects.claim_batch()] == [imported.pk]


class SlowDetector:
    """The real one, after a while."""

    def __init__(self, seconds: float) -> None:
        self.model_id = components.detector().model_id
        self._detect = components.detector().detect
        self._seconds = seconds

    def detect(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        time.sleep(self._seconds)
        return self._detect(images)


class Rivalled(Ingestion):
    """Another worker looks for work whenever this one comes to say that it is alive."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def renew_leases(self) -> None:
        super().renew_leases()
        self.looks += 1
        assert Image.objects.claim_batch() == []


def test_a_worker_at_work_keeps_its_images_for_longer_than_a_lease(
    gallery_data: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    received(CAT)
    settings.INGEST_LEASE_SECONDS = 1
    slow = SlowDetector(2.5)
    monkeypatch.setattr(components, "detector", lambda: slow)
    ingestion = Rivalled()
    with ingestion:
        ingestion.add(Image.objects.claim_batch())
        ingestion.finish()
    assert (ingestion.ready, Image.objects.get().tries) == (1, 1)
    assert ingestion.looks >= 5


def test_batches_wait_for_room_so_that_memory_does_not_grow(
    gallery_data: Path, settings: Settings, make_file: MakeFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.INGEST_BATCH = 1
    received(*(make_file(drawn_png(seed), f"{seed}.png") for seed in range(BATCHES_AT_ONCE + 2)))
    slow = SlowDetector(0.5)
    monkeypatch.setattr(components, "detector", lambda: slow)
    with Ingestion() as ingestion:
        for _ in range(BATCHES_AT_ONCE):
            ingestion.add(Image.objects.claim_batch())
        assert ingestion.ready == 0
        ingestion.add(Image.objects.claim_batch())
        assert ingestion.ready >= 1
        ingestion.finish()
    assert ingestion.ready == BATCHES_AT_ONCE + 1


def test_a_photo_that_kills_its_worker_each_time_is_given_up(
    gallery_data: Path, settings: Settings
) -> None:
    [image] = received(CAT)
    for _ in range(settings.INGEST_TRIES):
        assert len(Image.objects.claim_batch()) == 1
        let_pass(hours=1)
    assert Image.objects.claim_batch() == []
    image.refresh_from_db()
    assert image.state == Image.State.FAILED
    assert image.failure == "Each of 5 tries was cut off; the log may say why."


def test_where_no_detector_answers_photos_wait_for_as_long_as_it_takes(
    gallery_data: Path, broken_detector: Callable[[], None]
) -> None:
    [image] = received(CAT)
    for tries in (0, 4):
        Image.objects.update(tries=tries)
        assert ingest_batch(Image.objects.claim_batch()) == 0
        image.refresh_from_db()
        assert (image.state, image.tries) == (Image.State.RECEIVED, tries)
        assert image.failure.startswith("The detector failed: the detector at 127.0.0.1:")
        assert (image.due_at - timezone.now()).total_seconds() == pytest.approx(20, abs=2)
        assert read_original(image) == CAT.read_bytes()
        let_pass(hours=1)
    broken_detector()
    assert ingest_batch(Image.objects.claim_batch()) == 1
    image.refresh_from_db()
    assert (image.state, image.failure) == (Image.State.READY, "")


def test_a_worker_without_a_detector_leaves_the_queue_alone_for_a_while_and_says_why(
    gallery_data: Path,
    broken_detector: Callable[[], None],
    run_worker: Callable[[], None],
    settings: Settings,
    client: Client,
) -> None:
    settings.INGEST_BATCH = 1
    received(CAT, COFFEE, HORSE)
    run_worker()
    for image in Image.objects.all():
        assert (image.state, image.tries) == (Image.State.RECEIVED, 0)
        assert "unavailable" in image.failure
        assert image.due_at > timezone.now()
    progress = client.get(reverse("ingest_progress")).content.decode()
    assert "Photos wait, and are tried again by themselves. The detector failed" in progress
    broken_detector()
    let_pass(seconds=20)
    DBTaskResult.objects.update(run_after=timezone.now())
    run_worker()
    assert Image.objects.ready().count() == 3
    assert "Photos wait" not in client.get(reverse("ingest_progress")).content.decode()


def test_a_detector_that_fails_is_left_alone_by_the_batches_that_follow(
    gallery_data: Path, broken_detector: Callable[[], None]
) -> None:
    first, second = received(CAT, COFFEE)
    with Ingestion() as ingestion:
        Image.objects.filter(pk=second.pk).update(due_at=timezone.now() + timedelta(hours=1))
        ingestion.add(Image.objects.claim_batch())
        ingestion.finish()
        assert ingestion.hold_up is not None
        broken_detector()
        let_pass(hours=2)
        Image.objects.filter(pk=first.pk).delete()
        ingestion.add(Image.objects.claim_batch())
        ingestion.finish()
        second.refresh_from_db()
        assert (second.failure, second.tries) == (ingestion.hold_up.reason, 0)


def test_the_pauses_between_the_tries_add_up_to_minutes(gallery_data: Path) -> None:
    [image] = received(CAT)
    pauses = []
    for tries in (1, 2, 3, 4):
        image.tries = tries
        image.mark_try_failed("It rained.")
        image.refresh_from_db()
        pauses.append((image.due_at - timezone.now()).total_seconds())
    assert pauses == pytest.approx([5, 20, 80, 320], abs=2)


def test_after_five_tries_a_photo_has_failed_and_is_tried_again_from_the_page(
    gallery_data: Path,
    missing_model: Callable[[], None],
    run_worker: Callable[[], None],
    client: Client,
) -> None:
    image, other = received(CAT, COFFEE)
    Image.objects.update(tries=4)
    for _ in range(2):
        assert ingest_batch(Image.objects.claim_batch()) == 0
    image.refresh_from_db()
    assert image.state == Image.State.FAILED
    assert "no model at" in image.failure
    assert read_original(image) == CAT.read_bytes()
    missing_model()
    response = client.post(reverse("retry"), {"photo": image.pk})
    assert response.status_code == 302
    run_worker()
    image.refresh_from_db()
    other.refresh_from_db()
    assert (image.state, other.state) == (Image.State.READY, Image.State.FAILED)
    client.post(reverse("retry"))
    run_worker()
    other.refresh_from_db()
    assert other.state == Image.State.READY


@pytest.mark.parametrize("photo", ["abc", "-1", "", "9" * 30, "9" * 5000])
def test_retrying_what_is_no_photo_retries_nothing(
    photo: str, gallery_data: Path, client: Client
) -> None:
    received(CAT)
    Image.objects.update(state=Image.State.FAILED)
    assert client.post(reverse("retry"), {"photo": photo}).status_code == 404
    assert Image.objects.failed().count() == 1


def test_a_photo_is_decoded_once_where_it_is_received(
    gallery_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, damaged, lost = received(CAT, COFFEE, HORSE)
    pixels = components.thumbnails().pixels(whole.sha256)
    assert pixels is not None
    np.testing.assert_array_equal(pixels, detector_input(read_pixels(CAT, Size.GRID)))
    (path,) = components.thumbnails().folder.glob(f"*/{damaged.sha256}-detector.rgb")
    # As a power cut may leave it.
    path.write_bytes(bytes(path.stat().st_size))
    components.thumbnails().remove(lost.sha256)
    decoded = []

    def watched(original: bytes) -> tuple[PhotoFacts, Prepared]:
        decoded.append(original)
        return prepare(original)

    monkeypatch.setattr("gallery.preparing.prepare", watched)
    assert ingest_batch(Image.objects.claim_batch()) == 3
    assert set(decoded) == {COFFEE.read_bytes(), HORSE.read_bytes()}
    assert detections_of(whole.pk)[0, 0] == CAT_ID
    # Nothing but the thumbnails stays.
    assert len(list(components.thumbnails().files())) == 3


def test_pixels_are_kept_only_while_few_photos_wait(
    gallery_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gallery.uploads.MOST_KEPT_PIXELS", 1)
    first, second = received(CAT, COFFEE)
    assert components.thumbnails().pixels(first.sha256) is not None
    assert components.thumbnails().pixels(second.sha256) is None
    assert ingest_batch(Image.objects.claim_batch()) == 2


def test_a_photo_that_cannot_be_decoded_fails_without_those_beside_it(
    gallery_data: Path,
) -> None:
    broken, sound = received(CAT, COFFEE)
    components.spool().path(broken.spool_name).write_bytes(CAT.read_bytes()[:5000])
    assert ingest_batch(Image.objects.claim_batch()) == 1
    broken.refresh_from_db()
    sound.refresh_from_db()
    assert sound.state == Image.State.READY
    assert broken.state == Image.State.RECEIVED
    assert broken.failure.startswith("This photo is damaged or cut short")


def test_a_missing_spool_file_gives_the_reason(gallery_data: Path) -> None:
    lost, sound = received(CAT, COFFEE)
    components.spool().remove(lost.spool_name)
    assert ingest_batch(Image.objects.claim_batch()) == 1
    lost.refresh_from_db()
    sound.refresh_from_db()
    assert lost.failure == "The original is missing from the spool."
    assert sound.state == Image.State.READY


def test_a_photo_that_the_disk_does_not_give_is_tried_again_without_those_beside_it(
    gallery_data: Path,
) -> None:
    unreadable, sound = received(CAT, COFFEE)
    path = components.spool().path(unreadable.spool_name)
    path.unlink()
    # What is no file is refused by the system, to root as well.
    path.mkdir()
    assert ingest_batch(Image.objects.claim_batch()) == 1
    unreadable.refresh_from_db()
    sound.refresh_from_db()
    assert sound.state == Image.State.READY
    assert unreadable.state == Image.State.RECEIVED
    assert unreadable.failure == "The original cannot be read: Is a directory."
    path.rmdir()
    path.write_bytes(CAT.read_bytes())
    let_pass(hours=1)
    assert ingest_batch(Image.objects.claim_batch()) == 1


def test_a_photo_deleted_while_a_worker_holds_it_leaves_nothing_and_harms_no_other(
    gallery_data: Path,
) -> None:
    doomed, sound = received(CAT, COFFEE)
    batch = Image.objects.claim_batch()
    delete_images([doomed])
    assert ingest_batch(batch) == 1
    sound.refresh_from_db()
    assert sound.state == Image.State.READY
    assert components.store().image_ids().tolist() == [sound.pk]
    assert not Image.objects.filter(pk=doomed.pk).exists()
    assert not components.thumbnails().path(doomed.sha256, Size.GRID).exists()
    assert spooled() == []


def test_a_photo_deleted_after_it_was_read_leaves_nothing(gallery_data: Path) -> None:
    [image] = received(CAT)
    batch = Image.objects.claim_batch()
    # The row goes while the file, which the worker has open, is still there.
    Image.objects.all().delete()
    assert ingest_batch(batch) == 0
    assert len(components.store().image_ids()) == 0
    assert len(components.index()) == 0
    assert not components.thumbnails().path(image.sha256, Size.GRID).exists()
    assert spooled() == []


def test_a_worker_killed_between_storing_and_marking_stores_nothing_twice(
    gallery_data: Path, settings: Settings
) -> None:
    [image] = received(CAT)
    spool_name = image.spool_name
    ingest_batch(Image.objects.claim_batch())
    # The catalogue and the spool as they were at the moment before the mark.
    components.spool().path(spool_name).write_bytes(CAT.read_bytes())
    Image.objects.update(state=Image.State.RECEIVED, spool_name=spool_name)
    let_pass(seconds=settings.INGEST_LEASE_SECONDS + 1)
    assert ingest_batch(Image.objects.claim_batch()) == 1
    assert components.store().image_ids().tolist() == [image.pk]
    assert len(list(components.store().folder.glob("images/*.h5"))) == 1
    answer = search_text("cat")
    assert [hit.image.pk for hit in answer.hits] == [image.pk]


def test_a_worker_that_is_late_does_not_undo_what_the_next_one_did(gallery_data: Path) -> None:
    [image] = received(CAT)
    late = Image.objects.claim_batch()
    let_pass(hours=1)
    assert ingest_batch(Image.objects.claim_batch()) == 1
    # The original has moved from the spool into the store meanwhile.
    ingest_batch(late)
    image.refresh_from_db()
    assert (image.state, image.failure) == (Image.State.READY, "")
    assert read_original(image) == CAT.read_bytes()
    assert [hit.image.pk for hit in search_text("cat").hits] == [image.pk]


def test_a_try_that_fails_late_does_not_put_a_ready_photo_back(gallery_data: Path) -> None:
    [image] = received(CAT)
    [late] = Image.objects.claim_batch()
    let_pass(hours=1)
    assert ingest_batch(Image.objects.claim_batch()) == 1
    late.mark_try_failed("The detector failed.")
    image.refresh_from_db()
    assert (image.state, image.failure) == (Image.State.READY, "")


def test_a_full_disk_keeps_photos_waiting_with_the_reason(tmp_path: Path) -> None:
    # In a process of its own: HDF5 is known to crash where it cannot write to the end.
    run = subprocess.run(
        [sys.executable, "-c", INGEST_ON_A_FULL_DISK, str(tmp_path / "photo.bmp")],
        cwd=REPOSITORY,
        env=own_environment(tmp_path / "data") | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    first, second, why, *refusals = run.stdout.splitlines()
    assert [first, second] == ["received The disk is full. []", "ready  []"]
    # An import ends all the same, and says what it has kept.
    assert why == "The disk is full; what was kept is looked at as soon as there is room."
    kept = "It is kept, and searchable once a worker has seen it. The disk is full."
    for number, refusal in enumerate(refusals):
        assert refusal == f"{number}.bmp {kept} received The disk is full."
    assert len(refusals) == 3


INGEST_ON_A_FULL_DISK = """
import io
import json
import pathlib
import sys
import django
django.setup()
from django.core.management import CommandError, call_command
from django.utils import timezone
from gallery import bulk_import, components
from gallery.catalogue import prepare_catalogue
from gallery.ingest import BATCHES_AT_ONCE, Ingestion, ingest_batch
from gallery.models import Image
from gallery.originals import read_original
from gallery.uploads import receive_file
from tests.gallery.full_disk import file_size_limit
from tests.photos import drawn_photo, encoded

photo = pathlib.Path(sys.argv[1])
photo.write_bytes(encoded(drawn_photo(size=(2000, 2000)), "BMP"))

def show():
    image = Image.objects.get()
    assert read_original(image) == photo.read_bytes()
    unfinished = list(components.store().folder.rglob(".unfinished-*"))
    print(image.state, image.failure, unfinished)

prepare_catalogue()
receive_file(photo)
batch = Image.objects.claim_batch()
# The catalogue is smaller than that, the photo is larger.
with file_size_limit(6_000_000):
    ingest_batch(batch)
show()
Image.objects.update(due_at=timezone.now())
ingest_batch(Image.objects.claim_batch())
show()

folder = photo.parent / "folder"
folder.mkdir()
for number in range(3):
    smaller = encoded(drawn_photo(number, size=(1000, 1000)), "BMP")
    (folder / f"{number}.bmp").write_bytes(smaller)
bulk_import.PATIENCE_SECONDS = 0.0
output = io.StringIO()
try:
    # There is room for each of them, but not for all in one file of the store.
    with file_size_limit(6_000_000):
        call_command("ingest", str(folder), json=True, verbosity=0, stdout=output)
except CommandError as error:
    print(error)
for refusal in json.loads(output.getvalue())["rejected"]:
    name = pathlib.Path(refusal["path"]).name
    row = Image.objects.get(name=name)
    print(name, refusal["reason"], row.state, row.failure)
"""


def test_turned_photos_have_their_objects_upright(gallery_data: Path, make_file: MakeFile) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6
    output = io.BytesIO()
    with Pillow.open(CAT) as cat:
        lying = cat.convert("RGB").transpose(Pillow.Transpose.ROTATE_90)
        lying.save(output, "JPEG", quality=95, exif=exif)
    upright, turned = received(CAT, make_file(output.getvalue(), "turned.jpg"))
    ingest_batch(Image.objects.claim_batch())
    assert (turned.width, turned.height) == (upright.width, upright.height)
    first, second = (detections_of(image.pk)[0] for image in (upright, turned))
    assert first[0] == second[0] == CAT_ID
    np.testing.assert_allclose(first[2:], second[2:], atol=15)
