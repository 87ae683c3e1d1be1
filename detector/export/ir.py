"""The networks in OpenVINO's format, IR, as `LocalNetwork` loads them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from detector.detections import IMAGE_SIZE
from detector.export.tfjs_graph import BOXES, SCORES
from detector.openvino_import import openvino as ov

#: The detector's outputs.
SSD: Mapping[str, str] = {f"{BOXES}:0": "boxes", f"{SCORES}:0": "scores"}


def write_ir(
    frozen_graph: bytes, path: Path, *, size: int = IMAGE_SIZE, outputs: Mapping[str, str] = SSD
) -> None:
    """Write the network, a serialised GraphDef, to `path` (.xml, its .bin beside it).

    Input uint8 (1, size, size, 3); outputs those tensors of the graph that are the keys of
    `outputs`, under the names that are its values: of the detector `boxes` float32 (1, 1917, 1, 4)
    and `scores` float32 (1, 1917, 90). A fixed batch of one was a fifth faster than a free one of
    any size, and less than a tenth slower than a fixed one of four, which would need padding.
    Suppression is not in it, for OpenVINO has no such operation with box voting.
    """
    with tempfile.NamedTemporaryFile(suffix=".pb") as file:
        file.write(frozen_graph)
        file.flush()
        model = ov.Core().read_model(file.name)
    model.reshape([1, size, size, 3])
    preparation = ov.preprocess.PrePostProcessor(model)
    preparation.input().tensor().set_element_type(ov.Type.u8)
    model = preparation.build()
    model.input().tensor.set_names({"images"})
    for tensor, name in outputs.items():
        model.output(tensor).tensor.set_names({name})
    # Half precision would halve the file and change the answers.
    ov.save_model(model, path, compress_to_fp16=False)
