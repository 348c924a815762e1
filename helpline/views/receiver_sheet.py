"""Owns what the form of a contact fetches to find a receiver in."""

from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import get_language

from helpline.access import StaffRequest, needs, only
from helpline.directory import sheet


@needs("contact.log")
@only("GET", "HEAD")
def index(request: StaffRequest) -> HttpResponse:
    """All active receivers, confidential ones too, so that no browser may keep it (`no-store`, as every answer)."""
    said = sheet.told(timezone.now(), get_language() or "")
    return JsonResponse(said, json_dumps_params={"ensure_ascii": False, "separators": (",", ":")})
