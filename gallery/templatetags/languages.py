"""What templates say of languages, and the words that differ between them."""

from __future__ import annotations

from django import template

from gallery.failures import shown_failure
from gallery.languages import catalogue_address
from gallery.look_names import shown_look
from gallery.object_names import shown_name

register = template.Library()


@register.simple_tag
def script_texts() -> str:
    """The address of the scripts' texts in this page's language; "" for English."""
    return catalogue_address()


@register.filter
def object_name(name: str) -> str:
    """An object class as the reader calls it: "chien" for "dog"."""
    return shown_name(name)


@register.filter
def look_name(name: str) -> str:
    """What a photo as a whole looks like as the reader calls it: "château" for "castle"."""
    return shown_look(name)


@register.filter
def in_language(sentence: str) -> str:
    """A sentence that was written down in English, such as by a worker, where it is translated."""
    return shown_failure(sentence)
