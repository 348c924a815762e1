"""Owns the answers of the API when all went well: their headers, and the 304 to a reader who has it already."""

import hashlib
from collections.abc import Callable
from http import HTTPStatus

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
    digest = hashlib.sha256("|".join((release, language, content_type, text)).encode()).hexdigest()
    response = tagged(request, digest, lambda: text.encode(), content_type)
    if response.status_code == HTTPStatus.OK:
        response["Content-Language"] = language
    return response


def tagged(request: Request, digest: str, read: Callable[[], bytes], content_type: str) -> HttpResponse:
    """What `read` gives, under the ETag `digest`; read only for whoever does not have it already."""
    known = [known.removeprefix("W/") for known in parse_etags(request.headers.get("If-None-Match", ""))]
    if request.method in ("GET", "HEAD") and (f'"{digest}"' in known or "*" in known):
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = HttpResponse(read(), content_type=content_type)
    response["ETag"] = f'"{digest}"'
    response["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ("Authorization", "Cookie", "Origin"))
    return response
