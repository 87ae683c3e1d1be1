"""What the clients search for."""

from __future__ import annotations

QUERIES = (
    *("cat", "kitten", "dog", "person", "vehicle", "motorbike", "cup", "food", "animal", "horse"),
    *("cat, dog", "cat and person", "cat OR horse", "2 cats", "3+ people", "at most 1 cat"),
    *("cat -person", "person without a cat", "neither cat nor dog", "big cat", "small person"),
    *("cat > 60%", "only cats", '"cup"', "person left of cat", "cup on table", "cat near person"),
    *("a person to the right of a motorcycle", "cat wide", "person tall", "square", "type:jpg cat"),
    *("name:photo cat", "after:2024 person", "2 people -motorcycle wide", "bicycle, cup -type:png"),
)
LAYOUTS: tuple[list[dict[str, object]], ...] = (
    [{"object": "cat", "box": [0.1, 0.1, 0.9, 0.9]}],
    [{"object": "person", "box": [0.3, 0.05, 0.7, 1.0]}],
    [
        {"object": "cup", "box": [0.3, 0.3, 0.7, 0.8]},
        {"object": "dining table", "box": [0.0, 0.2, 1.0, 1.0]},
    ],
    [
        {"object": "motorcycle", "box": [0.0, 0.1, 0.5, 0.9]},
        {"object": "person", "region": [[0.5, 0.1], [0.9, 0.2], [0.8, 1.0], [0.5, 0.9]]},
    ],
)
