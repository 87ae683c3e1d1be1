"""What each address needs, by method and route; what is not named here is refused.

A new view or API operation needs a line here, and tests/gallery/test_access.py one more.
"""

from __future__ import annotations

from enum import Enum, auto

from gallery.access.roles import Role
from gallery.access.visitors import Visitor


class Needs(Enum):
    NOTHING = auto()
    #: Asked directly from this machine, or by anybody who may read.
    WATCHING = auto()
    READER = auto()
    EDITOR = auto()
    #: Signed in by a password, whatever the role: a token cannot make tokens.
    PERSON = auto()
    OWNER = auto()


RULES: dict[tuple[str, str], Needs] = {
    # Pages of the gallery.
    ("GET", ""): Needs.READER,
    ("GET", "progress"): Needs.READER,
    ("POST", "retry"): Needs.EDITOR,
    ("POST", "samples"): Needs.EDITOR,
    ("POST", "samples/remove"): Needs.EDITOR,
    ("POST", "upload"): Needs.EDITOR,
    ("GET", "photos/"): Needs.READER,
    ("POST", "photos/download"): Needs.READER,
    ("POST", "photos/tags"): Needs.EDITOR,
    ("GET", "photos/<image_id:image_id>/"): Needs.READER,
    ("GET", "photos/<image_id:image_id>/grid.jpg"): Needs.READER,
    ("GET", "photos/<image_id:image_id>/view.jpg"): Needs.READER,
    ("GET", "photos/<image_id:image_id>/original"): Needs.READER,
    ("GET", "photos/<image_id:image_id>/delete"): Needs.EDITOR,
    ("POST", "photos/<image_id:image_id>/delete"): Needs.EDITOR,
    ("POST", "photos/<image_id:image_id>/rename"): Needs.EDITOR,
    ("POST", "photos/<image_id:image_id>/tags"): Needs.EDITOR,
    ("GET", "photos/<image_id:image_id>/similar"): Needs.READER,
    ("GET", "groups/"): Needs.READER,
    ("GET", "groups/<key>/"): Needs.READER,
    ("POST", "groups/<key>/rename"): Needs.EDITOR,
    ("GET", "duplicates/"): Needs.READER,
    ("POST", "duplicates/tidy"): Needs.EDITOR,
    ("POST", "duplicates/keep"): Needs.EDITOR,
    ("POST", "duplicates/offer"): Needs.EDITOR,
    ("GET", "trash"): Needs.EDITOR,
    ("POST", "trash/move"): Needs.EDITOR,
    ("POST", "trash/restore"): Needs.EDITOR,
    ("POST", "trash/delete"): Needs.EDITOR,
    ("GET", "draw"): Needs.READER,
    ("GET", "search"): Needs.READER,
    ("POST", "search/photo"): Needs.READER,
    ("GET", "search/photo/<token>/"): Needs.READER,
    ("GET", "search/photo/<token>/query.jpg"): Needs.READER,
    ("GET", "suggest"): Needs.READER,
    ("GET", "searches/"): Needs.READER,
    ("POST", "searches/save"): Needs.EDITOR,
    ("GET", "searches/<key>/"): Needs.READER,
    ("GET", "searches/<key>/<slug>/"): Needs.READER,
    ("POST", "searches/<key>/rename"): Needs.EDITOR,
    ("POST", "searches/<key>/delete"): Needs.EDITOR,
    # Also of the page where one signs in.
    ("POST", "language"): Needs.NOTHING,
    ("GET", "script-texts/<slug:language>.js"): Needs.NOTHING,
    # People.
    ("GET", "login"): Needs.NOTHING,
    ("POST", "login"): Needs.NOTHING,
    ("POST", "logout"): Needs.NOTHING,
    # Whoever has such a link may set the password that it is for.
    ("GET", "password/<user_key>/<link_token>"): Needs.NOTHING,
    ("POST", "password/<user_key>/<link_token>"): Needs.NOTHING,
    ("GET", "account"): Needs.PERSON,
    ("POST", "account"): Needs.PERSON,
    ("POST", "account/tokens"): Needs.PERSON,
    ("POST", "account/tokens/<image_id:token_id>/revoke"): Needs.PERSON,
    ("GET", "people"): Needs.OWNER,
    ("POST", "people"): Needs.OWNER,
    ("POST", "people/<image_id:user_id>/change"): Needs.OWNER,
    ("POST", "people/<image_id:user_id>/link"): Needs.OWNER,
    ("POST", "people/<image_id:user_id>/tokens/<image_id:token_id>/revoke"): Needs.OWNER,
    # The API.
    ("GET", "api/v1/"): Needs.READER,
    ("GET", "api/v1/docs"): Needs.READER,
    ("GET", "api/v1/openapi.json"): Needs.READER,
    ("POST", "api/v1/images"): Needs.EDITOR,
    ("GET", "api/v1/images"): Needs.READER,
    ("GET", "api/v1/images/<int:image_id>"): Needs.READER,
    ("PATCH", "api/v1/images/<int:image_id>"): Needs.EDITOR,
    ("DELETE", "api/v1/images/<int:image_id>"): Needs.EDITOR,
    ("POST", "api/v1/images/<int:image_id>/restore"): Needs.EDITOR,
    ("GET", "api/v1/images/<int:image_id>/objects"): Needs.READER,
    ("PUT", "api/v1/images/<int:image_id>/objects"): Needs.EDITOR,
    ("DELETE", "api/v1/images/<int:image_id>/objects"): Needs.EDITOR,
    ("GET", "api/v1/images/<int:image_id>/similar"): Needs.READER,
    ("GET", "api/v1/groups"): Needs.READER,
    ("GET", "api/v1/groups/<key>/images"): Needs.READER,
    ("GET", "api/v1/duplicates"): Needs.READER,
    ("GET", "api/v1/trash"): Needs.EDITOR,
    ("OPTIONS", "api/v1/uploads"): Needs.EDITOR,
    ("POST", "api/v1/uploads"): Needs.EDITOR,
    ("GET", "api/v1/uploads/<upload_id>"): Needs.EDITOR,
    ("PATCH", "api/v1/uploads/<upload_id>"): Needs.EDITOR,
    ("DELETE", "api/v1/uploads/<upload_id>"): Needs.EDITOR,
    ("GET", "api/v1/images/<int:image_id>/tags"): Needs.READER,
    ("PATCH", "api/v1/images/<int:image_id>/tags"): Needs.EDITOR,
    ("GET", "api/v1/tags"): Needs.READER,
    ("POST", "api/v1/tags"): Needs.EDITOR,
    ("GET", "api/v1/search"): Needs.READER,
    ("POST", "api/v1/search/layout"): Needs.READER,
    ("POST", "api/v1/search/photo"): Needs.READER,
    ("GET", "api/v1/searches"): Needs.READER,
    ("POST", "api/v1/searches"): Needs.EDITOR,
    ("DELETE", "api/v1/searches/<key>"): Needs.EDITOR,
    # Programs that gather pages ask before they have anything else.
    ("GET", "robots.txt"): Needs.NOTHING,
    # Watching.
    ("GET", "healthz"): Needs.NOTHING,
    ("GET", "readyz"): Needs.WATCHING,
    ("GET", "metrics"): Needs.WATCHING,
}


def methods_of(route: str) -> list[str]:
    """The methods that a route has rules for; none where it has no rule at all."""
    return [method for method, ruled in RULES if ruled == route]


def may(visitor: Visitor, needs: Needs, *, directly: bool) -> bool:
    """Whether a visitor has what is needed; `directly`: asked from this machine."""
    match needs:
        case Needs.NOTHING:
            return True
        case Needs.WATCHING:
            return directly or visitor.may_read
        case Needs.READER:
            return visitor.may_read
        case Needs.EDITOR:
            return visitor.may_edit
        case Needs.PERSON:
            return visitor.user is not None and visitor.role > Role.NOBODY
        case Needs.OWNER:
            return visitor.user is not None and visitor.may_own
