"""Measurements beside public peers in the same run; `manage.py bench` prints them."""
