from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image as Pillow
from pytest_django import Settings

from gallery import decoding
from gallery.decoding import detector_input, read_facts, read_pixels, shrunken_jpeg
from gallery.errors import PhotoRefused
from tests.gallery.conftest import MakeFile
from tests.photos import CAT, MULTIPAGE, drawn_photo, encoded

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)

# Pillow tells of every odd tag, which the gallery does not repeat.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
    "HEIF": "image/heic",
    "AVIF": "image/avif",
}
FORMATS = list(MEDIA_TYPES)
# Formats that keep an EXIF orientation.
TURNED_FORMATS = ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"]

ORIENTATION = 0x0112
# How a camera that stores pixels in each orientation has turned what it saw.
STORED_AS: dict[int, Pillow.Transpose | None] = {
    1: None,
    2: Pillow.Transpose.FLIP_LEFT_RIGHT,
    3: Pillow.Transpose.ROTATE_180,
    4: Pillow.Transpose.FLIP_TOP_BOTTOM,
    5: Pillow.Transpose.TRANSPOSE,
    6: Pillow.Transpose.ROTATE_90,
    7: Pillow.Transpose.TRANSVERSE,
    8: Pillow.Transpose.ROTATE_270,
}


def four_corners(width: int = 160, height: int = 96) -> Pillow.Image:
    """Red, green, blue and white quarters, so that every turn shows."""
    photo = Pillow.new("RGB", (width, height), RED)
    photo.paste(GREEN, (width // 2, 0, width, height // 2))
    photo.paste(BLUE, (0, height // 2, width // 2, height))
    photo.paste(WHITE, (width // 2, height // 2, width, height))
    return photo


def corners(pixels: NDArray[np.uint8]) -> list[tuple[int, ...]]:
    """The colours of the quarters' middles, each channel rounded to 0 or 255."""
    height, width = pixels.shape[:2]
    return [
        tuple(int(channel > 127) * 255 for channel in pixels[y, x])
        for y in (height // 4, 3 * height // 4)
        for x in (width // 4, 3 * width // 4)
    ]


def opened(jpeg: bytes) -> NDArray[np.uint8]:
    return np.asarray(Pillow.open(io.BytesIO(jpeg)).convert("RGB"))


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width: int, height: int, depth: int = 1, colour: int = 0) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header)


def png_of_zeros(width: int, height: int) -> bytes:
    """A whole black PNG of one bit a pixel, whose rows compress to almost nothing."""
    packer = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    return png_header(width, height) + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")


@pytest.mark.parametrize("file_format", FORMATS)
def test_each_format_is_read_with_its_facts(file_format: str, make_file: MakeFile) -> None:
    path = make_file(encoded(drawn_photo(size=(161, 97)), file_format), "photo")
    facts = read_facts(path)
    assert facts == decoding.PhotoFacts(MEDIA_TYPES[file_format], 161, 97)


@pytest.mark.parametrize("file_format", FORMATS)
def test_each_format_shows_its_colours(file_format: str, make_file: MakeFile) -> None:
    path = make_file(encoded(four_corners(), file_format), "photo")
    pixels = read_pixels(path, 480)
    assert pixels.mode == "RGB"
    assert corners(np.asarray(pixels)) == [RED, GREEN, BLUE, WHITE]


@pytest.mark.parametrize("file_format", FORMATS)
def test_what_the_bytes_are_counts_and_not_what_the_name_says(
    file_format: str, make_file: MakeFile
) -> None:
    path = make_file(encoded(drawn_photo(), file_format), "photo.jpg")
    assert read_facts(path).media_type == MEDIA_TYPES[file_format]


@pytest.mark.parametrize("orientation", STORED_AS)
@pytest.mark.parametrize("file_format", TURNED_FORMATS)
def test_orientation_is_applied_to_facts_detector_input_and_thumbnail(
    file_format: str, orientation: int, make_file: MakeFile
) -> None:
    stored = four_corners()
    turn = STORED_AS[orientation]
    if turn is not None:
        stored = stored.transpose(turn)
    exif = Pillow.Exif()
    exif[ORIENTATION] = orientation
    path = make_file(encoded(stored, file_format, exif=exif.tobytes()), "photo")
    facts = read_facts(path)
    pixels = read_pixels(path, 480)
    assert (facts.width, facts.height) == (160, 96)
    assert pixels.size == (160, 96)
    assert corners(detector_input(pixels)) == [RED, GREEN, BLUE, WHITE]
    assert corners(opened(shrunken_jpeg(pixels, 80))) == [RED, GREEN, BLUE, WHITE]


def test_a_large_turned_jpeg_is_decoded_small_and_its_facts_tell_its_full_size(
    make_file: MakeFile,
) -> None:
    exif = Pillow.Exif()
    exif[ORIENTATION] = 6
    path = make_file(encoded(four_corners(4000, 2400), "JPEG", exif=exif), "photo.jpg")
    facts = read_facts(path)
    pixels = read_pixels(path, 480)
    assert (facts.width, facts.height) == (2400, 4000)
    assert 480 <= max(pixels.size) < 1200
    assert pixels.height > pixels.width


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0", b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"\0" * 40]
)
def test_damaged_exif_does_not_damage_the_photo(exif: bytes, make_file: MakeFile) -> None:
    path = make_file(encoded(four_corners(), "JPEG", exif=exif), "photo.jpg")
    assert read_facts(path).width == 160
    assert read_pixels(path, 480).size == (160, 96)


def test_a_tag_of_the_wrong_type_does_not_keep_a_photo_out(make_file: MakeFile) -> None:
    # The camera's name as a fraction, which Pillow reads and fails to write.
    orientation = struct.pack("<HHII", ORIENTATION, 3, 1, 6)
    camera = struct.pack("<HHII", 0x010F, 5, 1, 38)
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 2) + orientation + camera + bytes(4)
    exif += struct.pack("<II", 1, 2)
    path = make_file(encoded(four_corners(), "JPEG", exif=exif), "photo.jpg")
    assert read_facts(path).width == 96
    assert read_pixels(path, 480).size == (96, 160)


def test_an_unknown_orientation_is_taken_for_upright(make_file: MakeFile) -> None:
    exif = Pillow.Exif()
    exif[ORIENTATION] = 77
    path = make_file(encoded(four_corners(), "JPEG", exif=exif), "photo.jpg")
    assert read_facts(path).width == 160
    assert corners(np.asarray(read_pixels(path, 480))) == [RED, GREEN, BLUE, WHITE]


def test_a_cmyk_jpeg_shows_its_colours(make_file: MakeFile) -> None:
    path = make_file(encoded(four_corners().convert("CMYK"), "JPEG"), "print.jpg")
    assert corners(np.asarray(read_pixels(path, 480))) == [RED, GREEN, BLUE, WHITE]


def grey_ramp(top: int, dtype: type[np.generic]) -> NDArray[np.generic]:
    """(64, 256) from 0 to `top`, left to right."""
    return np.tile(np.linspace(0, top, 256), (64, 1)).astype(dtype)


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_and_not_clipped(file_format: str, make_file: MakeFile) -> None:
    photo = Pillow.fromarray(grey_ramp(65535, np.uint16))
    path = make_file(encoded(photo, file_format), "deep")
    row = np.asarray(read_pixels(path, 480))[32, :, 0].astype(int)
    np.testing.assert_allclose(row, np.arange(256), atol=1)


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_wider_grey_is_scaled_from_its_darkest_to_its_brightest(
    dtype: type[np.generic], make_file: MakeFile
) -> None:
    photo = Pillow.fromarray(grey_ramp(1_000_000, dtype))
    path = make_file(encoded(photo, "TIFF"), "deep.tif")
    row = np.asarray(read_pixels(path, 480))[32, :, 0].astype(int)
    np.testing.assert_allclose(row, np.arange(256), atol=1)


def test_values_that_are_no_numbers_do_not_harm_a_photo(make_file: MakeFile) -> None:
    values = grey_ramp(1, np.float32)
    values[0, :3] = (np.nan, np.inf, -np.inf)
    path = make_file(encoded(Pillow.fromarray(values), "TIFF"), "deep.tif")
    assert read_pixels(path, 480).mode == "RGB"


def test_16_bit_rgb_is_read(make_file: MakeFile) -> None:
    # Pillow writes no such PNG, so its rows are packed here.
    levels = np.asarray(four_corners(), np.uint16) * 257
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in levels)
    data = png_header(160, 96, depth=16, colour=2)
    data += png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
    path = make_file(data, "deep.png")
    assert corners(np.asarray(read_pixels(path, 480))) == [RED, GREEN, BLUE, WHITE]


@pytest.mark.parametrize("mode", ["P", "1", "L", "LA", "RGBA"])
def test_every_mode_becomes_rgb(mode: str, make_file: MakeFile) -> None:
    path = make_file(encoded(four_corners().convert(mode), "PNG"), "photo.png")
    pixels = read_pixels(path, 480)
    assert pixels.mode == "RGB"
    assert detector_input(pixels).shape == (300, 300, 3)


def test_a_palette_shows_its_colours(make_file: MakeFile) -> None:
    path = make_file(encoded(four_corners().quantize(8), "PNG"), "palette.png")
    assert corners(np.asarray(read_pixels(path, 480))) == [RED, GREEN, BLUE, WHITE]


def test_transparent_parts_are_white(make_file: MakeFile) -> None:
    photo = four_corners().convert("RGBA")
    photo.paste((0, 0, 0, 0), (0, 0, 80, 48))
    path = make_file(encoded(photo, "PNG"), "logo.png")
    assert corners(np.asarray(read_pixels(path, 480))) == [WHITE, GREEN, BLUE, WHITE]


def test_a_transparent_palette_colour_is_white(make_file: MakeFile) -> None:
    photo = Pillow.new("P", (40, 40), 0)
    photo.putpalette([255, 0, 0, 0, 0, 255])
    photo.paste(1, (20, 0, 40, 40))
    path = make_file(encoded(photo, "PNG", transparency=0), "logo.png")
    assert corners(np.asarray(read_pixels(path, 480))) == [WHITE, BLUE, WHITE, BLUE]


@pytest.mark.parametrize("size", [(1, 1), (20_000, 1), (1, 20_000)])
@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "BMP", "TIFF", "GIF"])
def test_a_photo_of_any_shape_has_detector_input_and_thumbnail(
    file_format: str, size: tuple[int, int], make_file: MakeFile
) -> None:
    path = make_file(encoded(Pillow.new("RGB", size, BLUE), file_format), "thin")
    facts = read_facts(path)
    pixels = read_pixels(path, 480)
    small = opened(shrunken_jpeg(pixels, 480))
    assert (facts.width, facts.height) == size
    assert detector_input(pixels).shape == (300, 300, 3)
    assert small.shape[:2] == (min(size[1], 480), min(size[0], 480))


def test_a_thumbnail_is_never_larger_than_its_photo() -> None:
    assert opened(shrunken_jpeg(drawn_photo(size=(30, 20)), 480)).shape == (20, 30, 3)


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_of_an_animation_the_first_frame_is_shown(file_format: str, make_file: MakeFile) -> None:
    frames = [four_corners(), Pillow.new("RGB", (160, 96), BLUE), Pillow.new("RGB", (160, 96), RED)]
    data = encoded(frames[0], file_format, save_all=True, append_images=frames[1:], duration=50)
    path = make_file(data, "animated")
    assert read_facts(path).media_type == MEDIA_TYPES[file_format]
    assert corners(np.asarray(read_pixels(path, 480))) == [RED, GREEN, BLUE, WHITE]


def test_a_jpeg_with_further_pictures_behind_it_is_a_jpeg(make_file: MakeFile) -> None:
    data = encoded(four_corners(), "MPO", save_all=True, append_images=[drawn_photo()])
    path = make_file(data, "stereo.jpg")
    assert read_facts(path) == decoding.PhotoFacts("image/jpeg", 160, 96)
    assert corners(np.asarray(read_pixels(path, 480))) == [RED, GREEN, BLUE, WHITE]


def test_of_a_tiff_the_first_page_is_shown() -> None:
    assert read_facts(MULTIPAGE).media_type == "image/tiff"


def test_an_empty_file_is_refused(make_file: MakeFile) -> None:
    with pytest.raises(PhotoRefused, match="This file is empty"):
        read_facts(make_file(b"", "empty.jpg"))


@pytest.mark.parametrize(
    "data",
    [
        b"Dear diary, this is no photo.",
        b"\0" * 1000,
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7\n",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
        b"\xff\xd8",
    ],
)
def test_what_is_no_photo_is_refused_with_the_formats_that_are(
    data: bytes, make_file: MakeFile
) -> None:
    with pytest.raises(PhotoRefused, match="JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC or AVIF"):
        read_facts(make_file(data, "letter.jpg"))


@pytest.mark.parametrize("file_format", ["ICO", "TGA", "PPM", "PCX", "JPEG2000"])
def test_formats_that_pillow_reads_and_the_gallery_does_not_name_are_refused(
    file_format: str, make_file: MakeFile
) -> None:
    with pytest.raises(PhotoRefused, match="not a photo in a format"):
        read_facts(make_file(encoded(drawn_photo(), file_format), "photo.jpg"))


# GIF, BMP, TIFF and AVIF files may end in bytes that belong to no pixel; these do not reach there.
@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.5, 0.7, 0.9])
@pytest.mark.parametrize("file_format", FORMATS)
def test_a_file_cut_short_is_refused(file_format: str, share: float, make_file: MakeFile) -> None:
    data = encoded(Pillow.open(CAT).convert("RGB"), file_format)
    with pytest.raises(PhotoRefused):
        read_facts(make_file(data[: int(len(data) * share)], "cut"))


