"""Owns the answers of the API when all went well: their headers, and the 304 to a reader who has it already."""

import hashlib

from django.http import HttpResponse, HttpResponseNotModified
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from rest_framework.request import Request

from reports.api.outputs import JSON, json_text


def json_answer(request: Request, content: object, language: str, release: str = "") -> HttpResponse:
    return answer(request, json_text(content), JSON, language, release)


def answer(request: Request, text: str, content_type: str, language: str, release: str = "") -> HttpResponse:
    """`text` as it is. `release` is the digest of the releases that it was read from.

    Its ETag is made of both, so that it changes with a release as well as with a word of the code book.
    """
    content = text.encode()
    etag = f'"{hashlib.sha256("|".join((release, language, content_type, text)).encode()).hexdigest()}"'
    known = [known.removeprefix("W/") for known in parse_etags(request.headers.get("If-None-Match", ""))]
    if request.method in ("GET", "HEAD") and (etag in known or "*" in known):
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = HttpResponse(content, content_type=content_type)
        response["Content-Language"] = language
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ("Authorization", "Cookie", "Origin"))
    return response
