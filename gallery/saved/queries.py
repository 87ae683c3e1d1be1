"""What a saved search asks for, as the text that is kept, and as an address of the results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from detector.labels import NAME_BY_ID
from gallery.errors import QueryRefused
from gallery.example_photo import ExamplePhoto
from gallery.hits import Answer
from gallery.layouts import parse_layout, parse_part
from gallery.look_search import read_likeness, search_alike
from gallery.models import Image
from gallery.object_names import shown_count
from gallery.saved.models import MAX_NAME_LENGTH
from gallery.search import search_layout, search_text
from gallery.text_search import read_text

# Options that are more than switched on.
TEXTS = ("part", "by", "weight", "q")
MAX_LENGTH = 30_000
MAX_ID_DIGITS = 18
# What is asked by, of which a query has one, and what may go with each.
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "q": ("weak", "company"),
    "layout": ("mirror", "weak"),
    "similar": ("part", "mirror", "weak", "by", "weight", "q"),
}


@dataclass(frozen=True)
class SavedQuery:
    """A query of words, of a drawn layout, or of what is like a photo of the gallery."""

    kind: str
    """One of `OPTIONS`."""
    value: str
    """The words, the layout as JSON, or the photo's id."""
    options: tuple[tuple[str, str], ...] = ()
    """Name and value, in the order of `OPTIONS`."""

    @classmethod
    def of(cls, kind: str, value: str, given: Mapping[str, str]) -> SavedQuery:
        """From what is asked for; whatever else is given is left out."""
        options = [(name, given[name]) for name in OPTIONS[kind] if given.get(name)]
        return cls(kind, value, tuple(one for one in options if one[0] in TEXTS or one[1] == "1"))

    @property
    def text(self) -> str:
        """What is kept, the same for the same query: "q=puppy&weak=1"."""
        return _encoded({self.kind: self.value} | dict(self.options))

    @property
    def address(self) -> str:
        """Of its results."""
        if self.kind != "similar":
            return f"{reverse('search')}?{self.text}"
        address = reverse("similar", args=[int(self.value)])
        return f"{address}?{_encoded(dict(self.options))}" if self.options else address

    def suggested_name(self) -> str:
        """A name for it, where nobody gives one."""
        if self.kind == "q":
            return self.value.strip()[:MAX_NAME_LENGTH]
        if self.kind == "similar":
            image = Image.objects.filter(pk=int(self.value)).first()
            return _("Like %(name)s") % {"name": image.name if image else self.value}
        numbers: dict[str, int] = {}
        for class_id in parse_layout(self.value).objects[:, 0].tolist():
            name = NAME_BY_ID[int(class_id)]
            numbers[name] = numbers.get(name, 0) + 1
        names = ", ".join(shown_count(number, name) for name, number in numbers.items())
        return (_("Drawing: %(objects)s") % {"objects": names})[:MAX_NAME_LENGTH]

    def search(self, limit: int) -> Answer:
        """Its best photos as they are now.

        Raises Refused, and of what is like a photo what `ExamplePhoto` raises.
        """
        weak = ("weak", "1") in self.options
        if self.kind == "q":
            company = ("company", "1") in self.options
            return search_text(self.value, limit=limit, weak=weak, company=company)
        mirror = ("mirror", "1") in self.options
        if self.kind == "layout":
            layout = parse_layout(self.value)
            return search_layout(layout, query=self.kind, mirror=mirror, limit=limit, weak=weak)
        image = Image.objects.shown().filter(pk=int(self.value)).first()
        if image is None:
            raise _no_photo(self.value)
        photo = ExamplePhoto.of_image(image)
        options = dict(self.options)
        part = parse_part(options["part"]) if "part" in options else None
        return search_alike(
            photo.layout(part),
            partial(photo.look, part),
            read_likeness(options),
            query=self.kind,
            without_image_id=photo.image_id,
            only=options.get("q", ""),
            mirror=mirror,
            limit=limit,
            weak=weak,
        )


def parse_saved(text: str) -> SavedQuery:
    """Read what `SavedQuery.text` wrote, or the query of a results page's address.

    Raises QueryRefused for what cannot be searched for.
    """
    if len(text) > MAX_LENGTH:
        raise QueryRefused(_("This search is too long to be saved."))
    given = QueryDict(text.partition("?")[2] if text.startswith("/") else text)
    kinds = [kind for kind in OPTIONS if given.get(kind)]
    if "similar" in kinds:
        # There words say which photos may be found.
        kinds = [kind for kind in kinds if kind != "q"]
    if len(kinds) != 1:
        raise QueryRefused(
            _("A saved search has words (q=…), a layout (layout=…) or a photo (similar=…): one.")
        )
    [kind] = kinds
    query = SavedQuery.of(kind, str(given[kind]), {name: str(given[name]) for name in given})
    if kind == "q":
        read_text(query.value)
    elif kind == "layout":
        query = replace(query, value=parse_layout(query.value).to_json())
    elif not query.value.isdecimal() or len(query.value) > MAX_ID_DIGITS:
        raise QueryRefused(_("A photo is named by its number, like: similar=12"))
    elif not Image.objects.filter(pk=int(query.value)).exists():
        raise _no_photo(query.value)
    options = dict(query.options)
    if "part" in options:
        parse_part(options["part"])
    read_likeness(options)
    if kind == "similar" and "q" in options:
        read_text(options["q"])
    return query


def saved_query_of(text: str) -> SavedQuery:
    """The same of a text that was checked when it was kept."""
    given = QueryDict(text)
    # Of a photo's search words are a part.
    kind = next((kind for kind in ("similar", "layout") if kind in given), "q")
    value = str(given.get(kind, ""))
    return SavedQuery.of(kind, value, {name: str(given[name]) for name in given})


def _no_photo(image_id: str) -> QueryRefused:
    return QueryRefused(_("There is no photo %(id)s.") % {"id": image_id})


def _encoded(facts: Mapping[str, str]) -> str:
    query = QueryDict(mutable=True)
    for name, value in facts.items():
        query[name] = value
    # Layouts are full of these, and servers cut long addresses.
    return query.urlencode(safe=",:[]")
