"""Takes uploaded files from the network onto the disk, never more than their limit."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler

from gallery.errors import DiskFull, refusing_full_disk


class BoundedUpload(TemporaryUploadedFile):
    """An uploaded file on the disk, whole unless it was too large or the disk is full."""

    disk_full: DiskFull | None = None


class BoundedUploadHandler(TemporaryFileUploadHandler):
    """Writes each file to the spool's disk and drops what comes past the limit.

    The file's `size` still counts everything that came, so that an overlong file is recognised
    and refused by itself, without the files beside it; likewise one that the disk has no room for.
    """

    file: BoundedUpload

    def new_file(self, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:
        super(TemporaryFileUploadHandler, self).new_file(field_name, file_name, *args, **kwargs)
        # Named without the upload's own suffix, which may be longer than a file name can be.
        self.file = BoundedUpload("upload", self.content_type, 0, self.charset)
        self.file.name = file_name

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        too_large = start + len(raw_data) > settings.MAX_UPLOAD_BYTES
        if too_large or self.file.disk_full:
            return
        try:
            with refusing_full_disk():
                self.file.write(raw_data)
                self.file.flush()
        except DiskFull as refusal:
            self.file.disk_full = refusal
            # Makes room for the files that come after it. What is still buffered cannot be written.
            with suppress(OSError):
                self.file.truncate(0)

    def file_complete(self, file_size: int) -> BoundedUpload:
        if not self.file.disk_full:
            self.file.seek(0)
        self.file.size = file_size
        return self.file
