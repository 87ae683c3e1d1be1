"""Models of TensorFlow Serving: the clients, and beside them what the server's image is made of."""

from __future__ import annotations

from detector.serving.client import ServingDetector
from detector.serving.embedder import ServingEmbedder

__all__ = ["ServingDetector", "ServingEmbedder"]