def test_a_jpeg_cut_in_its_last_rows_is_refused_though_its_header_is_whole(
    make_file: MakeFile,
) -> None:
    data = encoded(Pillow.open(CAT).convert("RGB"), "JPEG", quality=90)
    with pytest.raises(PhotoRefused, match="damaged or cut short"):
        read_facts(make_file(data[:-300], "cut.jpg"))


def test_a_photo_of_more_than_100_megapixels_is_refused_by_its_header(
    make_file: MakeFile,
) -> None:
    with pytest.raises(PhotoRefused, match="50000×50000 pixels; the limit is 100 megapixels"):
        read_facts(make_file(png_header(50_000, 50_000) + png_chunk(b"IDAT", b""), "huge.png"))


def test_a_whole_photo_of_more_than_100_megapixels_is_refused(make_file: MakeFile) -> None:
    data = png_of_zeros(10_001, 10_000)
    assert len(data) < 100_000
    with pytest.raises(PhotoRefused, match="10001×10000 pixels; the limit is 100 megapixels"):
        read_facts(make_file(data, "huge.png"))


def test_a_photo_of_just_100_megapixels_is_read(make_file: MakeFile) -> None:
    facts = read_facts(make_file(png_of_zeros(10_000, 10_000), "large.png"))
    assert (facts.width, facts.height) == (10_000, 10_000)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF"])
