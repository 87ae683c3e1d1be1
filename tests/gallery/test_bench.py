from __future__ import annotations

import io
import json
import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from numpy.typing import NDArray

from detector.labels import CLASS_IDS, NAME_BY_ID
from featurestore.layout_scores import layout_scores, original_layout_scores
from featurestore.postings import Postings
from gallery import components
from gallery.benchmarks.layout import answer, dense_scores, original_loop
from gallery.benchmarks.made_gallery import MadeGallery
from gallery.benchmarks.made_photos import drawn_detections, like, made_features
from gallery.benchmarks.queries import TEXT_KINDS, layouts, text_queries
from gallery.benchmarks.text import answer as text_answer
from gallery.text_query import read_query
from tests.photos import CAT, COFFEE

VECTORS = np.eye(80, 50, dtype=np.float32)


def made_postings(images: int) -> tuple[Postings, NDArray[np.float32]]:
    (features,) = made_features(drawn_detections, np.random.default_rng(1), images, VECTORS)
    return Postings.of(features), features.ssd


def bench(*arguments: str) -> dict[str, str]:
    output = io.StringIO()
    call_command("bench", *arguments, "--json", stdout=output)
    (line,) = output.getvalue().splitlines()
    figures: dict[str, str] = json.loads(line)
    return figures


def test_made_photos_have_the_frequencies_of_real_ones() -> None:
    detections = drawn_detections(np.random.default_rng(1), 5000)
    there = detections[:, :, 0] > 0
    assert there.sum(axis=1).mean() == pytest.approx(7, abs=0.2)
    objects = detections[there]
    assert set(objects[:, 0].astype(int)) <= set(CLASS_IDS)
    persons = np.mean(objects[:, 0] == 1)
    assert persons == pytest.approx(0.4, abs=0.02)
    assert (objects[:, 2:4] < objects[:, 4:6]).all()
    assert objects[:, 2:].min() >= 0
    assert objects[:, 2:].max() <= 300
    assert ((objects[:, 1] > 0) & (objects[:, 1] <= 1)).all()
    assert (np.diff(detections[:, :, 1], axis=1) <= 0).all()
    assert not detections[~there].any()


def test_photos_made_like_real_ones_have_their_objects() -> None:
    real = drawn_detections(np.random.default_rng(1), 2)
    made = like(real)(np.random.default_rng(2), 50)
    kinds = {tuple(sorted(rows[:, 0])) for rows in real}
    assert {tuple(sorted(rows[:, 0])) for rows in made} == kinds
    assert (made[:, :, 2:4] <= made[:, :, 4:6]).all()
    assert made[:, :, 2:].max() <= 300
    assert (np.diff(made[:, :, 1], axis=1) <= 0).all()


def test_the_peers_of_a_layout_search_compute_the_same_scores() -> None:
    postings, detections = made_postings(300)
    for layout in layouts(np.random.default_rng(3), 5, 3, 8):
        expected = layout_scores(postings, layout)
        assert dense_scores(detections, layout).tolist() == pytest.approx(expected, abs=1e-3)
        images = [rows[rows[:, 0] > 0] for rows in detections]
        of_loop = original_layout_scores(postings, layout)
        assert original_loop(images, layout) == pytest.approx(of_loop, abs=1e-4)


@pytest.mark.parametrize("kind", TEXT_KINDS)
def test_every_made_text_is_different_and_understood(kind: str) -> None:
    texts = text_queries(kind, np.random.default_rng(4), 100)
    assert len(set(texts)) == 100
    for text in texts:
        query = read_query(text, components.vocabulary())
        assert query.asks_for_objects
        assert query.unknown_words == [], text


def test_what_is_measured_finds_and_explains(tmp_path: Path) -> None:
    vocabulary = components.vocabulary()
    gallery = MadeGallery(tmp_path, 3000, drawn_detections, vocabulary.class_vectors)
    photo = gallery.index.detections_of(7)
    of_layout = answer(gallery.index, photo, mirror=True)
    assert len(of_layout) == 50
    assert sum(reason.part for reason in of_layout[0]) == pytest.approx(1, abs=1e-5)
    of_text = text_answer(gallery.index, "person and chair", vocabulary)
    assert len(of_text) == 50
    assert {found.name for reason in of_text[0] for found in reason.objects} == {"person", "chair"}


def test_a_new_photo_is_part_of_the_made_gallery_at_once(tmp_path: Path) -> None:
    gallery = MadeGallery(tmp_path, 20, drawn_detections, VECTORS)
    features = gallery.add_photo()
    assert len(gallery.index) == 21
    row = gallery.index.row_of(21)
    assert row is not None
    found = gallery.index.detections_of(row)
    assert found[:, 0].tolist() == features.ssd[0, : len(found), 0].tolist()


