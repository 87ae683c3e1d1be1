"""Photos that look alike, in groups to browse; people may name them."""
