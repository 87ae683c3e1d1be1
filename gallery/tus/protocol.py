"""What the headers of a resumable upload say: core protocol, creation, checksum, expiration."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from django.utils.translation import gettext as _

from gallery.errors import Refused

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,termination,expiration,checksum"
CONTENT_TYPE = "application/offset+octet-stream"
CHECKSUM_ALGORITHMS = ("sha1", "sha256")
# As many digits as a 64-bit number can have.
NUMBER = re.compile(r"[0-9]{1,18}")
MAX_METADATA_LENGTH = 4096


class TusRefused(Refused):
    """A request that is not as the protocol wants it, answered with a status of its own."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True)
class Checksum:
    """What the bytes of one request should add up to."""

    algorithm: str
    digest: bytes

    def begin(self) -> hashlib._Hash:
        return hashlib.new(self.algorithm, usedforsecurity=False)


def check_version(headers: Mapping[str, str]) -> None:
    """Raises TusRefused where a client speaks another version of the protocol, or none."""
    if headers.get("Tus-Resumable") != VERSION:
        raise TusRefused(
            _("The header Tus-Resumable should be %(version)s.") % {"version": VERSION}, 412
        )


def upload_length(headers: Mapping[str, str]) -> int:
    """How many bytes the file has. Raises TusRefused."""
    if "Upload-Defer-Length" in headers:
        raise TusRefused(_("The length has to be known at first: send Upload-Length."), 400)
    return _number(headers, "Upload-Length")


def upload_offset(headers: Mapping[str, str]) -> int:
    """Where in the file the bytes of a request belong. Raises TusRefused."""
    return _number(headers, "Upload-Offset")


def content_length(headers: Mapping[str, str]) -> int:
    """How many bytes a request has. Raises TusRefused where it does not say."""
    if "Content-Length" not in headers or "Transfer-Encoding" in headers:
        raise TusRefused(_("A request with bytes needs the header Content-Length."), 411)
    return _number(headers, "Content-Length")


def check_content_type(headers: Mapping[str, str]) -> None:
    """Raises TusRefused where the bytes of a request are not called what they should be."""
    if headers.get("Content-Type") != CONTENT_TYPE:
        raise TusRefused(
            _("The header Content-Type should be %(type)s.") % {"type": CONTENT_TYPE}, 415
        )


def upload_name(headers: Mapping[str, str]) -> str:
    """What the file is called, from Upload-Metadata; empty where it is not said.

    Raises TusRefused for metadata that cannot be read.
    """
    text = headers.get("Upload-Metadata", "")
    if len(text) > MAX_METADATA_LENGTH:
        raise TusRefused(_("The header Upload-Metadata is too long."), 400)
    pairs = {}
    for pair in text.split(","):
        key, _blank, value = pair.strip().partition(" ")
        if key in pairs:
            raise TusRefused(_("The header Upload-Metadata has a key twice."), 400)
        pairs[key] = value
    return _decoded(pairs.get("filename", "")).decode("utf-8", "replace")


def upload_checksum(headers: Mapping[str, str]) -> Checksum | None:
    """What the bytes of a request should add up to, if the client says so. Raises TusRefused."""
    text = headers.get("Upload-Checksum")
    if text is None:
        return None
    algorithm, _blank, value = text.partition(" ")
    if algorithm not in CHECKSUM_ALGORITHMS:
        known = ", ".join(CHECKSUM_ALGORITHMS)
        raise TusRefused(
            _("The header Upload-Checksum should begin with one of: %(known)s.") % {"known": known},
            400,
        )
    checksum = Checksum(algorithm, _decoded(value, "Upload-Checksum"))
    if len(checksum.digest) != checksum.begin().digest_size:
        raise TusRefused(_("The header Upload-Checksum has the wrong length."), 400)
    return checksum


def http_date(moment: float) -> str:
    """A time in seconds as Upload-Expires writes it."""
    return format_datetime(datetime.fromtimestamp(moment, UTC), usegmt=True)


def _number(headers: Mapping[str, str], name: str) -> int:
    text = headers.get(name, "")
    # Only these digits: int() takes others, blanks and underscores as well.
    if not NUMBER.fullmatch(text):
        raise TusRefused(_("The header %(name)s should be a number from 0.") % {"name": name}, 400)
    return int(text)


def _decoded(value: str, header: str = "Upload-Metadata") -> bytes:
    try:
        return base64.b64decode(value.encode(), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise TusRefused(
            _("The header %(name)s should be in Base64.") % {"name": header}, 400
        ) from None
