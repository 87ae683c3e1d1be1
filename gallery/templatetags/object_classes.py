"""The object classes that the gallery knows, for templates that let people choose one."""

from __future__ import annotations

from django import template

from detector.labels import NAME_BY_ID
from gallery.object_names import plainly, shown_name

register = template.Library()


@register.simple_tag
def object_classes() -> list[tuple[int, str]]:
    """(class id, name) of all, by the name that the reader has for them."""
    return sorted(NAME_BY_ID.items(), key=lambda one: plainly(shown_name(one[1])))
