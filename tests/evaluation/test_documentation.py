"""docs/evaluation.md says what is measured."""

from __future__ import annotations

from pathlib import Path

from gallery.evaluation import combined_queries, drawn_layouts, queries
from gallery.evaluation.query_sets import text_query_sets
from gallery.evaluation.words import CAPTION_WORDS, CLASS_NAMES_BY_HYPERNYM
from tests.evaluation.truths import truth_of

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "evaluation.md").read_text()


def test_every_set_of_queries_is_documented() -> None:
    missing = [name for name in text_query_sets(truth_of([])) if f"`{name}`" not in PAGE]
    assert missing == []


def test_the_rules_are_documented_with_the_numbers_in_use() -> None:
    caption_words = sum(len(words) for words in CAPTION_WORDS.values())
    for words in (
        f"default_rng({queries.SEED}).choice",
        f"{queries.LARGEST_SET} of them are drawn",
        f'"1 dog", "2 dogs" … "{queries.MAX_COUNT} dogs"',
        f"at least {queries.BIG_AREA} of the frame | {queries.MIN_RELEVANT} |",
        f"at most {queries.SMALL_AREA} of the frame | {queries.MIN_RELEVANT} |",
        f"| {combined_queries.MIN_RELEVANT_NEGATED}, and {combined_queries.MIN_REJECTED} images",
        f"| `more synonyms` | {caption_words} words",
        f"| `hypernyms` | {len(CLASS_NAMES_BY_HYPERNYM)} words",
        f"from {drawn_layouts.FEWEST_OBJECTS} to {drawn_layouts.MOST_OBJECTS} or",
        f"by up to {drawn_layouts.JITTER:.0%}".replace("%", " %"),
    ):
        assert words in PAGE
