"""Saved searches in the JSON API."""

from __future__ import annotations

from datetime import datetime

from django.http import Http404, HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from gallery.access.visitors import visitor_of
from gallery.models import SavedSearch
from gallery.problem import Problem
from gallery.saved.queries import saved_query_of
from gallery.saved.saving import save_search

router = Router()


class KeptSearch(Schema):
    key: str
    name: str
    query: str = Field(description="q=…, layout=… or similar=…, as in the pages' addresses")
    made_by: str | None
    made_at: datetime
    share_url: str
    results_url: str


class NewSearch(Schema):
    query: str = Field(description="like q=puppy%20on%20couch&weak=1; or a results page's query")
    name: str = Field("", description="what it is about, where empty")


@router.get("/searches", response=list[KeptSearch])
def saved_searches(request: HttpRequest) -> list[KeptSearch]:
    """All saved searches, newest first."""
    rows = SavedSearch.objects.select_related("made_by").order_by("-made_at", "-pk")
    return [_kept(request, row) for row in rows]


@router.post("/searches", response={201: KeptSearch, 400: Problem, 507: Problem})
def make_search(request: HttpRequest, new: NewSearch) -> Status[KeptSearch]:
    """Save a search; one that is saved already is answered as it is."""
    visitor = visitor_of(request)
    user = visitor.user or (visitor.token.user if visitor.token else None)
    return Status(201, _kept(request, save_search(new.name, new.query, user)))


@router.delete("/searches/{key}", response={204: None, 404: Problem})
def delete_search(request: HttpRequest, key: str) -> Status[None]:
    """Delete a saved search; no photo goes with it."""
    deleted, _ = SavedSearch.objects.filter(key=key).delete()
    if not deleted:
        raise Http404("There is no such saved search; it may have been deleted.")
    return Status(204, None)


def _kept(request: HttpRequest, search: SavedSearch) -> KeptSearch:
    return KeptSearch(
        key=search.key,
        name=search.name,
        query=search.query,
        made_by=search.made_by.username if search.made_by else None,
        made_at=search.made_at,
        share_url=request.build_absolute_uri(search.get_absolute_url()),
        results_url=request.build_absolute_uri(saved_query_of(search.query).address),
    )
