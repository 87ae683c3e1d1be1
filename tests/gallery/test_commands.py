from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models.signals import post_save

from gallery import components
from gallery.models import Image
from tests.gallery.conftest import MakeFile
from tests.photos import CAT, COFFEE, MOTORCYCLE, MOTORCYCLE_AGAIN, drawn_png

pytestmark = pytest.mark.django_db

Photos = dict[str, int]
INGEST_FACTS = {
    "received",
    "stored",
    "duplicates",
    "rejected",
    "seconds",
    "images_per_second",
}
SEARCH_FACTS = {"query", "total", "took_ms", "results"}
RESULT_FACTS = {"id", "name", "sha256", "score", "why"}


def run(*arguments: object) -> str:
    output = io.StringIO()
    call_command(*map(str, arguments), stdout=output)
    return output.getvalue()


def ingest(*paths: object) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(run("ingest", *paths, "--json").splitlines()[-1])
    return facts


def search(*arguments: object) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(run("search", *arguments, "--json").splitlines()[-1])
    return answer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Photos in a folder and folders in it, hidden ones, and what is no photo."""
    root = tmp_path / "photos"
    files = {
        "b.png": drawn_png(1),
        "a.png": drawn_png(2),
        "inner/deep/c.png": drawn_png(3),
        "inner/again.png": drawn_png(1),
        "inner/letter.txt": b"Dear all",
        "inner/empty.jpg": b"",
        ".hidden.png": drawn_png(4),
        ".thumbnails/d.png": drawn_png(5),
        "inner/.git/e.png": drawn_png(6),
    }
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def test_ingesting_a_file_waits_until_it_is_ready(gallery_data: Path) -> None:
    facts = ingest(CAT)
    assert set(facts) == INGEST_FACTS
    assert (facts["received"], facts["stored"], facts["duplicates"]) == (1, 1, 0)
    assert facts["rejected"] == []
    assert facts["seconds"] > 0
    assert facts["images_per_second"] == pytest.approx(1 / facts["seconds"], rel=0.2)
    assert Image.objects.get().is_ready


def test_ingesting_a_folder_takes_its_folders_and_leaves_hidden_ones(
    gallery_data: Path, folder: Path
) -> None:
    facts = ingest(folder)
    assert (facts["received"], facts["stored"], facts["duplicates"]) == (6, 3, 1)
    names = Image.objects.order_by("pk").values_list("name", flat=True)
    assert list(names) == ["a.png", "b.png", "c.png"]
    reasons = {Path(entry["path"]).name: entry["reason"] for entry in facts["rejected"]}
    assert set(facts["rejected"][0]) == {"path", "reason"}
    assert reasons["empty.jpg"] == "This file is empty."
    assert reasons["letter.txt"].startswith("This is not a photo in a format")
    assert {str(folder / "inner" / name) for name in reasons} == {
        entry["path"] for entry in facts["rejected"]
    }


def test_ingesting_again_finds_duplicates_only(gallery_data: Path, folder: Path) -> None:
    ingest(folder)
    facts = ingest(folder, CAT)
    assert (facts["received"], facts["stored"], facts["duplicates"]) == (7, 1, 4)


def test_a_hidden_file_that_is_named_is_taken(gallery_data: Path, folder: Path) -> None:
    assert ingest(folder / ".hidden.png")["stored"] == 1


def test_without_json_the_counts_are_a_sentence(gallery_data: Path, folder: Path) -> None:
    output = run("ingest", folder)
    assert "Refused: " in output
    assert re.search(r"6 files: 3 stored, 1 already there, 2 refused, in [\d.]+ s", output)


def test_a_path_that_is_not_there_is_named_and_nothing_is_ingested(
    gallery_data: Path, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match=re.escape(f"There is no {tmp_path / 'gone'}.")):
        ingest(CAT, tmp_path / "gone")
    assert not Image.objects.exists()


def test_a_file_name_that_is_not_utf_8_is_taken(gallery_data: Path, tmp_path: Path) -> None:
    strange = os.fsdecode(bytes(tmp_path) + b"/caf\xe9.png")
    Path(strange).write_bytes(drawn_png())
    broken = os.fsdecode(bytes(tmp_path) + b"/t\xeate.jpg")
    Path(broken).write_bytes(b"no photo")
    facts = ingest(strange, broken)
    assert facts["stored"] == 1
    assert facts["rejected"][0]["path"] == f"{tmp_path}/t\ufffdte.jpg"
    assert Image.objects.get().name == "caf?.png"


def test_what_is_no_file_is_rejected_and_the_rest_ingested(
    gallery_data: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a link.png").symlink_to(folder / "gone.png")
    os.mkfifo(folder / "pipe.png")
    (folder / "photo.png").write_bytes(drawn_png())
    facts = ingest(folder)
    assert (facts["received"], facts["stored"]) == (3, 1)
    assert {Path(entry["path"]).name for entry in facts["rejected"]} == {"a link.png", "pipe.png"}


def test_a_photo_that_fails_after_it_was_received_is_rejected_with_its_path(
    gallery_data: Path, make_file: MakeFile
) -> None:
    def lose_the_original(sender: object, instance: Image, **_: object) -> None:
        components.spool().remove(instance.spool_name)
        Image.objects.filter(pk=instance.pk).update(tries=4)

    path = make_file(drawn_png(), "photo.png")
    post_save.connect(lose_the_original, sender=Image)
    facts = ingest(path)
    post_save.disconnect(lose_the_original, sender=Image)
    assert facts["stored"] == 0
    assert facts["rejected"] == [
        {"path": str(path), "reason": "The original is missing from the spool."}
    ]


@pytest.fixture
def waiting_images() -> Iterator[list[int]]:
    """How many images waited at each moment that one was received."""
    counts: list[int] = []

    def count(sender: object, **_: object) -> None:
        counts.append(Image.objects.received().count())

    post_save.connect(count, sender=Image)
    yield counts
    post_save.disconnect(count, sender=Image)


def test_a_large_folder_is_not_held_while_it_is_ingested(
    gallery_data: Path, tmp_path: Path, waiting_images: list[int]
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for seed in range(70):
        (folder / f"{seed:03}.png").write_bytes(drawn_png(seed))
    facts = ingest(folder)
    assert facts["stored"] == len(waiting_images) == 70
    assert max(waiting_images) <= 32
    assert not any(components.spool().folder.iterdir())


def test_searching_words_answers_as_agreed(packaged_photos: Photos) -> None:
    answer = search("kitten", "--limit", 1)
    assert set(answer) >= SEARCH_FACTS
    assert answer["query"] == "kitten"
    [best] = answer["results"]
    assert set(best) == RESULT_FACTS
    assert (best["id"], best["name"]) == (packaged_photos["chelsea"], "chelsea.png")
    assert best["sha256"] == Image.objects.get(name="chelsea.png").sha256
    assert isinstance(best["why"], list)
    assert best["why"][0]["object"] == "cat"


def test_results_come_best_first(packaged_photos: Photos) -> None:
    for arguments in (("cat, cup, horse",), ("--photo", COFFEE)):
        scores = [result["score"] for result in search(*arguments)["results"]]
        assert scores == sorted(scores, reverse=True)


def test_searching_by_photo_finds_its_like_first(packaged_photos: Photos) -> None:
    assert search("--photo", MOTORCYCLE)["results"][0]["name"] == "motorcycle_left.png"
    answer = search("--photo", MOTORCYCLE_AGAIN)
    assert answer["query"] == "motorcycle_right.png"
    assert answer["results"][0]["name"] == "motorcycle_left.png"


def test_searching_by_layout_finds_what_lies_like_it(packaged_photos: Photos) -> None:
    layout = '[{"object": "cup", "box": [0.2, 0.1, 0.8, 0.8]}]'
    assert search("--layout", layout)["results"][0]["name"] == "coffee.png"


@pytest.mark.parametrize("score", ["objects", "original"])
def test_both_scores_can_be_asked_for(score: str, packaged_photos: Photos) -> None:
    assert search("cat", "--score", score)["results"][0]["name"] == "chelsea.png"
    by_photo = search("--photo", CAT, "--score", score)
    assert "chelsea.png" in [result["name"] for result in by_photo["results"]]


def test_without_json_each_hit_is_a_line_with_its_reasons(packaged_photos: Photos) -> None:
    lines = run("search", "kitten qqxqq").splitlines()
    assert lines[0] == "The gallery does not know the word “qqxqq”."
    assert re.search(r"%.* chelsea\.png .*“kitten” is close to cat", lines[1])
    assert re.fullmatch(r"\d+ photos?, \d+ weaker matche?s? not shown, [\d.]+ ms", lines[-1])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Give words, --photo FILE or --layout JSON: one of them"),
        (["cat", "--photo", str(CAT)], "one of them"),
        (["!?"], "There is no word to search for"),
        ([""], "There is no word to search for"),
        (["cat", "--limit", "0"], "The limit should be from 1 to 1000, is 0"),
        (["cat", "--score", "best"], "invalid choice: 'best'"),
        (["--photo", "gone.jpg"], "gone.jpg"),
        (["--photo", "."], "directory"),
        (["--photo", __file__], "This is not a photo"),
        (["--layout", "dog"], "This layout cannot be read"),
        (["--layout", '[{"object": "unicorn", "box": [0, 0, 1, 1]}]'], "no object “unicorn”"),
    ],
)
def test_a_search_that_makes_no_sense_ends_with_a_sentence(
    arguments: list[str], sentence: str, gallery_data: Path
) -> None:
    with pytest.raises(CommandError, match=re.escape(sentence)):
        run("search", *arguments)
