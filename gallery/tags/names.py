"""Names of tags: how they are kept, and in which other ways they are written."""

from __future__ import annotations

from django.utils.translation import gettext as _

from gallery.errors import EditRefused
from gallery.plurals import plural, singulars
from gallery.query.printer import print_filter
from gallery.query.syntax import TagFilter
from gallery.query.typed_text import plain
from gallery.tags.models import MAX_TAG_LENGTH
from gallery.uploads import printable_text

# What is left out of a key: "t-shirt", "T shirt" and "tshirt" are one tag.
JOINERS = str.maketrans("", "", " -'·")
# The language could not name a tag that has them.
SIGNS_OF_THE_LANGUAGE = frozenset('",;|/()[]{}<>:')


def tag_name(text: str) -> str:
    """A tag as it is kept: in lower case, one blank between words. Raises EditRefused."""
    name = plain(printable_text(text))
    if not name or not any(sign.isalnum() for sign in name):
        raise EditRefused(_("A tag needs a letter or a digit, like: summer party"))
    if len(name) > MAX_TAG_LENGTH:
        raise EditRefused(_("A tag has at most %(most)s characters.") % {"most": MAX_TAG_LENGTH})
    odd = SIGNS_OF_THE_LANGUAGE.intersection(name)
    if odd:
        raise EditRefused(_("A tag cannot have the sign %(sign)s in it.") % {"sign": min(odd)})
    return name


def tag_key(name: str) -> str:
    """What is the same for all ways to write one tag, but for its number."""
    return name.translate(JOINERS) or name


def keys_of(words: str) -> set[str]:
    """Keys of the tags that words may name, in singular or plural."""
    forms = {words, *singulars(words)}
    forms |= {plural(form) for form in forms}
    return {tag_key(form) for form in forms}


def tag_query(name: str) -> str:
    """What finds all photos with a tag."""
    return print_filter(TagFilter(name))
