"""What a figure was measured on."""

from __future__ import annotations

import os
import platform
import resource
from pathlib import Path

import h5py
import numpy as np


def machine() -> str:
    """Processor, cores and versions in one line."""
    return (
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()}, "
        f"Python {platform.python_version()}, NumPy {np.__version__}, "
        f"h5py {h5py.__version__}, HDF5 {h5py.version.hdf5_version}"
    )


def resident_bytes() -> int:
    """Memory of this process that is in RAM now, its shared pages included."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except FileNotFoundError:
        # Not Linux: the most there ever was.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return pages * os.sysconf("SC_PAGE_SIZE")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except FileNotFoundError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
