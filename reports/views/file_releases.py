"""Owns the pages on which a coordinator reads what a prepared row file is, and publishes it."""

import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext

from helpline.access import StaffRequest, needs, only
from reports import row_files
from reports.models import PreparedFile
from reports.row_files import CannotPublish
from reports.views.files import report

SAMPLE = 10  # rows


@needs("release.view")
@only("GET", "HEAD")
def read(request: HttpRequest, year: int) -> HttpResponse:
    """A prepared row file: its report and its first rows, which stand there by chance."""
    if (found := row_files.found(year)) is None:
        return render(request, "reports/no_such_release.html", status=404)
    return _page(request, found)


@needs("file.publish")
@only("POST")
def publish(request: StaffRequest, year: int) -> HttpResponse:
    """Publish what a coordinator says to have read; without that word, or of something else, nothing happens."""
    found = row_files.found(year)
    if found and request.POST.get("read") != found.sha256:
        return _page(request, found, unread=True)
    try:
        row_files.publish(year, sha256=request.POST.get("read", ""), by=request.user, now=timezone.now())
    except CannotPublish as refused:
        messages.info(request, _explain(refused))
    else:
        messages.success(request, gettext("The row file of %(year)s is published, for good.") % {"year": year})
    return redirect("releases")


def _explain(refused: CannotPublish) -> str:
    return {
        CannotPublish.YEAR_FIRST: gettext("Publish the release of %(year)s first: its row file comes after it."),
        CannotPublish.CHANGED: gettext(
            "The row file of %(year)s is published already, or was made anew: read it again."
        ),
    }[refused.reason] % {"year": refused.year}


def _page(request: HttpRequest, file: PreparedFile, *, unread: bool = False) -> HttpResponse:
    said = json.loads(file.manifest)
    heads, *sample = [line.split(",") for line in file.content.split("\r\n", SAMPLE + 1)[: SAMPLE + 1]]
    context: dict[str, Any] = {
        "file": file,
        "report": report(said["utility"], said["columns"]),
        "heads": heads,
        "sample": sample,
        "unread": unread,
    }
    return render(request, "reports/prepared_file.html", context, status=400 if unread else 200)
