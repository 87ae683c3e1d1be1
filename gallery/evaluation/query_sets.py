"""All sets of text queries that search is measured with, by their names in the report."""

from __future__ import annotations

from featurestore.relations import RELATIONS
from gallery.evaluation import combined_queries, queries
from gallery.evaluation.queries import JudgedQuery
from gallery.evaluation.truth import Truth


def text_query_sets(truth: Truth) -> dict[str, list[JudgedQuery]]:
    """Queries by set; a set that the truth holds nothing for is empty."""
    return {
        "names": queries.name_queries(truth),
        "synonyms": queries.synonym_queries(truth),
        "more synonyms": queries.more_synonym_queries(truth),
        "hypernyms": queries.hypernym_queries(truth),
        "two terms": combined_queries.together_queries(truth, 2),
        "three terms": combined_queries.together_queries(truth, 3),
        "exact counts": queries.exact_count_queries(truth),
        "at-least counts": queries.at_least_count_queries(truth),
        "negation": combined_queries.negation_queries(truth),
        **{
            name: combined_queries.relation_queries(truth, name, code)
            for name, code in RELATIONS.items()
        },
        "big": queries.big_queries(truth),
        "small": queries.small_queries(truth),
        "only": combined_queries.only_queries(truth),
    }
