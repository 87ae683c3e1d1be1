from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from gallery import components
from gallery.errors import DiskFull
from gallery.ingest import BATCHES_AT_ONCE, Ingestion
from gallery.models import Image
from gallery.originals import read_original
from gallery.receiving import _row
from gallery.uploads import receive_file
from tests.gallery.conftest import MakeFile
from tests.gallery.served_gallery import free_port
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


def test_one_file_is_called_one_file(gallery_data: Path) -> None:
    assert run("ingest", CAT).startswith("1 file: 1 stored")


def test_an_import_that_stores_nothing_because_all_is_refused_fails(
    gallery_data: Path, make_file: MakeFile
) -> None:
    letter, empty = make_file(b"Dear all", "letter.txt"), make_file(b"", "empty.png")
    output = io.StringIO()
    with pytest.raises(CommandError, match="Nothing was stored"):
        call_command("ingest", str(letter), str(empty), "--json", stdout=output)
    facts = json.loads(output.getvalue().splitlines()[-1])
    assert set(facts) == INGEST_FACTS
    assert (facts["received"], facts["stored"], len(facts["rejected"])) == (2, 0, 2)
    ingest(CAT)
    # What is there already was not refused.
    assert ingest(CAT, letter)["duplicates"] == 1


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


@pytest.fixture
def detector_is_down(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The detector is a server that does not run, and nobody has patience."""
    components.detector.cache_clear()
    settings.DETECTOR_URL = f"grpc://127.0.0.1:{free_port()}"
    monkeypatch.setattr("gallery.bulk_import.PATIENCE_SECONDS", 0)
    yield
    components.detector.cache_clear()


def test_an_import_does_not_wait_for_ever_for_a_detector_and_keeps_the_photos(
    gallery_data: Path, detector_is_down: None
) -> None:
    output = io.StringIO()
    with pytest.raises(CommandError, match="No detector answers; what was kept is looked at"):
        call_command("ingest", str(CAT), "--json", stdout=output)
    facts = json.loads(output.getvalue())
    [rejection] = facts["rejected"]
    assert rejection["path"] == str(CAT)
    assert rejection["reason"].startswith("It is kept, and searchable once a worker has seen it.")
    assert "The detector failed: the detector at 127.0.0.1:" in rejection["reason"]
    assert read_original(Image.objects.received().get(tries=0)) == CAT.read_bytes()


def test_a_large_folder_is_not_held_while_it_is_ingested(
    gallery_data: Path, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.INGEST_BATCH = 4
    waiting = []

    class Watched(Ingestion):
        def add(self, images: Sequence[Image], prepared: Any = None) -> None:
            waiting.append(Image.objects.received().count())
            super().add(images, prepared)

    monkeypatch.setattr("gallery.bulk_import.Ingestion", Watched)
    folder = tmp_path / "many"
    folder.mkdir()
    for seed in range(70):
        (folder / f"{seed:03}.png").write_bytes(drawn_png(seed))
    assert ingest(folder)["stored"] == 70
    assert max(waiting) <= 4 * (BATCHES_AT_ONCE + 1)
    assert not any(components.spool().folder.iterdir())


def test_the_same_bytes_twice_in_a_folder_become_one_photo(
    gallery_data: Path, tmp_path: Path
) -> None:
    for name in ("first.png", "second.png"):
        (tmp_path / name).write_bytes(drawn_png())
        (tmp_path / f"broken-{name}").write_bytes(drawn_png()[:-30])
    facts = ingest(tmp_path / "first.png", *sorted(tmp_path.glob("*.png")))
    assert (facts["stored"], facts["duplicates"], len(facts["rejected"])) == (1, 2, 2)
    assert Image.objects.get().name == "first.png"


def test_a_photo_that_a_full_disk_keeps_in_the_trash_is_refused_by_itself(
    gallery_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(CAT)
    monkeypatch.setattr("gallery.receiving.restore_from_trash", Mock(side_effect=DiskFull("Full.")))
    facts = ingest(CAT, COFFEE)
    assert facts["rejected"] == [{"path": str(CAT), "reason": "Full."}]
    assert facts["stored"] == 1


def test_photos_of_an_import_are_marked_as_such(gallery_data: Path) -> None:
    ingest(CAT)
    receive_file(COFFEE)
    priorities = Image.objects.order_by("pk").values_list("priority", flat=True)
    assert list(priorities) == [Image.Priority.IMPORT, Image.Priority.UPLOAD]


def test_an_import_and_an_upload_of_the_same_bytes_at_once_make_one_photo(
    gallery_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def row_for_what_came_meanwhile(kept: Any) -> Image:
        if not Image.objects.exists():
            receive_file(CAT)
        return _row(kept)

    monkeypatch.setattr("gallery.receiving._row", row_for_what_came_meanwhile)
    facts = ingest(CAT, COFFEE)
    assert (facts["stored"], facts["duplicates"]) == (1, 1)
    assert len(list(components.spool().folder.iterdir())) == 1


def test_searching_words_answers_as_agreed(packaged_photos: Photos) -> None:
    answer = search("kitten", "--limit", 1)
    assert set(answer) >= SEARCH_FACTS
    assert answer["query"] == "kitten"
    [best] = answer["results"]
    assert set(best) == RESULT_FACTS
    assert (best["id"], best["name"]) == (packaged_photos["chelsea"], "chelsea.png")
    assert best["sha256"] == Image.objects.get(name="chelsea.png").sha256
    assert isinstance(best["why"], list)
    [why] = best["why"]
    assert why["asked"] == "kitten"
    assert why["objects"][0]["object"] == "cat"


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


def test_a_part_of_a_photo_is_searched_with(packaged_photos: Photos) -> None:
    whole, part = (
        search("--photo", COFFEE, *arguments)["results"][0]
        for arguments in ((), ("--part", "0.15,0.05,0.85,0.9"))
    )
    assert part["name"] == "coffee.png"
    assert len(part["why"]) < len(whole["why"])


def test_left_and_right_may_be_exchanged(packaged_photos: Photos) -> None:
    layout = '[{"object": "person", "box": [0.6, 0, 1, 1]}]'
    plain, mirrored = search("--layout", layout), search("--layout", layout, "--mirror")
    assert mirrored["results"][0]["score"] >= plain["results"][0]["score"]
    assert True in [why["mirrored"] for hit in mirrored["results"] for why in hit["why"]]
    assert True not in [why["mirrored"] for hit in plain["results"] for why in hit["why"]]


@pytest.mark.parametrize(
    "arguments", [("cup",), ("--layout", '[{"object": "cup", "box": [0.6, 0.6, 0.8, 0.8]}]')]
)
def test_weaker_matches_are_shown_on_demand(
    arguments: tuple[str, ...], packaged_photos: Photos
) -> None:
    answer, weak = search(*arguments), search(*arguments, "--weak")
    assert weak["results"][: answer["total"]] == answer["results"]
    assert weak["total"] >= answer["total"] + answer["hidden"]
    assert weak["hidden"] == 0


def test_without_json_each_hit_is_a_line_with_its_reasons(packaged_photos: Photos) -> None:
    lines = run("search", "kitten and 1 cat or dgo").splitlines()
    assert re.fullmatch(r"“kitten” was read as cat.* \(0\.\d\d\)\.", lines[0])
    assert lines[1].startswith("“dgo” is not known. Did you mean “dog”")
    assert re.fullmatch(
        r" *\d+\.\d% +\d+ +chelsea\.png +kitten: cat, \d\d% sure; 1 cat asked, .*", lines[2]
    )
    assert re.fullmatch(r"\d+ photos?, \d+ weaker match(es)? not shown, [\d.]+ ms", lines[-1])


def test_what_is_no_text_is_replaced(packaged_photos: Photos, tmp_path: Path) -> None:
    assert search(os.fsdecode(b"cat \xff"))["query"] == "cat ?"
    strange = os.fsdecode(bytes(tmp_path) + b"/caf\xe9.png")
    Path(strange).write_bytes(CAT.read_bytes())
    assert search("--photo", strange)["query"] == "caf?.png"
    assert run("search", "--photo", strange)


def test_one_photo_is_called_one_photo(packaged_photos: Photos) -> None:
    assert run("search", "name:chelsea").splitlines()[-1].startswith("1 photo, 0 weaker matches ")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Give words, --photo FILE or --layout JSON: one of them"),
        (["cat", "--photo", str(CAT)], "one of them"),
        (["!?"], "There is no word to search for"),
        (["dog behind cat"], "behind"),
        (["dog", "-chair"], 'Put what you search for in quotes, like: search "dog -chair"'),
        (["dog", "--part", "0,0,1,1"], "--part says which part of a photo: give --photo FILE"),
        (["dog", "--mirror"], "--mirror is for --photo and --layout"),
        (["--photo", str(CAT), "--part", "0,0,1"], "A part of a photo is four numbers"),
        (["--photo", str(CAT), "--part", "0,0,2,1"], "A part of a photo lies within it"),
        (["--photo", str(CAT), "--part", "0,0,0.01,0.01"], "No object was recognised"),
        (["--layout", "[]"], "This layout has no object in it."),
        (["--layout", '[{"object": "dog", "box": [0, 0, 0, 1]}]'], "first corner above and left"),
        (
            ["--layout", '[{"object": "dog", "region": [[0, 0], [0.5, 0.5], [1, 1]]}]'],
            "The drawn area should enclose something.",
        ),
        ([""], "There is no word to search for"),
        (["cat", "--limit", "0"], "The limit should be from 1 to 1000, is 0"),
        (["cat", "--score", "best"], "invalid choice: 'best'"),
        (["--photo", "gone.jpg"], "There is no file gone.jpg."),
        (["--photo", "."], ". is a directory, not a photo."),
        (["--photo", __file__], "This is not a photo"),
        (["--layout", "dog"], "This layout is not JSON."),
        (["--layout", '[{"object": "unicorn", "box": [0, 0, 1, 1]}]'], "no object “unicorn”"),
    ],
)
def test_a_search_that_makes_no_sense_ends_with_a_sentence(
    arguments: list[str], sentence: str, gallery_data: Path
) -> None:
    with pytest.raises(CommandError, match=re.escape(sentence)):
        run("search", *arguments)
