"""The tags of photos: what people say counts, and what taggers suggest besides."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from featurestore.segments import Edit
from featurestore.store import FeatureStore
from gallery import components
from gallery.errors import EditRefused, refusing_full_disk
from gallery.models import Image, PhotoTag
from gallery.tags.names import tag_key, tag_name, tag_query
from gallery.tasks import schedule_calling, schedule_tending

logger = logging.getLogger(__name__)

#: The field of the store's edits that has all that people say of a photo's tags, as JSON:
#: {"added": ["beach"], "refused": ["dress"]}.
TAGS = "tags"
MOST_TAGS = 60
# Clocks may be set back, and the latest edit counts.
LEAST_STEP = 1e-6
# A database takes only so many values in a query.
BATCH = 500


@dataclass(frozen=True)
class ShownTag:
    """A tag of a photo as pages and the API show it."""

    name: str
    probability: float
    """0..1; 1 for what a person said."""
    by_person: bool

    @property
    def query(self) -> str:
        """What finds all photos with it."""
        return tag_query(self.name)


@dataclass(frozen=True)
class PeoplesTags:
    """What people say of one photo's tags, by key."""

    added: Mapping[str, str]
    refused: Mapping[str, str]

    @classmethod
    def of(cls, added: Iterable[str], refused: Iterable[str]) -> PeoplesTags:
        return cls(
            {tag_key(name): name for name in added}, {tag_key(name): name for name in refused}
        )

    @classmethod
    def from_json(cls, text: str) -> PeoplesTags:
        """What is no such text says nothing."""
        try:
            said = json.loads(text)
            return cls.of(map(str, said["added"]), map(str, said["refused"]))
        except (ValueError, KeyError, TypeError):
            logger.error("An edit of tags cannot be read: %.100s", text)
            return NOTHING_SAID

    def as_json(self) -> str:
        said = {"added": sorted(self.added.values()), "refused": sorted(self.refused.values())}
        return json.dumps(said, ensure_ascii=False)

    def rows(self, image_id: int) -> list[PhotoTag]:
        """As rows of the catalogue that are not saved yet."""
        return [
            PhotoTag(image_id=image_id, name=name, key=key, is_refused=refused)
            for names, refused in ((self.added, False), (self.refused, True))
            for key, name in names.items()
        ]


NOTHING_SAID = PeoplesTags({}, {})


def tags_of(image_id: int) -> list[ShownTag]:
    """The tags of a photo that are shown: people's by name, then suggestions, the surest first."""
    best: dict[str, ShownTag] = {}
    for row in PhotoTag.objects.shown().filter(image=image_id).order_by("-probability", "name"):
        shown = ShownTag(row.name, row.probability, by_person=not row.tagger)
        if not row.is_refused and (row.key not in best or shown.by_person):
            best[row.key] = shown
    return sorted(best.values(), key=lambda tag: (not tag.by_person, -tag.probability, tag.name))


def change_tags(
    image_ids: Collection[int], *, add: Sequence[str] = (), remove: Sequence[str] = ()
) -> int:
    """Give photos tags and take others away, durably; searches know it from now on.

    Returns how many photos there are of those. Raises EditRefused or DiskFull.
    """
    added = {tag_key(name): name for name in map(tag_name, add)}
    removed = {tag_key(name): name for name in map(tag_name, remove)}
    both = added.keys() & removed.keys()
    if both:
        raise EditRefused(
            _("“%(name)s” cannot be added and taken away at once.") % {"name": added[min(both)]}
        )
    return _change_all(image_ids, added, removed)


def withdraw_tags(image_ids: Collection[int], names: Sequence[str]) -> int:
    """Take tags by people away as if nobody had given them: what is suggested stays suggested.

    Returns how many photos there are of those. Raises EditRefused or DiskFull.
    """
    removed = {tag_key(name): name for name in map(tag_name, names)}
    return _change_all(image_ids, {}, removed, refuse=False)


def _change_all(
    image_ids: Collection[int],
    added: Mapping[str, str],
    removed: Mapping[str, str],
    *,
    refuse: bool = True,
) -> int:
    found = 0
    ids = sorted(set(image_ids))
    for start in range(0, len(ids), BATCH):
        with refusing_full_disk(), transaction.atomic():
            found += _change(ids[start : start + BATCH], added, removed, refuse=refuse)
    with refusing_full_disk():
        schedule_calling()
    return found


