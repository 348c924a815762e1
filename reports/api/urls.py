"""Owns the addresses of PxWebApi 2, each with and without a slash at its end: nothing is redirected."""

from django.urls import URLPattern, path

from helpline.access import needs
from reports.api import px


def _both(where: str, view: type[px.PxView], name: str) -> list[URLPattern]:
    answer = needs(px.ACTION)(view.as_view())
    return [path(where, answer, name=name), path(f"{where}/", answer)]


urlpatterns = [
    *_both("config", px.Config, "px-config"),
    *_both("tables", px.Tables, "px-tables"),
    *_both("tables/<str:table_id>", px.Table, "px-table"),
    *_both("tables/<str:table_id>/metadata", px.Metadata, "px-metadata"),
    *_both("tables/<str:table_id>/defaultselection", px.DefaultSelection, "px-default-selection"),
    *_both("tables/<str:table_id>/data", px.TableFigures, "px-data"),
    *_both("codelists/<str:codelist_id>", px.NoCodelist, "px-codelist"),
    *_both("savedqueries", px.NoSavedQuery, "px-saved-queries"),
    path("savedqueries/<path:rest>", needs(px.ACTION)(px.NoSavedQuery.as_view()), name="px-saved-query"),
    path("", needs(px.ACTION)(px.NoAddress.as_view()), name="px"),
    path("<path:rest>", needs(px.ACTION)(px.NoAddress.as_view()), name="px-no-address"),
]