def test_a_photo_that_takes_too_long_is_refused(
    file_format: str, make_file: MakeFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_file(encoded(Pillow.open(CAT).convert("RGB"), file_format), "slow")
    monkeypatch.setattr(decoding, "DECODE_SECONDS", 0.0)
    with pytest.raises(PhotoRefused, match="takes too long to decode"):
        read_facts(path)


def test_a_png_whose_text_unpacks_without_end_is_refused(make_file: MakeFile) -> None:
    bomb = b"Comment\0\0" + zlib.compress(bytes(100_000_000), 9)
    whole = encoded(drawn_photo(), "PNG")
    data = whole[:33] + png_chunk(b"zTXt", bomb) + whole[33:]
    with pytest.raises(PhotoRefused):
        read_facts(make_file(data, "bomb.png"))


def _small_files() -> dict[str, bytes]:
    photo = four_corners(48, 32)
    return {file_format: encoded(photo, file_format) for file_format in FORMATS} | {
        "MPO": encoded(photo, "MPO", save_all=True, append_images=[drawn_photo()]),
        "GREY": encoded(Pillow.fromarray(grey_ramp(65535, np.uint16)), "TIFF"),
        "LZW": encoded(photo, "TIFF", compression="tiff_lzw"),
        "PALETTE": encoded(photo.quantize(4), "PNG"),
    }


SMALL_FILES = _small_files()

Damage = Callable[[bytes], bytes]


@st.composite
def damaged_files(draw: st.DrawFn) -> bytes:
    """A valid file with some bytes changed, cut off, left out or written twice."""
    data = bytearray(SMALL_FILES[draw(st.sampled_from(sorted(SMALL_FILES)))])
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(data) - 1))
        kind = draw(st.sampled_from(["byte", "word", "cut", "drop", "repeat"]))
        if kind == "byte":
            data[place] = draw(st.integers(0, 255))
        elif kind == "word":
            data[place : place + 4] = draw(st.binary(min_size=4, max_size=4))
        elif kind == "cut":
            del data[max(1, place) :]
        elif kind == "drop":
            del data[place : min(place + 4, len(data) - 1)]
        else:
            data[place:place] = data[place : place + 16]
    return bytes(data)


