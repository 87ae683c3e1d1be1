from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from featurestore.checking import Remedy
from featurestore.segments import Edit, StoredImage
from gallery import components
from gallery.checking import check_gallery
from gallery.models import Image
from gallery.originals import read_original
from gallery.uploads import receive_file
from tests.featurestore.damage import flip_bit_of
from tests.photos import CAT, drawn_png

pytestmark = pytest.mark.django_db

Photos = dict[str, int]


def check(*options: str) -> tuple[int, dict[str, Any]]:
    """Exit status and JSON of the command."""
    output = io.StringIO()
    try:
        call_command("check_store", *options, "--json", verbosity=0, stdout=output)
    except SystemExit as end:
        return int(str(end.code)), json.loads(output.getvalue())
    return 0, json.loads(output.getvalue())


def problems() -> list[str]:
    return [finding.problem for finding in check_gallery()]


def segment(kind: str) -> Path:
    return next(components.store().folder.glob(f"{kind}/**/*.h5"))


def test_a_sound_gallery_is_one_line_and_exit_0(
    packaged_photos: Photos, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("check_store", verbosity=0)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("6 images, 2 segments, ")
    assert line.endswith("all sound.")


def test_it_counts_as_json(packaged_photos: Photos) -> None:
    status, facts = check()
    assert status == 0
    assert (facts["sound"], facts["images"], facts["findings"]) == (True, 6, [])


def test_findings_are_listed_with_exit_1(
    packaged_photos: Photos, capsys: pytest.CaptureFixture[str]
) -> None:
    segment("images").write_bytes(b"damaged")
    with pytest.raises(SystemExit) as end:
        call_command("check_store", verbosity=0)
    assert end.value.code == 1
    output = capsys.readouterr().out
    assert "SHA-256 is not that of its name. [salvage]" in output
    assert "--repair mends what can be mended" in output


def test_photos_that_wait_are_sound(gallery_data: Path, make_file: Any) -> None:
    receive_file(make_file(drawn_png(1), "waits.png"))
    assert problems() == []


def test_a_row_without_its_image_is_named(packaged_photos: Photos) -> None:
    segment("images").unlink()
    assert sum("whose original is gone or damaged" in problem for problem in problems()) == 6


def test_an_image_without_its_row_is_named_and_gets_it_back(packaged_photos: Photos) -> None:
    before = Image.objects.values().get(pk=packaged_photos["chelsea"])
    Image.objects.filter(pk=before["id"]).delete()
    assert problems() == [f"has no row of image {before['id']}, which is in the store."]
    status, facts = check("--repair")
    assert (status, facts["repaired"]["rows_written"]) == (0, 1)
    after = Image.objects.values().get(pk=before["id"])
    ignored = {"due_at", "preview", "tries", "uploaded_at"}
    assert {k: v for k, v in after.items() if k not in ignored} == {
        k: v for k, v in before.items() if k not in ignored
    }
    assert abs(after["uploaded_at"] - before["uploaded_at"]).total_seconds() < 1e-3


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sha256", "0" * 64),
        ("name", "other.png"),
        ("media_type", "image/webp"),
        ("size", 1),
        ("width", 1),
        ("height", 1),
        ("state", "reafy"),
    ],
)
def test_a_row_that_the_store_contradicts_is_written_again(
    packaged_photos: Photos, field: str, value: object
) -> None:
    cat = Image.objects.filter(pk=packaged_photos["chelsea"])
    before = cat.values_list(field, flat=True).get()
    cat.update(**{field: value})
    assert packaged_photos["chelsea"] in [finding.image_id for finding in check_gallery()]
    assert check("--repair")[0] == 0
    assert cat.values_list(field, flat=True).get() == before


def test_a_renamed_photo_keeps_its_new_name(packaged_photos: Photos) -> None:
    cat = packaged_photos["chelsea"]
    components.store().append_edits([Edit(cat, "name", '"Mieze 🐈.png"', 1.0)])
    Image.objects.filter(pk=cat).update(name="Mieze 🐈.png")
    assert problems() == []
    Image.objects.filter(pk=cat).update(name="chelsea.png")
    assert problems() == [f"has another name of image {cat} than the store."]


def test_the_catalogue_gives_back_names_whose_edits_are_damaged(packaged_photos: Photos) -> None:
    cat = packaged_photos["chelsea"]
    components.store().append_edits([Edit(cat, "name", '"Mieze.png"', 1.0)])
    Image.objects.filter(pk=cat).update(name="Mieze.png")
    segment("edits").write_bytes(b"damaged")
    assert check("--repair")[0] == 0
    assert Image.objects.get(pk=cat).name == "Mieze.png"
    assert components.store().edits()[cat, "name"].value == '"Mieze.png"'


def test_a_row_of_a_deleted_image_goes(packaged_photos: Photos) -> None:
    cat = packaged_photos["chelsea"]
    components.store().delete([cat])
    assert problems() == [f"has a row of image {cat}, which is deleted."]
    assert check("--repair")[0] == 0
    assert not Image.objects.filter(pk=cat).exists()


