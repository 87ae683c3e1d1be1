"""The API's uploads that can be resumed: the addresses of the tus protocol."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from ninja import Router

from gallery.access.visitors import visitor_of
from gallery.errors import Refused
from gallery.tus import protocol, taking
from gallery.tus.unfinished import Record, Unfinished
from gallery.uploads import Outcome

router = Router(tags=["resumable uploads"])

# A client that was silent for so long has lost its connection. Its request, which holds the upload
# and a thread of the server, ends then.
SILENCE_SECONDS = 20.0
REFUSED_STATUS = 422


@router.api_operation(["OPTIONS"], "/uploads")
def options(request: HttpRequest) -> HttpResponse:
    """What this server of the tus protocol can do."""
    response = HttpResponse(status=204)
    response["Tus-Version"] = protocol.VERSION
    response["Tus-Extension"] = protocol.EXTENSIONS
    response["Tus-Max-Size"] = str(settings.MAX_UPLOAD_BYTES)
    response["Tus-Checksum-Algorithm"] = ",".join(protocol.CHECKSUM_ALGORITHMS)
    return _with_version(response)


@router.post("/uploads", url_name="begin_upload")
def begin(request: HttpRequest) -> HttpResponse:
    """Begin an upload: headers Upload-Length and Upload-Metadata with a `filename` in Base64.

    The first bytes may come along, or all of them. 201: go on at the address in Location.
    """
    try:
        protocol.check_version(request.headers)
        length = protocol.upload_length(request.headers)
        name = protocol.upload_name(request.headers)
        count, checksum = 0, protocol.upload_checksum(request.headers)
        if request.headers.get("Content-Type") == protocol.CONTENT_TYPE:
            count = protocol.content_length(request.headers)
        unfinished = _unfinished(request)
        record = taking.begin(unfinished, length, name)
    except Refused as refusal:
        return _refusal(refusal)
    refusal_of_bytes = None
    if count or not length:
        try:
            with _body(request) as body:
                record = taking.take(
                    unfinished, record.upload_id, body, offset=0, count=count, checksum=checksum
                )
        except Refused as refusal:
            # The upload itself has begun: where to go on is said in any case.
            refusal_of_bytes = refusal
    response = _refusal(refusal_of_bytes) if refusal_of_bytes else _state(record, 201)
    response["Location"] = f"{request.path.rstrip('/')}/{record.upload_id}"
    return _with_expiry(response, unfinished, record)


@router.api_operation(["GET", "HEAD"], "/uploads/{upload_id}")
def state(request: HttpRequest, upload_id: str) -> HttpResponse:
    """How many bytes of an upload are safe (Upload-Offset), and what became of a whole one."""
    try:
        if request.method == "HEAD":
            protocol.check_version(request.headers)
        unfinished = _unfinished(request)
        record = unfinished.find(upload_id)
    except Refused as refusal:
        return _refusal(refusal)
    # Asking has gone well, whatever there is to say.
    response = _state(record, 200, refused_status=200)
    if request.method == "HEAD":
        response.content = b""
    response["Upload-Length"] = str(record.length)
    response["Cache-Control"] = "no-store"
    return _with_expiry(response, unfinished, record)


@router.patch("/uploads/{upload_id}")
def go_on(request: HttpRequest, upload_id: str) -> HttpResponse:
    """Send the next bytes, from Upload-Offset on.

    204, or 200 with JSON where the client accepts only that: they are safe, and so is the photo of
    the last ones. 409: the upload is elsewhere, ask it where. 423: another request sends just now.
    422: the file is whole and refused; `detail` says why.
    """
    try:
        protocol.check_version(request.headers)
        protocol.check_content_type(request.headers)
        offset = protocol.upload_offset(request.headers)
        count = protocol.content_length(request.headers)
        checksum = protocol.upload_checksum(request.headers)
        unfinished = _unfinished(request)
        with _body(request) as body:
            record = taking.take(
                unfinished, upload_id, body, offset=offset, count=count, checksum=checksum
            )
    except Refused as refusal:
        return _refusal(refusal)
    status = 200 if request.headers.get("Accept") == "application/json" else 204
    return _with_expiry(_state(record, status), unfinished, record)


@router.delete("/uploads/{upload_id}")
def cancel(request: HttpRequest, upload_id: str) -> HttpResponse:
    """Forget an upload. A photo that it became stays."""
    try:
        protocol.check_version(request.headers)
        taking.remove(_unfinished(request), upload_id)
    except Refused as refusal:
        return _refusal(refusal)
    return _with_version(HttpResponse(status=204))


def _unfinished(request: HttpRequest) -> Unfinished:
    return taking.unfinished_of(visitor_of(request))


def _state(record: Record, status: int, *, refused_status: int = REFUSED_STATUS) -> HttpResponse:
    """How far an upload is; where the whole file is refused, the answer has another status."""
    facts: dict[str, object] = {"offset": record.offset, "length": record.length}
    if record.answer:
        facts |= record.answer
        if record.answer["outcome"] == Outcome.REFUSED:
            facts["detail"] = record.answer["sentence"]
            status = refused_status
    response = HttpResponse(status=204) if status == 204 else JsonResponse(facts, status=status)
    response["Upload-Offset"] = str(record.offset)
    return _with_version(response)


def _refusal(refusal: Refused) -> HttpResponse:
    return _with_version(JsonResponse({"detail": str(refusal)}, status=refusal.status))


def _with_version(response: HttpResponse) -> HttpResponse:
    response["Tus-Resumable"] = protocol.VERSION
    if response.status_code == 412:
        response["Tus-Version"] = protocol.VERSION
    return response


def _with_expiry(response: HttpResponse, unfinished: Unfinished, record: Record) -> HttpResponse:
    response["Upload-Expires"] = protocol.http_date(unfinished.expires_at(record))
    return response


class _Body:
    """The bytes of a request, which end where the connection does."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self.was_cut = False

    def read(self, size: int, /) -> bytes:
        try:
            return self._request.read(size)
        except UnreadablePostError:
            self.was_cut = True
            return b""


@contextmanager
def _body(request: HttpRequest) -> Iterator[_Body]:
    """A request's bytes, for no longer than the client sends some."""
    body = _Body(request)
    # As gunicorn names it; other servers have a limit of their own.
    connection = request.META.get("gunicorn.socket")
    if not isinstance(connection, socket.socket):
        yield body
        return
    before = connection.gettimeout()
    connection.settimeout(SILENCE_SECONDS)
    try:
        yield body
    finally:
        if body.was_cut:
            # Else the server would go on waiting for the rest of the request.
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RD)
        connection.settimeout(before)
