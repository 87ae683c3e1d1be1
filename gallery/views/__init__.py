"""Pages: each view parses its request, calls one function and renders."""