def agree_tags() -> None:
    """Bring what people say of tags to the catalogue where a killed process did not."""
    wanted, known = stored_tags(components.store()), catalogue_tags()
    differing = sorted(
        image_id
        for image_id in wanted.keys() | known.keys()
        if wanted.get(image_id, NOTHING_SAID) != known.get(image_id, NOTHING_SAID)
    )
    for start in range(0, len(differing), BATCH):
        with transaction.atomic():
            ids = _locked(differing[start : start + BATCH])
            # Read again, since nobody can change these now.
            _replace(ids, stored_tags(components.store()))


def store_tags(store: FeatureStore) -> None:
    """Have the store say of tags what the catalogue does, for where edits were damaged."""
    known, stored = catalogue_tags(), stored_tags(store)
    edits = store.edits()
    store.append_edits(
        [
            tags_edit(id_, known.get(id_, NOTHING_SAID), edits.get((id_, TAGS)))
            for id_ in sorted(known.keys() | stored.keys())
            if known.get(id_, NOTHING_SAID) != stored.get(id_, NOTHING_SAID)
        ]
    )


def stored_tags(store: FeatureStore) -> dict[int, PeoplesTags]:
    """What people say of tags, by image id, as the store has it."""
    return {
        image_id: PeoplesTags.from_json(edit.value)
        for (image_id, field), edit in store.edits().items()
        if field == TAGS
    }


def tags_edit(image_id: int, said: PeoplesTags, last: Edit | None) -> Edit:
    """What people say of an image's tags, as an edit that counts after the last one."""
    now = timezone.now().timestamp()
    if last is not None:
        now = max(now, last.edited_at + LEAST_STEP)
    return Edit(image_id, TAGS, said.as_json(), now)


def _change(
    ids: list[int], added: Mapping[str, str], removed: Mapping[str, str], *, refuse: bool
) -> int:
    locked = _locked(ids)
    store = components.store()
    edits = store.edits()
    suggested: dict[int, set[str]] = {}
    for image_id, key in (
        PhotoTag.objects.filter(image__in=locked, key__in=removed.keys() if refuse else ())
        .exclude(tagger="")
        .values_list("image", "key")
    ):
        suggested.setdefault(image_id, set()).add(key)
    changed: dict[int, PeoplesTags] = {}
    for image_id in locked:
        last = edits.get((image_id, TAGS))
        said = NOTHING_SAID if last is None else PeoplesTags.from_json(last.value)
        # What nobody suggests need not be refused: a tagger that learns it later may be right.
        no_more = {key: name for key, name in removed.items() if key in suggested.get(image_id, ())}
        after = PeoplesTags(
            {**{key: name for key, name in said.added.items() if key not in removed}, **added},
            {**{key: name for key, name in said.refused.items() if key not in added}, **no_more},
        )
        if len(after.added) > MOST_TAGS:
            raise EditRefused(_("A photo has at most %(most)s tags.") % {"most": MOST_TAGS})
        if after != said:
            changed[image_id] = after
    if changed:
        # First, because it also brings them to the catalogue should this be killed in between.
        schedule_tending()
        store.append_edits(
            [tags_edit(id_, said, edits.get((id_, TAGS))) for id_, said in changed.items()]
        )
        _replace(list(changed), changed)
    return len(locked)


def _locked(ids: Iterable[int]) -> list[int]:
    """Those of some images that there are, and that nobody else changes until this ends."""
    return sorted(Image.objects.filter(pk__in=list(ids)).lock())


def _replace(ids: Sequence[int], said: Mapping[int, PeoplesTags]) -> None:
    PhotoTag.objects.by_people().filter(image__in=ids).delete()
    PhotoTag.objects.bulk_create(
        [row for image_id in ids for row in said.get(image_id, NOTHING_SAID).rows(image_id)]
    )


def catalogue_tags() -> dict[int, PeoplesTags]:
    """What people say of tags, by image id, as the catalogue has it."""
    rows = PhotoTag.objects.by_people()
    added: dict[int, list[str]] = {}
    refused: dict[int, list[str]] = {}
    for row in rows.iterator():
        (refused if row.is_refused else added).setdefault(row.image_id, []).append(row.name)
    return {
        id_: PeoplesTags.of(added.get(id_, ()), refused.get(id_, ()))
        for id_ in added.keys() | refused.keys()
    }
