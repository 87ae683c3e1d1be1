"""What the search bar suggests while one types."""

from __future__ import annotations

from dataclasses import asdict

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from gallery import components
from gallery.class_counts import class_counts
from gallery.models import SavedSearch
from gallery.suggesting import Gallery, suggest
from gallery.tags.tag_index import tag_index

SAVED_SUGGESTED = 4
# Seconds that a browser need not ask again for the same beginning.
FRESH_SECONDS = 20


@require_safe
def suggestions(request: HttpRequest) -> JsonResponse:
    """Ways to go on with what is typed, and saved searches that it is part of, as JSON."""
    text = request.GET.get("q", "")
    caret = request.GET.get("caret", "")
    place = int(caret) if caret.isascii() and caret.isdecimal() and len(caret) < 6 else len(text)
    index = components.index()
    gallery = Gallery(
        components.vocabulary(),
        class_counts.of(index),
        looks=class_counts.of_looks(index),
        tags=tag_index.beginning,
    )
    saved = SavedSearch.objects.order_by("-made_at")
    if text.strip():
        saved = saved.filter(name__icontains=text.strip())
    answer = {
        "suggestions": [asdict(one) for one in suggest(text, place, gallery)],
        "saved": [
            {"label": search.name, "address": search.get_absolute_url()}
            for search in saved[:SAVED_SUGGESTED]
        ],
    }
    response = JsonResponse(answer)
    response["Cache-Control"] = f"private, max-age={FRESH_SECONDS}"
    return response
