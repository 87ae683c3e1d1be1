from __future__ import annotations

import io
import json
import resource
import signal
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from django.conf import settings as gallery_settings
from django.core.management import CommandError, call_command
from numpy.typing import NDArray
from pytest_django import Settings

from gallery import components
from gallery.decoding import read_pixels
from gallery.models import Image
from gallery.originals import read_original
from tests.conftest import empty_data_folder
from tests.gallery.conftest import MakeFile
from tests.photos import drawn_photo, encoded

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("gallery_data")]

SIDEWAYS = 6
ORIENTATION = 0x0112


def run(command: str, *arguments: object) -> str:
    """What a command prints."""
    output = io.StringIO()
    call_command(command, *map(str, arguments), verbosity=0, stdout=output)
    return output.getvalue()


def run_json(command: str, *arguments: object) -> dict[str, Any]:
    """The last line of what a command prints."""
    found: dict[str, Any] = json.loads(run(command, *arguments, "--json").splitlines()[-1])
    return found


def all_pixels(make_file: MakeFile) -> dict[str, NDArray[np.uint8]]:
    """Pixels of every photo of the gallery, upright and in full size, by name."""
    pixels = {}
    for image in Image.objects.ready():
        path = make_file(read_original(image), "original")
        pixels[image.name] = np.asarray(read_pixels(path, gallery_settings.MAX_PIXELS))
    return pixels


@pytest.fixture
def photos(make_file: MakeFile) -> list[Path]:
    """Files of several formats: one sideways, one grey, one with a large picture."""
    sideways = drawn_photo(2)
    exif = sideways.getexif()
    exif[ORIENTATION] = SIDEWAYS
    return [
        make_file(encoded(drawn_photo(1), "PNG"), "plain.png"),
        make_file(encoded(sideways, "JPEG", exif=exif), "sideways.jpg"),
        make_file(encoded(drawn_photo(3).convert("L"), "JPEG"), "grey.jpg"),
        make_file(encoded(drawn_photo(4, (1500, 900)), "WEBP"), "large.webp"),
    ]


@pytest.fixture
def exported(photos: list[Path], tmp_path: Path) -> Path:
    """A file that a gallery with these photos was exported to."""
    run("ingest", *photos)
    run("export_h5", tmp_path / "gallery.h5")
    return tmp_path / "gallery.h5"


def test_an_export_holds_upright_pixels_and_features(exported: Path) -> None:
    with h5py.File(exported) as file:
        groups = [file[name] for name in ("raw_images", "ssd_feature_group", "nlp_feature_group")]
        assert [list(group) for group in groups] == [
            ["plain.png", "sideways.jpg", "grey.jpg", "large.webp"]
        ] * 3
        shapes = [[group[name].shape for name in group] for group in groups]
        assert shapes[0] == [(48, 64, 3), (64, 48, 3), (48, 64, 3), (900, 1500, 3)]
        assert shapes[1:] == [[(20, 6)] * 4, [(50,)] * 4]
        assert {group[name].dtype for group in groups for name in group} == {np.dtype("float32")}
        np.testing.assert_array_equal(groups[0]["plain.png"][:], np.asarray(drawn_photo(1)))


def test_an_import_elsewhere_has_the_same_pixels(
    exported: Path, make_file: MakeFile, tmp_path: Path
) -> None:
    before = all_pixels(make_file)
    Image.objects.all().delete()
    with empty_data_folder(tmp_path / "elsewhere"):
        facts = run_json("import_h5", exported)
        after = all_pixels(make_file)
        assert {image.media_type for image in Image.objects.all()} == {"image/png"}
    assert (facts["received"], facts["stored"], facts["duplicates"]) == (4, 4, 0)
    assert facts["rejected"] == []
    assert set(facts) == {
        "received", "stored", "duplicates", "rejected", "seconds", "images_per_second"
    }  # fmt: skip
    assert list(after) == list(before) == ["plain.png", "sideways.jpg", "grey.jpg", "large.webp"]
    for name in before:
        np.testing.assert_array_equal(after[name], before[name])


