"""Weights out of pickles, and out of nothing else."""

from __future__ import annotations

import pickle
import shutil
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from detector.errors import WeightsUnavailable
from detector.export import look_package
from detector.export.torch_weights import MAGIC, VERSION, read_weights


class Call:
    """Pickled, it asks for something to be called."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return self.call


def pickles(*contents: object) -> bytes:
    return b"".join(pickle.dumps(content, protocol=2) for content in contents)


def header() -> bytes:
    return pickles(MAGIC, VERSION, {"little_endian": True})


def test_the_genuine_weights_have_the_shapes_of_the_network() -> None:
    weights = read_weights(look_package.find_weights())
    assert weights["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert weights["_fc.weight"].shape == (1000, 1280)
    assert sum(array.size for array in weights.values()) == pytest.approx(4.69e6, rel=0.01)
    assert all(np.isfinite(array).all() for array in weights.values())


def test_a_pickle_that_would_run_something_is_refused(tmp_path: Path) -> None:
    path, witness = tmp_path / "evil.pth", tmp_path / "ran"
    path.write_bytes(header() + pickles(OrderedDict(weight=Call(Path.touch, witness))))
    with pytest.raises(WeightsUnavailable, match="it asks for"):
        read_weights(path)
    assert not witness.exists()


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", pickles(1, 2, {}), header(), header() + pickles([], [])]
)
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.pth"
    path.write_bytes(content)
    with pytest.raises(WeightsUnavailable, match=r"other\.pth holds no weights"):
        read_weights(path)


def test_a_file_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "short.pth"
    path.write_bytes(look_package.find_weights().read_bytes()[:-1000])
    with pytest.raises(WeightsUnavailable, match="holds no weights"):
        read_weights(path)


def test_other_weights_than_the_pinned_ones_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    shutil.copy(look_package.find_weights(), path)
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(WeightsUnavailable, match=r"the checksum of .* expected 579344248a93"):
        look_package.check_weights(path)


def test_without_the_package_one_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [])
    with pytest.raises(WeightsUnavailable, match="is not installed: run `make setup`"):
        look_package.find_weights()
