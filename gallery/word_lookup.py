"""Words of a query looked up, each once: what they mean here, and the tags that they name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol

from gallery.meanings import Meaning
from gallery.query.phrases import MAX_NAME_WORDS
from gallery.query.syntax import Thing
from gallery.query.translated import in_english, is_called
from gallery.query.typed_text import plain
from gallery.vocabulary import Vocabulary

WORD = re.compile(r"\w+(?:['·-]\w+)*")


class KnownTags(Protocol):
    """The tags that photos of a gallery have, or may get."""

    def named(self, words: str) -> str | None:
        """The tag that words name, in singular or plural."""

    def names_any(self, phrases: Iterable[str]) -> bool:
        """Whether any of some phrases names a tag."""


class WordLookup:
    """Looks the words of one query up."""

    def __init__(self, text: str, vocabulary: Vocabulary, tags: KnownTags | None) -> None:
        self._text = text
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
        tag = self._tag_named(thing.words)
        if tag is not None and thing.quoted:
            words = in_english(thing.words) or thing.words
            return None if self._vocabulary.exact_meaning(words) is not None else tag
        return tag

    def names_tag(self, thing: Thing) -> bool:
        return self.tag(thing) is not None

    def meaning(self, thing: Thing) -> Meaning | None:
        key = thing.words, thing.quoted
        if key not in self._meanings:
            words = thing.words
            look_up = self._vocabulary.exact_meaning if thing.quoted else self._vocabulary.meaning
            if self.names_tag(thing):
                # It was not translated.
                words = in_english(words) or words
                if not thing.quoted:
                    # Who tags shoes means no handbags, which only are the class that is nearest.
                    look_up = self._vocabulary.own_meaning
            self._meanings[key] = look_up(words)
        return self._meanings[key]

    def _tag_named(self, words: str) -> str | None:
        if self._known_tags is None:
            return None
        if not self._tags:
            # Most queries have no tag in them: that is asked once, not for each phrase.
            phrases = _phrases(self._text)
            if not self._known_tags.names_any(phrases):
                self._tags = dict.fromkeys(phrases)
        if words not in self._tags:
            self._tags[words] = self._known_tags.named(words)
        return self._tags[words]


def _phrases(text: str) -> list[str]:
    """What of a text may be a name: words, and several beside each other."""
    words = WORD.findall(plain(text))
    return [
        " ".join(words[start : start + length])
        for start in range(len(words))
        for length in range(1, MAX_NAME_WORDS + 1)
        if start + length <= len(words)
    ]
