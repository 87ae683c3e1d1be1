"""Takes uploaded files from the network onto the disk, never more than their limit."""

from __future__ import annotations

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler


class BoundedUploadHandler(TemporaryFileUploadHandler):
    """Writes each file to the spool's disk and drops what comes past the limit.

    The file's `size` still counts everything that came, so that an overlong file is recognised
    and refused by itself, without the files beside it.
    """

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start + len(raw_data) <= settings.MAX_UPLOAD_BYTES:
            super().receive_data_chunk(raw_data, start)

    def file_complete(self, file_size: int) -> UploadedFile[bytes]:
        self.file.seek(0)
        self.file.size = file_size
        return self.file
