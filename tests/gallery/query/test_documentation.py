from __future__ import annotations

import re
from pathlib import Path

import pytest

from gallery.query import words
from gallery.query.filters import KEYS
from gallery.query.printer import print_query
from tests.gallery.query.names import parsed

PAGE = Path(__file__).parents[3] / "docs" / "query-language.md"
ROW = re.compile(r"\| `(?P<typed>[^`]+)` \| .+ \| `(?P<canonical>[^`]+)` \|")
EXAMPLES = [(row["typed"], row["canonical"]) for row in ROW.finditer(PAGE.read_text("utf-8"))]
GRAMMAR = PAGE.read_text("utf-8").split("```ebnf")[1]


@pytest.mark.parametrize(("typed", "canonical"), EXAMPLES)
def test_an_example_has_the_canonical_form_that_the_page_gives(typed: str, canonical: str) -> None:
    assert print_query(parsed(typed)) == canonical
    assert parsed(canonical) == parsed(typed)


def test_every_row_of_the_table_is_an_example() -> None:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]
    assert len(rows) == len(EXAMPLES) > 50


def test_the_grammar_names_every_word_of_the_language() -> None:
    kept = words.RESERVED_WORDS - words.NUMBERS.keys() - {"behind", "between"}
    phrases = {" ".join(bound) for bound in words.BOUNDS}
    missing = [word for word in kept | phrases if f'"{word}"' not in GRAMMAR]
    missing += [key for key in KEYS if f'"{key}:"' not in GRAMMAR]
    assert missing == []
