"""A photo that others are compared with: its objects and its look, or those of a part of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gallery.layouts import Box, Layout
from gallery.look_search import look_of_file, look_of_image
from gallery.models import Image
from gallery.originals import thumbnail_path
from gallery.photo_queries import PhotoQuery, layout_of_part, layout_of_photo
from gallery.search import layout_of_image
from gallery.thumbnails import Size


@dataclass(frozen=True)
class ExamplePhoto:
    objects: Layout
    """All of its objects."""
    picture: Callable[[], Path]
    """Makes a picture of it in which its parts can be seen."""
    whole_look: Callable[[], NDArray[np.float32]]
    """Tells how it looks as a whole."""
    image_id: int | None = None
    """Its own, where it is a photo of the gallery."""
    kept_as: str = ""
    """What `layout_of_part` knows it by."""

    @classmethod
    def of_image(cls, image: Image) -> ExamplePhoto:
        """A photo of the gallery."""
        return cls(
            layout_of_image(image.pk),
            picture=lambda: thumbnail_path(image, Size.VIEW),
            whole_look=lambda: look_of_image(image.pk, lambda: thumbnail_path(image, Size.GRID)),
            image_id=image.pk,
            kept_as=image.sha256,
        )

    @classmethod
    def of_query(cls, query: PhotoQuery) -> ExamplePhoto:
        """A photo that was searched with and is kept for a day."""
        return cls(
            query.layout,
            picture=lambda: query.picture_path,
            whole_look=lambda: look_of_file(query.picture_path),
            kept_as=query.token,
        )

    @classmethod
    def of_file(cls, path: Path) -> ExamplePhoto:
        """Any photo file. Raises PhotoRefused or DetectorError."""
        return cls(
            layout_of_photo(path), picture=lambda: path, whole_look=lambda: look_of_file(path)
        )

    def layout(self, part: Box | None = None) -> Layout:
        """What lies in it, or in a part of it.

        Raises for a part what `layout_of_part` and `picture` raise: Refused, DetectorError,
        StoreError or FileNotFoundError.
        """
        if part is None:
            return self.objects
        return layout_of_part(self.objects, part, self.picture(), kept_as=self.kept_as)

    def look(self, part: Box | None = None) -> NDArray[np.float32]:
        """(d,) how it looks, or a part of it.

        Raises what `look_of_file` and `look_of_image` raise.
        """
        return self.whole_look() if part is None else look_of_file(self.picture(), part)