def test_a_second_import_finds_duplicates(exported: Path) -> None:
    run("import_h5", exported)
    facts = run_json("import_h5", exported)
    assert (facts["received"], facts["stored"], facts["duplicates"]) == (4, 0, 4)


def test_an_export_replaces_no_file_unless_told_to(exported: Path) -> None:
    content = exported.read_bytes()
    with pytest.raises(CommandError, match="is there already; --force replaces it"):
        run("export_h5", exported)
    assert exported.read_bytes() == content
    exported.write_bytes(b"old")
    assert run("export_h5", exported, "--force").startswith("4 photos written to ")
    assert h5py.is_hdf5(exported)


def test_an_export_says_what_is_not_ready_yet(photos: list[Path], tmp_path: Path) -> None:
    run("ingest", photos[0])
    Image.objects.create(sha256="0" * 64, name="waiting", size=1, width=1, height=1, spool_name="x")
    printed = run("export_h5", tmp_path / "gallery.h5")
    assert printed.startswith("1 photos written to ")
    assert "1 photos that are not ready yet were left out." in printed


def test_an_export_says_what_is_damaged(photos: list[Path], tmp_path: Path) -> None:
    for photo in photos[:2]:
        run("ingest", photo)
    first = min((components.store().folder / "images").iterdir())
    first.write_bytes(first.read_bytes()[:2000])
    components.store.cache_clear()
    printed = run("export_h5", tmp_path / "gallery.h5")
    assert printed.startswith("1 photos written to ")
    assert (
        "What is in 1 damaged segments was left out: run `python manage.py check_store`" in printed
    )


def test_an_export_to_a_folder_that_is_missing_says_so(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"Nothing was written: .*missing"):
        run("export_h5", tmp_path / "missing" / "gallery.h5")


def test_an_export_that_the_disk_has_no_room_for_leaves_nothing(
    photos: list[Path], tmp_path: Path
) -> None:
    run("ingest", *photos)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    try:
        with pytest.raises(CommandError, match=r"Nothing was written: The disk is full\."):
            run("export_h5", tmp_path / "gallery.h5")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert list(tmp_path.glob("*.h5")) == list(tmp_path.glob(".unfinished-*")) == []


def test_an_odd_array_is_refused_by_itself(tmp_path: Path, make_file: MakeFile) -> None:
    with h5py.File(tmp_path / "original.h5", "w") as file:
        group = file.create_group("raw_images")
        group["bad"] = np.full((8, 8, 3), 1000.0)
        group["good.jpg"] = np.asarray(drawn_photo(5)) / 255
    facts = run_json("import_h5", tmp_path / "original.h5")
    assert (facts["received"], facts["stored"]) == (2, 1)
    (rejected,) = facts["rejected"]
    assert rejected["path"] == "bad"
    assert "0..255, are in 1000..1000" in rejected["reason"]
    (pixels,) = all_pixels(make_file).values()
    np.testing.assert_array_equal(pixels, np.asarray(drawn_photo(5)))


def test_an_import_without_the_models_says_what_to_do(tmp_path: Path, settings: Settings) -> None:
    with h5py.File(tmp_path / "original.h5", "w") as file:
        file.create_group("raw_images")["good.jpg"] = np.asarray(drawn_photo(5)) / 255
    settings.WORD_VECTORS = tmp_path / "gone.kv"
    with pytest.raises(CommandError, match=r"The models are not set up: .*run `make setup`"):
        run("import_h5", tmp_path / "original.h5")


def test_a_file_that_is_not_in_the_layout_is_refused(make_file: MakeFile, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="not an HDF5 file"):
        run("import_h5", make_file(b"text", "text.h5"))
    with pytest.raises(CommandError, match="No such file"):
        run("import_h5", tmp_path / "nowhere.h5")
    assert Image.objects.count() == 0
