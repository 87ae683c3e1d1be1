"""The gallery's settings with a data folder that is thrown away."""

from __future__ import annotations

import os
import tempfile

os.environ["GALLERY_DATA"] = tempfile.mkdtemp(prefix="gallery-tests-")

from gallery.settings import *  # noqa: F403
