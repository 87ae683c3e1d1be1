"""What nouns have to do with the object classes, as `wordnet` prepared it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


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

    is_usual: bool
    """Whether the word is used as a noun at all, rather than as a verb or an adjective."""

    looks: Mapping[int, float] = field(default_factory=dict)
    """How likely it stands for each class of an appearance model, 0..1, by the class's number."""

    @property
    def senses(self) -> list[list[int]]:
        """The meant classes by the sense of the noun that means them, the likeliest first."""
        # No two senses are equally likely: of those that were never met the first is likelier.
        by_sense: dict[float, list[int]] = {}
        for class_id, likelihood in self.meant.items():
            by_sense.setdefault(likelihood, []).append(class_id)
        return [by_sense[likelihood] for likelihood in sorted(by_sense, reverse=True)]

    @classmethod
    def of_text(cls, text: str) -> NounFacts:
        """Read what `text` wrote."""
        meant, akin, is_usual, looks = text.split(";")
        likelihoods = (pair.split(":") for pair in meant.split())
        alike = (group.split(":") for group in looks.split())
        return cls(
            {int(class_id): float(likelihood) for class_id, likelihood in likelihoods},
            frozenset(map(int, akin.split())),
            is_usual == "1",
            {
                int(number): float(likelihood)
                for likelihood, all_ in alike
                for number in all_.split(",")
            },
        )

    @property
    def text(self) -> str:
        """All of it in one short text: "18:1.0;16 17 18;1;1.0:207,208 0.5:160"."""
        meant = " ".join(f"{class_id}:{self.meant[class_id]}" for class_id in sorted(self.meant))
        akin = " ".join(map(str, sorted(self.akin)))
        alike: dict[float, list[str]] = {}
        for number in sorted(self.looks):
            alike.setdefault(self.looks[number], []).append(str(number))
        looks = " ".join(f"{likelihood}:{','.join(all_)}" for likelihood, all_ in alike.items())
        return f"{meant};{akin};{self.is_usual:d};{looks}"


class Lexicon:
    """Facts of the nouns that a prepared file describes."""

    def __init__(self, path: Path) -> None:
        """Raises FileNotFoundError with what to do."""
        if not path.exists():
            raise FileNotFoundError(f"There is no lexicon at {path}. Run `make setup`.")
        # As texts: a hundred thousand objects would take most of a second to make, and as long
        # again, every now and then, to be looked through for garbage.
        self._text_by_noun: dict[str, str] = json.loads(path.read_text())

    def __contains__(self, noun: str) -> bool:
        return noun in self._text_by_noun

    def facts(self, noun: str) -> NounFacts | None:
        """Facts of a noun, in lower case with blanks; None of one that WordNet does not know."""
        text = self._text_by_noun.get(noun)
        return None if text is None else NounFacts.of_text(text)

    def nouns_of_classes(self) -> list[str]:
        """Nouns that stand for a class, in WordNet's order."""
        return [noun for noun, text in self._text_by_noun.items() if not text.startswith(";")]

    def nouns_of_looks(self) -> list[str]:
        """Nouns that stand for a class of an appearance model, in WordNet's order."""
        return [noun for noun, text in self._text_by_noun.items() if not text.endswith(";")]
