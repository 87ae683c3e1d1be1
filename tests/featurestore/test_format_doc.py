"""Real files are as `docs/featurestore-format.md` says, and hold nothing that it does not say."""

from __future__ import annotations

import re
from pathlib import Path

import h5py
import numpy as np
import pytest

from featurestore.durable import UNFINISHED
from featurestore.segment_file import DIGEST_LENGTH, FORMAT, FORMAT_VERSION, digest_of
from featurestore.segments import Edit
from featurestore.store import FeatureStore
from featurestore.view import VIEW_NAME, write_view
from tests.featurestore.samples import features, looks, random_detections, sample_image

DOC = (Path(__file__).parents[2] / "docs" / "featurestore-format.md").read_text()
MODEL = "model-1"
KINDS = {
    "images": "## Kind `images`",
    "features": "## Kind `features`",
    "looks": "## Kind `looks`",
    "deletions": "## Kind `deletions`",
    "edits": "## Kind `edits`",
    "view": "# The view `gallery.h5`",
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A real file of each kind."""
    store = FeatureStore(tmp_path_factory.mktemp("store"))
    store.append_images([sample_image(1), sample_image(2), sample_image(3)])
    store.append_features(MODEL, features([1, 2], [random_detections(1), random_detections(2)]))
    store.looks(MODEL).append(looks([1, 2]))
    store.delete([3])
    corrected = '[{"class_id":17,"score":1.0,"box":[0.1,0.2,0.5,0.6],"source":"person"}]'
    store.append_edits([Edit(1, "name", '"renamed"', 1.0), Edit(1, "objects", corrected, 1.0)])
    write_view(store, MODEL)
    segments = {
        kind: next((store.folder / folder).glob("*.h5"))
        for kind, folder in (
            ("images", "images"),
            ("features", f"features/{MODEL}"),
            ("looks", f"looks/{MODEL}"),
            ("deletions", "deletions"),
            ("edits", "edits"),
        )
    }
    return {**segments, "view": store.folder / VIEW_NAME}


def documented(kind: str, header: str) -> dict[str, list[str]]:
    """{first cell: other cells} of a kind's table, with the table of all segments' attributes."""
    part = DOC.split(KINDS[kind])[1].split("\n#")[0]
    rows = _table(part, header)
    if header == "root attribute":
        rows |= _table(DOC.split("\n## Segments")[1].split("\n#")[0], header)
    return rows


def _table(text: str, header: str) -> dict[str, list[str]]:
    found = re.search(rf"^\| {header} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    lines = found.group(1).splitlines() if found else []
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {first.strip("`"): rest for first, *rest in cells}


def real_datasets(path: Path) -> dict[str, tuple[str, tuple[int, ...], bool, bool]]:
    """Of all datasets by name: (dtype, shape, whether checked, whether virtual)."""
    found: dict[str, tuple[str, tuple[int, ...], bool, bool]] = {}

    def visit(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = (_dtype_name(item.dtype), item.shape, item.fletcher32, item.is_virtual)

    with h5py.File(path) as file:
        file.visititems(visit)
    return found


def _dtype_name(dtype: np.dtype[np.generic]) -> str:
    text = h5py.check_string_dtype(dtype)
    if text is None:
        return dtype.name
    assert text.encoding == "utf-8"
    assert text.length is not None, "text of a variable length has no checksum"
    return "text"


@pytest.mark.parametrize("kind", KINDS)
def test_the_doc_names_exactly_the_datasets_of_real_files(
    kind: str, files: dict[str, Path]
) -> None:
    assert sorted(documented(kind, "dataset")) == sorted(real_datasets(files[kind]))


@pytest.mark.parametrize("kind", KINDS)
def test_datasets_have_the_documented_dtypes_shapes_and_checksums(
    kind: str, files: dict[str, Path]
) -> None:
    real = real_datasets(files[kind])
    for name, (dtype, shape, checked, content) in documented(kind, "dataset").items():
        found_dtype, found_shape, fletcher32, virtual = real[name]
        assert (name, found_dtype) == (name, dtype)
        sizes = [size for size in shape.strip("()").split(",") if size]
        assert len(sizes) == len(found_shape), name
        for size, found in zip(sizes, found_shape, strict=True):
            assert not size.strip().isdigit() or int(size) == found, name
        assert fletcher32 == (checked == "✓"), name
        assert virtual == content.startswith("virtual"), name


@pytest.mark.parametrize("kind", KINDS)
def test_the_doc_names_exactly_the_attributes_of_real_files(
    kind: str, files: dict[str, Path]
) -> None:
    with h5py.File(files[kind]) as file:
        real = {name: _dtype_name(file.attrs.get_id(name).dtype) for name in file.attrs}
        groups = [item for item in file.values() if isinstance(item, h5py.Group)]
        assert [dict(group.attrs) for group in groups] == [{}] * len(groups)
        assert [file.attrs[name].decode() for name in ("format", "kind")] == [FORMAT, kind]
        assert f"`{FORMAT}`" in documented(kind, "root attribute")["format"]
    assert real == {name: cells[0] for name, cells in documented(kind, "root attribute").items()}


def test_the_doc_is_of_the_current_version() -> None:
    assert DOC.startswith(f"# The feature store's format, version {FORMAT_VERSION}\n")
    assert documented("images", "root attribute")["format_version"] == [
        "int64",
        str(FORMAT_VERSION),
    ]


def test_segments_are_named_as_the_doc_says(files: dict[str, Path]) -> None:
    for kind in ("images", "features", "looks", "deletions", "edits"):
        name = re.fullmatch(r"([0-9a-f]{16})-([0-9a-f]{32})\.h5", files[kind].name)
        assert name
        time, digest = name.groups()
        assert 1.7e18 < int(time, 16) < 4e18
        assert digest == digest_of(files[kind])
    assert f"first {DIGEST_LENGTH} lower-case" in DOC
    assert f"starts with `{UNFINISHED}`" in DOC


def test_the_five_lines_read_every_image_and_its_features(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    example = re.search(r"```python\n(.*?)```", DOC, re.DOTALL)
    assert example
    assert len(example.group(1).splitlines()) == 5
    monkeypatch.chdir(files["view"].parent)
    read: dict[int, tuple[bytes, object, object]] = {}
    keep = "\n    read[int(image_id)] = original, detections, sentence_vector"
    exec(example.group(1).rstrip() + keep, {"read": read})
    assert sorted(read) == [1, 2]
    for image_id, (original, detections, sentence_vector) in read.items():
        assert original == sample_image(image_id).data
        np.testing.assert_array_equal(detections, random_detections(image_id))
        np.testing.assert_array_equal(sentence_vector, np.full(50, image_id, np.float32))
