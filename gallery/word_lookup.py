"""Words of a query looked up, each once: what they mean here, and the tags that they name."""

from __future__ import annotations

from typing import Protocol

from gallery.meanings import Meaning
from gallery.query.syntax import Thing
from gallery.query.translated import is_called
from gallery.vocabulary import Vocabulary


class KnownTags(Protocol):
    """The tags that photos of a gallery have, or may get."""

    def named(self, words: str) -> str | None:
        """The tag that words name, in singular or plural."""


class WordLookup:
    """Looks the words of one query up."""

    def __init__(self, vocabulary: Vocabulary, tags: KnownTags | None) -> None:
        self._vocabulary = vocabulary
        self._known_tags = tags
        self._tags: dict[str, str | None] = {}
        self._meanings: dict[tuple[str, bool], Meaning | None] = {}

    def is_name(self, phrase: str) -> bool:
        """Whether several words are one name."""
        if is_called(phrase) or self._vocabulary.is_name(phrase):
            return True
        return self._tag_named(phrase) is not None

    def tag(self, thing: Thing) -> str | None:
        """The tag that a thing's words name; quotes ask for a class, where there is one."""
        if thing.quoted and self._vocabulary.exact_meaning(thing.words) is not None:
            return None
        return self._tag_named(thing.words)

    def meaning(self, thing: Thing) -> Meaning | None:
        key = thing.words, thing.quoted
        if key not in self._meanings:
            look_up = self._vocabulary.exact_meaning if thing.quoted else self._vocabulary.meaning
            if self.tag(thing) is not None and not thing.quoted:
                # Who tags shoes means no handbags, which only are the class that is nearest.
                look_up = self._vocabulary.own_meaning
            self._meanings[key] = look_up(thing.words)
        return self._meanings[key]

    def _tag_named(self, words: str) -> str | None:
        if self._known_tags is None:
            return None
        if words not in self._tags:
            self._tags[words] = self._known_tags.named(words)
        return self._tags[words]
