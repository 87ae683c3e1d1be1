"""Detection by TensorFlow Serving: the client, and beside it what the server's image is made of."""

from __future__ import annotations

from detector.serving.client import ServingDetector

__all__ = ["ServingDetector"]