def test_lost_features_are_derived_again(
    packaged_photos: Photos, run_worker: Callable[[], None]
) -> None:
    segment("features").write_bytes(b"damaged")
    status, facts = check("--repair")
    assert (status, facts["repaired"]["to_derive"], facts["repaired"]["lost"]) == (0, 6, [])
    run_worker()
    assert Image.objects.ready().count() == 6
    assert problems() == []
    assert len(components.index()) == 6


def test_a_lost_photo_is_named_and_shown_as_lost(packaged_photos: Photos, client: Client) -> None:
    flip_bit_of(segment("images"), CAT.read_bytes())
    cat = packaged_photos["chelsea"]
    status, facts = check("--repair")
    assert facts["repaired"]["lost"] == [{"id": cat, "name": "chelsea.png"}]
    assert facts["repaired"]["salvaged_images"] == 5
    assert (status, facts["left"], facts["lost"]) == (0, [], 1)
    row = Image.objects.get(pk=cat)
    assert row.is_lost
    assert row.failure == "Its original was damaged on disk; only a backup can bring it back."
    assert 'action="/retry"' not in client.get("/").content.decode()
    client.post("/retry")
    assert Image.objects.get(pk=cat).is_lost
    for address in ("", "original", "grid.jpg", "similar"):
        assert client.get(f"/photos/{cat}/{address}").status_code in (200, 400, 404)
    assert problems() == []


def test_a_photo_whose_segment_comes_back_from_a_backup_is_found_again(
    packaged_photos: Photos, run_worker: Callable[[], None]
) -> None:
    path = segment("images")
    whole = path.read_bytes()
    flip_bit_of(path, CAT.read_bytes())
    check("--repair")
    path.write_bytes(whole)
    assert check("--repair")[0] == 0
    cat = Image.objects.get(pk=packaged_photos["chelsea"])
    assert cat.is_ready
    assert read_original(cat) == CAT.read_bytes()


def test_a_damaged_spool_file_goes_to_quarantine_and_its_photo_is_lost(
    gallery_data: Path, make_file: Any
) -> None:
    image = receive_file(make_file(drawn_png(1), "waits.png")).image
    assert image is not None
    path = components.spool().path(image.spool_name)
    flip_bit_of(path, drawn_png(1))
    assert any(finding.path == path for finding in check_gallery())
    status, facts = check("--repair")
    assert status == 0
    assert facts["repaired"]["lost"] == [{"id": image.pk, "name": "waits.png"}]
    assert not path.exists()
    assert Path(facts["repaired"]["quarantined"][0]).exists()


def test_old_files_without_a_photo_are_rubbish(packaged_photos: Photos) -> None:
    in_spool = components.spool().path("half-an-upload")
    thumbnail = components.thumbnails().folder / "00" / ("0" * 64 + "-480.jpg")
    for path in (in_spool, thumbnail):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"left")
    assert problems() == []  # An upload or a deletion may be under way.
    for path in (in_spool, thumbnail):
        os.utime(path, (0, 0))
    assert problems() == ["belongs to no photo."] * 2
    assert check("--repair")[0] == 0
    assert not in_spool.exists()
    assert not thumbnail.exists()


def test_an_old_original_without_a_row_is_taken_in(gallery_data: Path, make_file: Any) -> None:
    image = receive_file(make_file(drawn_png(1), "forgotten.png")).image
    assert image is not None
    os.utime(components.spool().path(image.spool_name), (0, 0))
    Image.objects.all().delete()
    assert problems() == ["belongs to no photo."]
    assert check("--repair")[0] == 0
    adopted = Image.objects.get()
    assert (adopted.name, read_original(adopted)) == ("forgotten.png", drawn_png(1))


def test_a_damaged_thumbnail_is_removed_and_made_again(
    packaged_photos: Photos, client: Client
) -> None:
    path = next(components.thumbnails().files())
    content = path.read_bytes()
    path.write_bytes(content[:500] + bytes([content[500] ^ 1]) + content[501:])
    (finding,) = check_gallery()
    assert (finding.path, finding.remedy) == (path, Remedy.REMOVE)
    assert check("--repair")[0] == 0
    for image in Image.objects.all():
        assert client.get(f"/photos/{image.pk}/grid.jpg").status_code == 200
    assert problems() == []
    assert path.read_bytes() == content


def test_the_same_bytes_twice_in_the_store_become_one_photo(packaged_photos: Photos) -> None:
    store = components.store()
    facts = next(store.image_facts())
    twin = StoredImage(
        image_id=1000,
        name="twin",
        media_type=facts.media_type,
        width=facts.width,
        height=facts.height,
        uploaded_at=1.0,
        data=store.read_image(facts.image_id),
    )
    store.append_images([twin])
    assert problems() == ["has no row of image 1000, which is in the store."]
    assert check("--repair")[0] == 0
    assert Image.objects.count() == 6
    assert 1000 in store.deleted_ids()
