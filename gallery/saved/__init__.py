"""Searches that people keep: by name, for everybody of the gallery, with an address to share."""
