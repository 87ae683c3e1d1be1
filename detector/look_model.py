"""The appearance model: EfficientNet-Lite0, trained on ImageNet.

Sources: Mingxing Tan, Quoc V. Le: EfficientNet: Rethinking Model Scaling for Convolutional Neural
Networks (2019), and the "lite" variants of its authors, which have ReLU6 in place of swish and no
squeeze-and-excitation.
"""

from __future__ import annotations

import hashlib

from detector.model_files import ExportedModel

#: Raised when embeddings change their meaning, so that all photos are looked at anew.
LOOKS_VERSION = 1

#: SHA-256 of the one file of weights in the package.
WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

#: What the network wants of each colour, 0..255: less the mean, through the deviation. Part of the
#: exported model, so that nobody else need know it.
MEAN, DEVIATION = 127.0, 128.0


def _model_id() -> str:
    facts = repr((LOOKS_VERSION, WEIGHTS_SHA256, MEAN, DEVIATION))
    return "efficientnet-lite0-imagenet-1-" + hashlib.sha256(facts.encode()).hexdigest()[:8]


LOOK_MODEL_ID = _model_id()

LOOK = ExportedModel("look", "look.json", LOOK_MODEL_ID)
