"""Answers of a search as JSON: the same for the API and the command line."""

from __future__ import annotations

from ninja import Schema
from pydantic import Field

from gallery.explaining import Reason
from gallery.hits import Answer
from gallery.layouts import Box
from gallery.text_query import Reading, TextQuery


class AnsweringObject(Schema):
    object: str
    score: float = Field(description="how sure the detector is, 0..1")
    box: Box = Field(description="xmin, ymin, xmax, ymax in 0..1 of the photo's sides")
    part: float = Field(description="what it adds to the hit's score")


class SeenLook(Schema):
    look: str
    score: float = Field(description="how probably the photo as a whole shows it, 0..1")
    part: float = Field(description="what it adds to the photo's score")


class Why(Schema):
    asked: str = Field(description="the part of the query that this answers")
    sentence: str
    part: float = Field(description="what it adds to the hit's score: the parts are the score")
    met: bool
    objects: list[AnsweringObject]
    looks: list[SeenLook] = Field(description="what the photo as a whole looks like")
    query_box: Box | None = Field(description="the query's object, in a search by layout")
    mirrored: bool


class SearchHit(Schema):
    id: int
    name: str
    sha256: str
    score: float
    why: list[Why]


class Correction(Schema):
    word: str
    query: str


class WordReading(Schema):
    word: str
    known: bool = Field(description="whether the word exists, as far as the gallery knows")
    classes: list[str] = Field(description="the objects it stands for, best first")
    looks: list[str] = Field(description="what a photo as a whole may look like, best first")
    similarity: float | None = Field(description="of the word and the best of them, 0..1")
    exact_query: str | None = Field(description="the query with the best of them, and only that")
    corrections: list[Correction]
    tag: str | None = Field(description="the tag that it names as well")
    note: str = Field(description="what of the query the word cannot answer; empty for none")


class QueryPart(Schema):
    text: str
    without: str = Field(description="the query without this part")
    readings: list[WordReading]


class SearchResults(Schema):
    query: str
    parsed: str | None = Field(description="the query as the language writes it")
    parts: list[QueryPart]
    unknown_words: list[str]
    read_as_description: bool = Field(
        description="whether all words were compared with the pictures as a whole, because none of "
        "them means an object"
    )
    undescribed: int = Field(
        description="photos that the image–text model has not seen yet, where the query has like:"
    )
    total: int
    hidden: int = Field(description="weaker matches that are not shown")
    took_ms: float
    without_look: int = Field(
        0, description="photos whose look is still being made, in a search by look"
    )
    results: list[SearchHit]


def search_results(answer: Answer) -> SearchResults:
    return SearchResults(
        # Arguments and file names may hold bytes that are no text.
        query=answer.query.encode("utf-8", "replace").decode(),
        parsed=answer.text.printed if answer.text else None,
        parts=_parts(answer.text) if answer.text else [],
        unknown_words=answer.text.unknown_words if answer.text else [],
        read_as_description=answer.read_as_description,
        undescribed=answer.undescribed,
        total=answer.total,
        hidden=answer.hidden,
        took_ms=round(answer.took_ms, 3),
        without_look=answer.without_look,
        results=[
            SearchHit(
                id=hit.image.pk,
                name=hit.image.name,
                sha256=hit.image.sha256,
                score=round(hit.score, 6),
                why=[_why(reason) for reason in hit.why],
            )
            for hit in answer.hits
        ],
    )


def _parts(query: TextQuery) -> list[QueryPart]:
    return [
        QueryPart(
            text=chip.text,
            without=chip.without,
            readings=[_reading(reading) for reading in chip.readings],
        )
        for chip in query.chips
    ]


def _reading(reading: Reading) -> WordReading:
    meaning = reading.meaning
    return WordReading(
        word=reading.words,
        known=reading.is_known,
        classes=meaning.class_names if meaning else [],
        looks=meaning.look_names if meaning else [],
        similarity=round(meaning.similarity, 4) if meaning else None,
        exact_query=reading.exact_query,
        corrections=[Correction(word=word, query=query) for word, query in reading.corrections],
        tag=reading.tag,
        note=reading.note,
    )


def _why(reason: Reason) -> Why:
    return Why(
        asked=reason.asked,
        sentence=reason.sentence,
        part=round(reason.part, 6),
        met=reason.is_met,
        objects=[
            AnsweringObject(
                object=found.name,
                score=round(found.score, 4),
                box=found.box,
                part=round(found.part, 6),
            )
            for found in reason.objects
        ],
        looks=[
            SeenLook(look=seen.name, score=round(seen.score, 4), part=round(seen.part, 6))
            for seen in reason.looks
        ],
        query_box=reason.query_box,
        mirrored=reason.mirrored,
    )
