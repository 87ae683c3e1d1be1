"""The Django project and app: uploads, background ingestion, search, pages, API and commands."""
