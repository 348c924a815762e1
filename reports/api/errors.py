"""Owns how the API says what went wrong: problem details (RFC 9457), for whatever a view or the framework raises."""

import json
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpResponse
from rest_framework.exceptions import APIException

from reports.api.refusals import Refused
from reports.api.throttling import CALLS, SECONDS

CONTENT_TYPE = "application/problem+json"  # without charset: a client compares the whole header
PARAMETER_ERROR, NO_TYPE = "Parameter error", "about:blank"
DETAILS = {
    HTTPStatus.BAD_REQUEST: "The request cannot be read.",
    HTTPStatus.UNAUTHORIZED: "Send a token that has not expired, as Authorization: Bearer or as the password of Basic.",
    HTTPStatus.FORBIDDEN: "This account may not read the statistics.",
    HTTPStatus.NOT_FOUND: "There is nothing at this address.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address answers only to the methods of the header Allow.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large for a selection.",
    HTTPStatus.TOO_MANY_REQUESTS: f"Far more than {CALLS} calls in {SECONDS} seconds; wait as Retry-After says.",
}


def problem(title: str, detail: str, status: int) -> HttpResponse:
    kind = PARAMETER_ERROR if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND) else NO_TYPE
    content = json.dumps({"type": kind, "title": title, "status": status, "detail": detail}, ensure_ascii=False)
    response = HttpResponse(content, content_type=CONTENT_TYPE, status=status)
    response["Cache-Control"] = "no-store"
    response["Content-Language"] = "en"
    return response


def answer_to(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """The problem that an exception of a view is answered with; None for a fault of our own.

    What the framework wrote of an error is left out, since it may repeat what was asked.
    """
    if isinstance(error, Refused):
        return problem(error.title, error.detail, error.status)
    status = _status_of(error)
    if status is None:
        return None
    response = problem(status.phrase, DETAILS.get(status, status.description or status.phrase), status)
    if challenge := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = challenge
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        response["Retry-After"] = str(getattr(error, "wait", None) or SECONDS)
    return response


def _status_of(error: Exception) -> HTTPStatus | None:
    if isinstance(error, APIException):
        return HTTPStatus(error.status_code)
    if isinstance(error, RequestDataTooBig):
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    for kind, status in (
        (SuspiciousOperation, HTTPStatus.BAD_REQUEST),
        (PermissionDenied, HTTPStatus.FORBIDDEN),
        (Http404, HTTPStatus.NOT_FOUND),
    ):
        if isinstance(error, kind):
            return status
    return None
