"""The query language: its syntax tree, parser and printer, without what words mean."""
