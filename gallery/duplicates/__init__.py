"""Photos that are nearly the same: by their pixels, or of the same scene."""
