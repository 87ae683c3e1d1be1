from __future__ import annotations

import io

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featurestore.columns import read_texts, write_column, write_texts

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def written(values: list[str]) -> bytes:
    content = io.BytesIO()
    with h5py.File(content, "w", libver=("v110", "v110")) as file:
        write_texts(file, "texts", values)
    return content.getvalue()


@given(st.lists(TEXTS, max_size=20))
@settings(deadline=None)
def test_any_text_comes_back_as_it_was(values: list[str]) -> None:
    with h5py.File(io.BytesIO(written(values))) as file:
        assert read_texts(file["texts"]) == values
        assert file["texts"].asstr()[:].tolist() == values


@pytest.mark.parametrize(
    "values",
    [
        ["🎉" * 255, "", "a"],
        ["x" * 3_000_000, "y"],
        ["long" * 700, *map(str, range(5000))],
    ],
)
def test_one_long_text_beside_short_ones(values: list[str]) -> None:
    content = written(values)
    assert len(content) < sum(map(len, map(str.encode, values))) + 100_000
    with h5py.File(io.BytesIO(content)) as file:
        assert read_texts(file["texts"]) == values


@pytest.mark.parametrize("text", ["a\0b", "a\0", "\ud800"])
def test_what_cannot_be_kept_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"NUL|surrogates"):
        written(["fine", text])


def test_a_changed_byte_is_noticed() -> None:
    content = written(["first", "second"])
    changed = content.replace(b"second", b"SECOND")
    assert changed != content
    with (
        h5py.File(io.BytesIO(changed)) as file,
        pytest.raises(OSError, match="filter returned failure"),
    ):
        read_texts(file["texts"])


def test_text_of_variable_length_is_refused() -> None:
    with h5py.File(io.BytesIO(), "w") as file:
        file["texts"] = ["a", "b"]
        with pytest.raises(ValueError, match="fixed width"):
            read_texts(file["texts"])


def test_a_column_keeps_shape_and_dtype() -> None:
    values = np.arange(64, dtype=np.uint8).reshape(2, 32)
    with h5py.File(io.BytesIO(), "w") as file:
        write_column(file, "full", values)
        write_column(file, "empty", values[:0])
        np.testing.assert_array_equal(file["full"][:], values)
        assert file["full"].fletcher32
        assert (file["empty"].shape, file["empty"].dtype) == ((0, 32), np.uint8)
