"""Owns the addresses of PxWebApi 2: each reads its request, makes one call, and answers with published figures only."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from reports import published
from reports.api import errors, listing, refusals, selection
from reports.api.answers import answer, json_answer
from reports.api.authentication import BrowserSession, TokenAuthentication
from reports.api.outputs import DEFAULT, OUTPUTS, read_output
from reports.api.permissions import Allowed
from reports.api.query import LANGUAGES, Query
from reports.api.refusals import Refused
from reports.api.selection import MOST_CELLS, Asked, Selection
from reports.api.throttling import CALLS, SECONDS, CallsOfAccount
from reports.catalogue import TABLES
from reports.formats import jsonstat, wording
from reports.formats.layout import usual_layout
from reports.published import Listed

ACTION = "statistics.read"
API_VERSION, APP_VERSION = "2.0.0", "0.1.0"
NAMES = {"sv": "Svenska", "en": "English"}
_SPELLING = {table.casefold(): table for table in TABLES}


class AnyAccept(BaseContentNegotiation):
    """The format is chosen by `outputFormat` alone; clients send an Accept that means nothing."""

    def select_parser(self, request: Request, parsers: Any) -> None:
        return None

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> tuple[Any, str]:
        return renderers[0], renderers[0].media_type


class PxView(APIView):
    """What all addresses share. Each answers with an HttpResponse of its own making."""

    authentication_classes = [TokenAuthentication, BrowserSession]
    permission_classes = [Allowed(ACTION)]
    throttle_classes = [CallsOfAccount]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = AnyAccept
    http_method_names = ["get", "head", "post"]

    def get_exception_handler(self) -> Any:
        return errors.answer_to


def query_of(request: Request) -> Query:
    return Query((name, value) for name, values in request.GET.lists() for value in values)


def _tables_url(request: Request) -> str:
    return request.build_absolute_uri(reverse("px-tables"))


def _listed(table_id: str) -> Listed:
    """The table of an id in any letter case. Raises Refused."""
    try:
        return published.listed(_SPELLING.get(table_id.casefold(), ""))
    except published.NotPublished:
        raise refusals.no_table() from None


class Config(PxView):
    """What the API can do. Clients read it before they know its limits, so it has none itself."""

    throttle_classes = []

    def get(self, request: Request) -> HttpResponse:
        content = {
            "apiVersion": API_VERSION,
            "appVersion": APP_VERSION,
            "languages": [{"id": language, "label": NAMES[language]} for language in LANGUAGES],
            "defaultLanguage": LANGUAGES[0],
            "maxDataCells": MOST_CELLS,
            "maxCallsPerTimeWindow": CALLS,
            "timeWindow": SECONDS,
            "license": request.build_absolute_uri("/statistics/"),
            "sourceReferences": [{"language": language, "text": wording.SOURCE[language]} for language in LANGUAGES],
            "defaultDataFormat": DEFAULT,
            "dataFormats": list(OUTPUTS),
            "features": [{"id": "CORS", "params": [{"key": "enabled", "value": "False"}]}],
        }
        return json_answer(request, content, LANGUAGES[0])


class Tables(PxView):
    def get(self, request: Request) -> HttpResponse:
        query = query_of(request)
        language = query.language()
        tables = listing.found(published.tables(), query, language, today=timezone.localdate())
        return json_answer(request, listing.page(tables, query, language, _tables_url(request)), language)


class Table(PxView):
    def get(self, request: Request, table_id: str) -> HttpResponse:
        language = query_of(request).language()
        found = _listed(table_id)
        content = listing.entry(found, language, _tables_url(request)) | {"language": language}
        return json_answer(request, content, language, found.release)


class Metadata(PxView):
    """The table without figures; with `defaultSelection=true` no more of it than the default selection."""

    def get(self, request: Request, table_id: str) -> HttpResponse:
        query = query_of(request)
        language = query.language()
        found = _listed(table_id)
        if query.text("savedQuery"):
            raise Refused(refusals.NO_SAVED_QUERY, "Queries are not saved here.", 404)
        by_default = _select(found, Asked(with_codelist=selection.with_codelists(query)))
        if query.is_true("defaultSelection"):
            table, layout = published.read(found, by_default.codes), by_default.layout
        else:
            table = published.read(found)
            layout = usual_layout([dimension.id for dimension in table.dimensions])
        return json_answer(request, jsonstat.metadata(table, layout, language), language, found.release)


class DefaultSelection(PxView):
    def get(self, request: Request, table_id: str) -> HttpResponse:
        language = query_of(request).language()
        found = _listed(table_id)
        chosen = _select(found, Asked())
        content = {
            "language": language,
            "selection": [
                {"variableCode": name, "codelist": None, "valueCodes": list(codes)}
                for name, codes in chosen.codes.items()
            ],
            "placement": {"stub": list(chosen.layout.stub), "heading": list(chosen.layout.heading)},
            "links": [
                listing.link("self", f"{_tables_url(request)}/{found.table.id}/defaultselection", language),
            ],
        }
        return json_answer(request, content, language, found.release)


class TableFigures(PxView):
    """The figures: the selection stands in the query of a GET or in the body of a POST."""

    def get(self, request: Request, table_id: str) -> HttpResponse:
        return self._figures(request, table_id, selection.read_query)

    def post(self, request: Request, table_id: str) -> HttpResponse:
        return self._figures(request, table_id, partial(selection.read_body, _body(request)))

    def _figures(self, request: Request, table_id: str, read: Callable[[Query], Asked]) -> HttpResponse:
        query = query_of(request)
        language = query.language()
        found = _listed(table_id)
        output, parameters = read_output(query)
        chosen = _select(found, read(query))
        table = published.read(found, chosen.codes)
        text = output.write(table, chosen.layout, language, parameters)
        response = answer(request, text, output.content_type, language, found.release)
        response["Content-Disposition"] = f'inline; filename="{found.table.id}.{output.ending}"'
        return response


def _select(found: Listed, asked: Asked) -> Selection:
    return selection.select(asked, published.dimensions(found))


def _body(request: Request) -> Any:
    """The JSON of a body, None for an empty one. Raises Refused, and RequestDataTooBig for one beyond the settings."""
    body = request._request.body
    try:
        return json.loads(body) if body.strip() else None
    except (ValueError, RecursionError):
        raise Refused(refusals.ILLEGAL_BODY, "The body is not valid JSON.") from None


class NoCodelist(PxView):
    def get(self, request: Request, codelist_id: str) -> HttpResponse:
        raise refusals.no_codelist(404)


class NoSavedQuery(PxView):
    """Queries are not saved: what a client asks is nobody's business once it is answered."""

    def get(self, request: Request, rest: str = "") -> HttpResponse:
        raise Refused(refusals.NO_SAVED_QUERY, "Queries are not saved here.", 404)

    post = get


class NoAddress(PxView):
    def get(self, request: Request, rest: str = "") -> HttpResponse:
        raise Refused(refusals.NO_ADDRESS, "There is nothing at this address.", 404)

    post = get
