"""HDF5 files as bytes: the same content gives the same bytes, whenever it is written."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable

import h5py
from h5py import h5f, h5fd, h5g, h5p

# h5py is not safe to use from several threads at once: its own lock can crash the process
# (h5py issue 2920). HDF5 does one thing at a time anyway, so this costs nothing.
HDF5_LOCK = threading.RLock()


def hdf5_content(fill: Callable[[h5py.File], None], *, alignment: int = 1) -> bytes:
    """A file as `fill` makes it, made in memory.

    HDF5 does not survive a full disk: a failed flush leaves its file open for ever, and the
    process may crash at its end.

    Args:
        alignment: datasets in one piece begin at multiples of so many bytes.
    """
    content = io.BytesIO()
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_fileobj_driver(h5fd.fileobj_driver, content)
    # v110 can be read by every HDF5 since 1.10 and by older h5py, pandas and MATLAB releases.
    access.set_libver_bounds(h5f.LIBVER_V110, h5f.LIBVER_V110)
    access.set_alignment(1, alignment)
    with (
        HDF5_LOCK,
        h5py.File(h5f.create(b"-", h5f.ACC_TRUNC, _timeless(h5p.FILE_CREATE), access)) as file,
    ):
        fill(file)
    return content.getvalue()


def add_group(file: h5py.File, name: str) -> h5py.Group:
    """A new group, which does not remember when it was made."""
    return h5py.Group(h5g.create(file.id, name.encode(), gcpl=_timeless(h5p.GROUP_CREATE)))


def _timeless(kind: h5p.PropClassID) -> h5p.PropOCID:
    # Else a repair could not tell that it has made a file into what it once was.
    properties = h5p.create(kind)
    properties.set_obj_track_times(False)
    return properties
