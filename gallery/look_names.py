"""What photos as a whole look like by the names that the reader has for it, and back.

As `object_names` is for objects: queries have the English names in every language.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from django.conf import settings
from django.utils import translation

from detector.look_labels import names_in
from gallery.object_names import NAMES, plainly
from gallery.query.phrases import PARTING_WORDS


def shown_look(name: str) -> str:
    """A class of looks as the reader calls it; English where that language has no names."""
    return _names(_language()).get(name, name)


def look_called(phrase: str) -> str | None:
    """The English name that a query has for what the reader calls so, in singular or plural.

    None for all that is not among the names of the active language, and in English.
    """
    return _names_by_key(_language()).get(_key(phrase))


@cache
def typed_look(name: str) -> str | None:
    """A name as a query has it; None of one that a query reads as something else."""
    typed = _without_parentheses(name).lower()
    # A kite is a toy, and "jack-o'-lantern" comes apart.
    is_read = typed not in NAMES and not PARTING_WORDS & set(typed.split(" ")) and "'-" not in typed
    return typed if is_read else None


def _language() -> str:
    return translation.get_language() or settings.LANGUAGE_CODE


@cache
def _names(language: str) -> Mapping[str, str]:
    return names_in(language)


@cache
def _names_by_key(language: str) -> Mapping[str, str]:
    named = ((shown, typed_look(name)) for name, shown in _names(language).items())
    return {_key(shown): typed for shown, typed in named if typed is not None}


def _key(name: str) -> str:
    """The same of singular and plural, with hyphens or blanks."""
    words = re.split("[ -]+", plainly(_without_parentheses(name)))
    return " ".join(_singular(word) for word in words)


def _singular(word: str) -> str:
    """What the forms of a French word have in common: "chevaux" and "cheval" are one."""
    stem = word.removesuffix("s").removesuffix("x")
    return f"{stem[:-2]}al" if stem.endswith("au") and not stem.endswith("eau") else stem


def _without_parentheses(name: str) -> str:
    """A name without what says which of two it is: "crane (bird)"."""
    return re.sub(r" \(.*\)$", "", name)
