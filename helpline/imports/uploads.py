"""Owns how much of an uploaded file is taken, and from whom: in memory alone, up to a limit, never in a file."""

from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload

MOST_BYTES = 10 * 2**20  # more than 20,000 rows of contacts take
MOST_SENT = 3 * MOST_BYTES  # what is read and thrown away, so that the answer is a page and no broken connection
ACTION = "import.run"


class InMemoryOnly(FileUploadHandler):
    """Keeps the bytes of a file that somebody may send, up to MOST_BYTES; what is larger arrives without content, its
    size beyond the limit. The form must hold its token before its file: what is far too large is not read to its end.
    """

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, str],
        content_length: int,
        boundary: Any,
        encoding: str | None = None,
    ) -> None:
        self.sent = content_length

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self.sent > MOST_SENT:
            if self.request is not None:
                self.request.is_upload_too_large = True  # type: ignore[attr-defined]
            raise StopUpload(connection_reset=True)
        self.kept: BytesIO | None = BytesIO() if self._is_expected() else None

    def _is_expected(self) -> bool:
        user = getattr(self.request, "user", None)
        return user is not None and user.is_authenticated and user.may(ACTION)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self.kept is not None and start + len(raw_data) <= MOST_BYTES:
            self.kept.write(raw_data)
        else:
            self.kept = None

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        content = self.kept if self.kept is not None else BytesIO()
        content.seek(0)
        return InMemoryUploadedFile(content, self.field_name, "file", self.content_type, file_size, self.charset)


def is_too_large(request: Any) -> bool:
    """Whether a request brought a file that was not kept because of its size. Looks at its files, which reads them."""
    sizes = [file.size or 0 for file in request.FILES.values()]
    return getattr(request, "is_upload_too_large", False) or any(size > MOST_BYTES for size in sizes)
