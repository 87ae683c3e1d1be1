"""Addresses of pages and API."""

from __future__ import annotations

from django.urls import path, register_converter
from django.urls.converters import IntConverter

from gallery.api import api
from gallery.views import (
    account,
    dashboard,
    duplicates,
    grid,
    groups,
    health,
    languages,
    people,
    photo_queries,
    photos,
    robots,
    sample_photos,
    search,
    searches,
    sign_in,
    suggestions,
    tags,
    trash,
    uploads,
)

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
    path("samples", sample_photos.import_sample_photos, name="import_samples"),
    path("samples/remove", sample_photos.remove_sample_photos, name="remove_samples"),
    path("upload", uploads.upload, name="upload"),
    path("photos/", grid.photos, name="photos"),
    path("photos/download", grid.download, name="download"),
    path("photos/<image_id:image_id>/", photos.photo, name="photo"),
    path("photos/<image_id:image_id>/grid.jpg", photos.thumbnail, {"size": "grid"}, "thumbnail"),
    path("photos/<image_id:image_id>/view.jpg", photos.thumbnail, {"size": "view"}, "view"),
    path("photos/<image_id:image_id>/original", photos.original, name="original"),
    path("photos/<image_id:image_id>/delete", photos.delete, name="delete"),
    path("photos/<image_id:image_id>/rename", photos.rename, name="rename"),
    path("photos/tags", tags.change_many, name="tag_photos"),
    path("photos/<image_id:image_id>/tags", tags.change, name="change_tags"),
    path("photos/<image_id:image_id>/similar", search.similar, name="similar"),
    path("groups/", groups.groups, name="groups"),
    path("groups/<key>/", groups.group, name="group"),
    path("groups/<key>/rename", groups.rename, name="rename_group"),
    path("duplicates/", duplicates.duplicates, name="duplicates"),
    path("duplicates/tidy", duplicates.tidy, name="tidy_duplicates"),
    path("duplicates/keep", duplicates.keep, name="keep_duplicates"),
    path("duplicates/offer", duplicates.offer, name="offer_duplicates"),
    path("trash", trash.trash, name="trash"),
    path("trash/move", trash.move, name="move_to_trash"),
    path("trash/restore", trash.restore, name="restore"),
    path("trash/delete", trash.delete_for_good, name="delete_for_good"),
    path("draw", search.draw, name="draw"),
    path("search", search.results, name="search"),
    path("search/photo", photo_queries.photo_query, name="photo_query"),
    path("search/photo/<token>/", search.photo_results, name="photo_results"),
    path("search/photo/<token>/query.jpg", photo_queries.picture, name="query_picture"),
    path("suggest", suggestions.suggestions, name="suggest"),
    path("searches/", searches.searches, name="searches"),
    path("searches/save", searches.save, name="save_search"),
    path("searches/<key>/", searches.saved_search, name="saved_search_by_key"),
    path("searches/<key>/rename", searches.rename, name="rename_search"),
    path("searches/<key>/delete", searches.delete, name="delete_search"),
    path("searches/<key>/<slug>/", searches.saved_search, name="saved_search"),
    path("language", languages.choose_language, name="choose_language"),
    path("script-texts/<slug:language>.js", languages.script_texts, name="script_texts"),
    path("login", sign_in.sign_in, name="login"),
    path("logout", sign_in.sign_out, name="logout"),
    path("password/<user_key>/<link_token>", sign_in.choose_password, name="choose_password"),
    path("account", account.account, name="account"),
    path("account/tokens", account.make_token, name="make_token"),
    path("account/tokens/<image_id:token_id>/revoke", account.revoke_token, name="revoke_token"),
    path("people", people.people, name="people"),
    path("people/<image_id:user_id>/change", people.change, name="change_person"),
    path("people/<image_id:user_id>/link", people.link, name="link_person"),
    path(
        "people/<image_id:user_id>/tokens/<image_id:token_id>/revoke",
        people.revoke_token,
        name="revoke_token_of",
    ),
    path("api/v1/", api.urls),
    path("robots.txt", robots.robots, name="robots"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
]
