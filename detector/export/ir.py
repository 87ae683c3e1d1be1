"""The OpenVINO IR that `LocalDetector` loads."""

from __future__ import annotations

import tempfile
from pathlib import Path

from detector.detections import IMAGE_SIZE
from detector.export.tfjs_graph import BOXES, SCORES
from detector.openvino_import import openvino as ov


def write_ir(frozen_graph: bytes, path: Path) -> None:
    """Write the network, a serialised GraphDef, to `path` (.xml, its .bin beside it).

    Input uint8 (1, 300, 300, 3); outputs `boxes` float32 (1, 1917, 1, 4) and `scores` float32
    (1, 1917, 90). A fixed batch of one was a fifth faster than a free one of any size, and less
    than a tenth slower than a fixed one of four, which would need padding. Suppression is not in
    it, for OpenVINO has no such operation with box voting.
    """
    with tempfile.NamedTemporaryFile(suffix=".pb") as file:
        file.write(frozen_graph)
        file.flush()
        model = ov.Core().read_model(file.name)
    model.reshape([1, IMAGE_SIZE, IMAGE_SIZE, 3])
    preparation = ov.preprocess.PrePostProcessor(model)
    preparation.input().tensor().set_element_type(ov.Type.u8)
    model = preparation.build()
    model.input().tensor.set_names({"images"})
    model.output(f"{BOXES}:0").tensor.set_names({"boxes"})
    model.output(f"{SCORES}:0").tensor.set_names({"scores"})
    # Half precision would halve the file and change the answers.
    ov.save_model(model, path, compress_to_fp16=False)
