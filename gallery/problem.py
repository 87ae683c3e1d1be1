"""What the API answers where a call went wrong."""

from __future__ import annotations

from ninja import Schema
from pydantic import Field


class Problem(Schema):
    detail: str = Field(description="a sentence that says what is wrong")