@settings(
    max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=damaged_files())
def test_a_damaged_file_is_read_or_refused_and_nothing_else(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "damaged"
    path.write_bytes(data)
    try:
        facts = read_facts(path)
        pixels = read_pixels(path, 480)
    except PhotoRefused:
        return
    assert facts.width * facts.height <= 100_000_000
    assert detector_input(pixels).shape == (300, 300, 3)
    assert shrunken_jpeg(pixels, 480).startswith(b"\xff\xd8")


def test_formats_whose_decoders_need_more_memory_may_have_fewer_pixels(
    make_file: MakeFile, settings: Settings
) -> None:
    settings.MAX_PIXELS = 10_000
    photo = drawn_photo(size=(80, 60))
    assert read_facts(make_file(encoded(photo, "PNG"), "photo.png")).width == 80
    with pytest.raises(
        PhotoRefused, match=r"80×60 pixels; the limit of a photo in WEBP is 0\.0025"
    ):
        read_facts(make_file(encoded(photo, "WEBP"), "photo.webp"))


def test_a_heic_is_decoded_and_not_the_thumbnail_within(make_file: MakeFile) -> None:
    output = io.BytesIO()
    drawn_photo(size=(300, 200)).save(output, "HEIF", thumbnails=[100])
    assert read_pixels(make_file(output.getvalue(), "photo.heic"), 50).size == (75, 50)