def test_text_is_measured_beside_peers() -> None:
    figures = bench("text", "--images", "300,2500", "--queries", "6")
    assert "cores" in figures["machine"]
    for images in ("300 images", "2,500 images"):
        for kind in TEXT_KINDS:
            assert figures[f"{images}: {kind}, top 50 explained"].startswith("p50 ")
        assert "bytes an image" in figures[f"{images}: index memory"]
        assert "after its features are given" in figures[f"{images}: a new photo is found"]
        peer = f"{images}: peer, cosines of 50-d sentence vectors"
        assert " ms, p99 " in figures[f"{peer}, NumPy and argpartition"]
        faiss = figures[f"{peer}, FAISS IndexFlatIP"]
        assert (" ms, p99 " in faiss) == (find_spec("faiss") is not None)


def test_looks_are_measured_beside_a_peer() -> None:
    figures = bench("look", "--images", "300,2500", "--queries", "6")
    for images in ("300 images", "2,500 images"):
        assert figures[f"{images}: the 48 most alike"].startswith("p50 ")
        assert "bytes an image" in figures[f"{images}: index memory"]
        recall = figures[f"{images}: recall@10, 400 ordered again"]
        assert float(recall.split()[0]) > 0.95
        faiss = figures[f"{images}: peer, FAISS IndexFlatIP of 1,280 dimensions"]
        assert (" ms, p99 " in faiss) == (find_spec("faiss") is not None)


def test_it_says_so_where_faiss_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gallery.benchmarks.text.find_spec", lambda name: None)
    figures = bench("text", "--images", "50", "--queries", "1")
    faiss = figures["50 images: peer, cosines of 50-d sentence vectors, FAISS IndexFlatIP"]
    assert faiss == "not measured: faiss-cpu is not installed"


def test_layouts_are_measured_beside_peers() -> None:
    figures = bench("layout", "--images", "300", "--queries", "6")
    for kind in ("3 boxes", "8 to 12 boxes"):
        for name in (kind, f"{kind}, mirrored too"):
            assert " ms, p99 " in figures[f"300 images: {name}, top 50 explained"]
    assert "a plain sum over as many bytes" in figures["300 images: 3 boxes, scores alone"]
    assert "scaled from 300 images" in figures["300 images: peer, the original system's loop"]
    assert " ms" in figures["300 images: peer, the same score by a dense NumPy scan"]


def test_photos_are_measured_with_photos_like_real_ones(tmp_path: Path) -> None:
    for path in (CAT, COFFEE):
        (tmp_path / path.name).with_suffix(".jpg").write_bytes(path.read_bytes())
    figures = bench("photo", "--images", "100", "--queries", "3", "--photos", str(tmp_path))
    assert figures["photos"].startswith("like 2 real ones, with ")
    assert any(name.startswith("100 images: a photo (") for name in figures)


def test_ingestion_is_measured_beside_the_bare_detector_and_tensorflow() -> None:
    figures = bench("ingest", "--quick")
    assert figures["photos"].startswith("8, 640×480 pixels")
    for name in (
        "bare detector",
        "from received to searchable",
        "looking at photos that are searchable",
        "from received to searchable and looked at",
        "import of a folder",
    ):
        assert re.match(r"[\d.]+ images/s .* ms of processor time each", figures[name])
    for name in ("from received to searchable", "import of a folder"):
        share = figures[f"{name}, share of the bare detector"]
        assert re.match(r"\d+% of its images/s; \d+% of the processor time", share)
    assert figures["from received to searchable and looked at"].endswith(
        "% of the images/s without looks"
    )
    for name in ("where the time goes", "photos of 12 megapixels, where the time goes"):
        for stage in (
            "decode, turn upright",
            "thumbnail",
            "detect, all cores",
            "append originals durably",
        ):
            assert f"{stage} " in figures[name]
    assert re.match(r"at most \d+ MB", figures["memory"])
    if find_spec("tensorflow") is not None:
        assert "images/s at best, in batches of" in figures["TensorFlow graph"]
        assert "times as fast" in figures["bare detector against TensorFlow"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["text", "--images", "many"], "should be numbers"),
        (["text", "--images", "0"], "1 or more"),
        (["layout", "--queries", "0"], "1 or more"),
        (["store"], "name a folder with --photos"),
        (["photo", "--photos", "/nowhere"], "There is no JPEG"),
    ],
)
def test_what_cannot_be_measured_is_named(arguments: list[str], problem: str) -> None:
    with pytest.raises(CommandError, match=problem):
        call_command("bench", *arguments)


def test_every_class_can_be_drawn() -> None:
    drawn = np.concatenate(layouts(np.random.default_rng(5), 2000, 8, 12))
    assert len({NAME_BY_ID[int(class_id)] for class_id in drawn[:, 0]}) >= 75
    assert (drawn[:, 1] == 1).all()
