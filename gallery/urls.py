"""Addresses of pages and API."""

from __future__ import annotations

from django.urls import path, register_converter
from django.urls.converters import IntConverter

from gallery.api import api
from gallery.views import dashboard, photos, search, uploads

handler400 = "gallery.views.errors.bad_request"
handler403 = "gallery.views.errors.permission_denied"
handler404 = "gallery.views.errors.page_not_found"
handler500 = "gallery.views.errors.server_error"


class ImageIdConverter(IntConverter):
    # As many digits as a 64-bit id can have and no database refuses.
    regex = "[0-9]{1,18}"


register_converter(ImageIdConverter, "image_id")

urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("progress", dashboard.ingest_progress, name="ingest_progress"),
    path("retry", dashboard.retry, name="retry"),
    path("upload", uploads.upload, name="upload"),
    path("photos/", photos.photos, name="photos"),
    path("photos/<image_id:image_id>/", photos.photo, name="photo"),
    path("photos/<image_id:image_id>/grid.jpg", photos.thumbnail, {"size": "grid"}, "thumbnail"),
    path("photos/<image_id:image_id>/view.jpg", photos.thumbnail, {"size": "view"}, "view"),
    path("photos/<image_id:image_id>/original", photos.original, name="original"),
    path("photos/<image_id:image_id>/delete", photos.delete, name="delete"),
    path("photos/<image_id:image_id>/rename", photos.rename, name="rename"),
    path("photos/<image_id:image_id>/similar", search.similar, name="similar"),
    path("search", search.text_results, name="search"),
    path("search/photo", search.photo_query, name="photo_query"),
    path("search/photo/<token>/", search.photo_results, name="photo_results"),
    path("search/photo/<token>/query.jpg", search.photo_query_picture, name="query_picture"),
    path("api/v1/", api.urls),
]
