from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.gallery.served_gallery import REPOSITORY, ServedGallery, own_environment
from tests.photos import encoded

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a small file system")

FULL = 507


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)], check=False
    )
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount a file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


@pytest.fixture
def gallery(small_disk: Path) -> Iterator[ServedGallery]:
    gallery = ServedGallery(small_disk)
    gallery.start()
    yield gallery
    gallery.kill_all()


def noise(seed: int) -> bytes:
    """A photo of about half a megabyte, which cannot be compressed."""
    pixels = np.random.default_rng(seed).integers(0, 256, (400, 400, 3), np.uint8)
    return encoded(Pillow.fromarray(pixels), "PNG")


def test_a_full_disk_refuses_uploads_keeps_photos_and_work_resumes(
    gallery: ServedGallery, small_disk: Path
) -> None:
    stored: dict[int, bytes] = {}
    status, seed = 201, 0
    while status != FULL:
        seed += 1
        status, [answer] = gallery.upload((f"noise {seed}.png", noise(seed)))
        assert status in (201, FULL), answer
        if status == 201:
            stored[answer["id"]] = noise(seed)
    assert answer["sentence"].startswith("The disk is full")
    assert len(stored) > 3
    for image_id, data in stored.items():
        assert gallery.get(f"/photos/{image_id}/original") == data
    for path in ("/", "/photos/", "/search?q=dog"):
        assert gallery.get(path)
    assert gallery.process.poll() is None

    subprocess.run(["mount", "-o", "remount,size=100m", str(small_disk)], check=True)
    status, [answer] = gallery.upload(("last.png", noise(seed)))
    assert status == 201
    stored[answer["id"]] = noise(seed)
    for image_id, data in stored.items():
        assert gallery.wait_until_ready(image_id)
        assert gallery.get(f"/photos/{image_id}/original") == data
    checked = subprocess.run(
        [sys.executable, "manage.py", "check_store"],
        cwd=REPOSITORY,
        env=own_environment(small_disk),
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_a_gallery_starts_and_serves_on_an_almost_full_disk(
    gallery: ServedGallery, small_disk: Path
) -> None:
    status, [answer] = gallery.upload(("photo.png", noise(1)))
    assert status == 201
    gallery.wait_until_ready(answer["id"])
    assert gallery.stop() == 0
    filling = small_disk / "filling"
    with pytest.raises(OSError, match="No space left"):
        filling.write_bytes(bytes(2**26))
    # SQLite cannot even read without a little room.
    os.truncate(filling, filling.stat().st_size - 2**17)
    gallery.start()
    assert gallery.get(f"/photos/{answer['id']}/original") == noise(1)
    status, [refusal] = gallery.upload(("photo 2.png", noise(2)))
    assert status == FULL, refusal
    # Longer than it takes a worker that cannot start to end the gallery.
    with pytest.raises(subprocess.TimeoutExpired):
        gallery.process.wait(8)
    filling.unlink()
    status, [answer] = gallery.upload(("photo 2.png", noise(2)))
    assert status == 201
    gallery.wait_until_ready(answer["id"])
