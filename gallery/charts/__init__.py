"""Where the marks of charts lie: pure functions from figures to geometry; templates draw it."""
