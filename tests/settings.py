"""The gallery's settings with a data folder that is thrown away."""

from __future__ import annotations

import os
import tempfile

os.environ["GALLERY_DATA"] = tempfile.mkdtemp(prefix="gallery-tests-")

from gallery.settings import *  # noqa: F403

# Whether somebody has collected them or not.
STATIC_COLLECTED = False
WHITENOISE_USE_FINDERS = True
