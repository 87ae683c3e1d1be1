from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from django.conf import settings

from detector.export.npm import PackageUnavailable
from detector.labels import ID_BY_NAME
from gallery.lexicon import Lexicon
from gallery.wordnet import (
    FOLDER,
    SENSE_BY_CLASS,
    describe_nouns,
    read_files,
    read_nouns,
)

# A few synsets as WordNet's files write them. 100 is the animal, 110 the dog, 120 the puppy,
# 130 a person who is called a dog; the other classes are all the one thing 900.
DATA = """\
  1 a licence line
00000100 03 n 01 animal 0 000 | a living thing
00000110 05 n 02 dog 0 domestic_dog 0 001 @ 00000100 n 0000 | a pet
00000120 05 n 01 puppy 0 001 @ 00000110 n 0000 | a young dog
00000130 18 n 01 dog 1 001 @ 00000900 n 0000 | a chap
00000900 03 n 01 thing 0 000 | a thing
"""
SENSES = """\
dog%1:05:00:: 00000110 1 42
dog%1:18:01:: 00000130 2 0
dog%2:38:00:: 00000130 1 9
unrelated%3:00:00:: 00000900 1 99
"""


def files() -> dict[str, bytes]:
    index = {
        "animal": [100],
        "domestic_dog": [110],
        "puppy": [120],
        "thing": [900],
        "unrelated": [900],
    }
    for name in ID_BY_NAME:
        word, place = SENSE_BY_CLASS.get(name, (name.replace(" ", "_"), 1))
        index[word] = [900] * place
    index["dog"] = [110, 130]
    lines = [
        f"{word} n {len(synsets)} 1 @ {len(synsets)} 0 " + " ".join(f"{s:08}" for s in synsets)
        for word, synsets in index.items()
    ]
    return {
        "data.noun": DATA.encode(),
        "index.noun": "\n".join(lines).encode(),
        "index.sense": SENSES.encode(),
    }


def test_a_noun_stands_for_what_it_is_a_kind_of_and_for_its_kinds() -> None:
    dog = ID_BY_NAME["dog"]
    described = describe_nouns(read_nouns(files()))
    assert described["puppy"].meant == {dog: 1.0}
    assert described["animal"].meant == {dog: 1.0}
    assert described["domestic dog"].meant == {dog: 1.0}


def test_an_unlikely_sense_does_not_count() -> None:
    described = describe_nouns(read_nouns(files()))
    assert described["dog"].meant == {ID_BY_NAME["dog"]: 1.0}


def test_uses_of_other_parts_of_speech_are_not_counted() -> None:
    nouns = read_nouns(files())
    assert nouns.uses == {("dog", 110): 42}
    assert nouns.other_uses == {"dog": 9, "unrelated": 99}


def test_a_word_that_is_hardly_ever_a_noun_stands_for_nothing() -> None:
    facts = describe_nouns(read_nouns(files()))["unrelated"]
    assert not facts.meant
    assert not facts.akin


def test_another_package_is_not_taken_for_the_pinned_one(tmp_path: Path) -> None:
    archive = tmp_path / "wordnet.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        for name, content in files().items():
            path = tmp_path / name
            path.write_bytes(content)
            tar.add(path, FOLDER + name)
    with pytest.raises(PackageUnavailable, match=r"data\.noun"):
        read_files(archive)


def test_the_prepared_lexicon_knows_wordnets_nouns() -> None:
    lexicon = Lexicon(settings.LEXICON)
    assert "beach" in lexicon
    assert "qqxqq" not in lexicon
    assert lexicon.facts("qqxqq") is None
    puppy = lexicon.facts("puppy")
    assert puppy is not None
    assert puppy.meant.keys() == {ID_BY_NAME["dog"]}
    assert "puppy" in lexicon.nouns_of_classes()


def test_a_missing_lexicon_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make setup"):
        Lexicon(tmp_path / "nouns.json")
