"""The one interface that every detector has, and the one that every embedder has."""

from __future__ import annotations

from typing import Protocol

from detector.detections import Detections, Images
from detector.looks import LookImages, LookInput, Looks


class Detector(Protocol):
    """Finds objects in photos that were squeezed to 300×300."""

    @property
    def model_id(self) -> str:
        """Short stable name of the weights and settings behind the answers.

        Two detectors with one `model_id` give the same detections, up to float rounding.
        """
        ...

    def detect(self, images: Images) -> Detections:
        """Return detections, float32 (n, 20, 6), of `images`, uint8 (n, 300, 300, 3) RGB.

        Raises ValueError for images of another shape or dtype, and `DetectorError` when no
        answer can be had. May be called from several threads at once.
        """
        ...

    def check(self, deadline: float = 2.0) -> None:
        """Return if the detector could detect now; asks for at most `deadline` seconds a server.

        Raises `DetectorError` with the reason why it could not.
        """
        ...

    def close(self) -> None:
        """Release what the detector holds; it may not be used afterwards."""
        ...


class Embedder(Protocol):
    """Says how photos look that were made what `input` says."""

    @property
    def input(self) -> LookInput:
        """What it is to see of each photo."""
        ...

    @property
    def model_id(self) -> str:
        """Short stable name of the weights behind the answers, as `Detector.model_id` is."""
        ...

    def embed(self, images: LookImages) -> Looks:
        """Return the looks of `images`, uint8 (n, side, side, 3) RGB.

        Raises ValueError for images of another shape or dtype, and `DetectorError` when no
        answer can be had. May be called from several threads at once.
        """
        ...

    def check(self, deadline: float = 2.0) -> None:
        """Return if the embedder could embed now; asks for at most `deadline` seconds a server.

        Raises `DetectorError` with the reason why it could not.
        """
        ...

    def close(self) -> None:
        """Release what the embedder holds; it may not be used afterwards."""
        ...
