"""Owns the addresses of row files: which years have one, and one as it was published."""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from rest_framework.request import Request

from reports import published_files
from reports.api.answers import json_answer, tagged
from reports.api.permissions import Allowed
from reports.api.px import PxView, query_of
from reports.api.refusals import Refused
from reports.disclosure.row_variables import labels
from reports.formats.rows import CONTENT_TYPE, REFUSALS
from reports.published_files import Listed

ACTION = "file.read"
NO_FILE = "Non-existent file"


class FilesView(PxView):
    """What both addresses share: the guard of row files, and nothing that is sent to them."""

    permission_classes = [Allowed(ACTION)]
    http_method_names = ["get", "head"]


class Files(FilesView):
    """Every year that has a file or is refused one."""

    def get(self, request: Request) -> HttpResponse:
        language = query_of(request).language()
        content = {"language": language, "files": [_entry(request, of, language) for of in published_files.files()]}
        return json_answer(request, content, language)


def _entry(request: Request, of: Listed, language: str) -> dict[str, Any]:
    said = {"id": str(of.year), "published": of.published_on.isoformat(), "parameters": dict(of.parameters)}
    if of.refused:
        return said | {"refused": of.refused, "reason": REFUSALS[of.refused][language]}
    return said | {
        "href": request.build_absolute_uri(reverse("file", args=[of.year])),
        "sha256": of.sha256,
        "columns": labels(of.columns, language),
        "utility": dict(of.utility),
    }


class File(FilesView):
    """The rows of one year as CSV; its ETag is the SHA-256 of these bytes."""

    def get(self, request: Request, year: int) -> HttpResponse:
        language = query_of(request).language()
        try:
            found = published_files.listed(year)
        except published_files.NotPublished as missing:
            raise _no_file(missing.refused, language) from None
        response = tagged(request, found.sha256, lambda: published_files.content(found).encode(), CONTENT_TYPE)
        response["Content-Disposition"] = f'attachment; filename="rows-{found.year}.csv"'
        return response


def _no_file(refused: str, language: str) -> Refused:
    detail = (
        REFUSALS[refused][language] if refused else "There is no published row file with this id; the list has all."
    )
    return Refused(NO_FILE, detail, 404)
