"""Damage to files, as a failing disk does it."""

from __future__ import annotations

import random
from pathlib import Path


def flip_bit(path: Path, chance: random.Random) -> int:
    """Change one bit of a file; returns the place of its byte."""
    content = bytearray(path.read_bytes())
    place = chance.randrange(len(content))
    content[place] ^= 1 << chance.randrange(8)
    path.write_bytes(content)
    return place


def flip_bit_of(path: Path, known: bytes) -> None:
    """Change one bit in the middle of bytes that a file is known to hold."""
    content = bytearray(path.read_bytes())
    content[content.index(known) + len(known) // 2] ^= 1
    path.write_bytes(content)
