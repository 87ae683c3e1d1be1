from __future__ import annotations

from gallery.query.changes import with_exact, with_words, without
from gallery.query.printer import print_query
from gallery.query.syntax import Only, Relation, Thing
from tests.gallery.query.names import parsed


def test_one_of_several_conditions_is_taken_away() -> None:
    query = parsed("2 dogs -cat wide")
    assert print_query(without(query, query.alternatives[0].conditions[0])) == "-cat wide"
    assert print_query(without(query, query.alternatives[0].conditions[1])) == "2 dogs wide"
    assert print_query(without(query, query.filters[0])) == "2 dogs -cat"


def test_the_same_condition_elsewhere_stays() -> None:
    query = parsed("cat dog, cat couch")
    cat = query.alternatives[1].conditions[0]
    assert print_query(without(query, cat)) == "cat and dog, couch"


def test_an_alternative_without_conditions_is_taken_away() -> None:
    query = parsed("cat, dog, couch")
    assert print_query(without(query, query.alternatives[1].conditions[0])) == "cat, couch"


def test_a_query_without_its_only_condition_is_empty() -> None:
    query = parsed("cat")
    assert print_query(without(query, query.alternatives[0].conditions[0])) == ""


def test_one_relation_of_a_chain_is_taken_away() -> None:
    query = parsed("cat on couch near tv above dog")
    left = without(query, query.alternatives[0].conditions[1])
    assert print_query(left) == "cat on couch and tv above dog"


def test_a_thing_is_pinned_with_all_that_is_said_about_it() -> None:
    query = parsed("2 big puppies > 60%, puppies")
    puppies = query.alternatives[0].conditions[0]
    assert isinstance(puppies, Thing)
    assert print_query(with_exact(query, puppies, "Dog")) == '2 big "dog" > 60%, puppies'


def test_a_thing_is_pinned_in_every_relation_of_its_chain() -> None:
    query = parsed("cat on sofa near tv")
    relation = query.alternatives[0].conditions[0]
    assert isinstance(relation, Relation)
    assert print_query(with_exact(query, relation.object, "couch")) == 'cat on "couch" near tv'


def test_a_thing_is_pinned_behind_only() -> None:
    query = parsed("only kittens and dogs")
    only = query.alternatives[0].conditions[0]
    assert isinstance(only, Only)
    assert print_query(with_exact(query, only.things[0], "cat")) == 'only "cat" and dogs'


def test_a_thing_is_given_other_words_with_all_that_is_said_about_it() -> None:
    query = parsed('3+ small "dgo" on couch')
    relation = query.alternatives[0].conditions[0]
    assert isinstance(relation, Relation)
    corrected = with_words(query, relation.subject, "Dog")
    assert print_query(corrected) == "3+ small dog on couch"
