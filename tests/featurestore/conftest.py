from __future__ import annotations

from hypothesis import settings

# The first call of a compiled function compiles it, which takes seconds and says nothing.
settings.register_profile("compiled", deadline=None)
settings.load_profile("compiled")
