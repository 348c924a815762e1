"""Owns the pages on which staff read the record of acts: chosen by act, person and month, and fetched as a file."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext

from helpline import audit, policy
from helpline.access import StaffRequest, needs, only
from helpline.audit import Selection
from helpline.exports import PURPOSE, csv_file
from helpline.models import AuditEvent, User

PAGE = 50
NOBODY = "–"  # no account: a visitor, or the program itself


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the record in words, the day and the hour in Stockholm; codes stand beside what they mean."""

    day: str
    hour: str
    by: str
    act: str
    act_code: str
    reason: str
    reason_code: str
    about: str


@needs("audit.view")
@only("GET", "HEAD")
def index(request: StaffRequest) -> HttpResponse:
    """The lines that are asked for, page by page, and what can be asked for."""
    selection = _selection(request.GET, reader=request.user)
    page = Paginator(audit.lines(request.user, selection), PAGE).get_page(request.GET.get("page"))
    shown = {
        "lines": [_line(event) for event in page],
        "page": page,
        "sees_all": request.user.may("audit.all"),
        "exports": request.user.may("audit.export"),
        "chosen": _as_sent(selection),
        "acts": [(act, audit.act_in_words(act)) for act in policy.EVENTS],
        "months": [(f"{month:%Y-%m}", date_format(month, "F Y")) for month in _months()],
    }
    if shown["sees_all"]:
        shown["people"] = [
            (str(pk), name) for pk, name in User.objects.order_by("username").values_list("pk", "username")
        ]
    return render(request, "helpline/audit.html", shown)


@needs("audit.export")
@only("POST")
def export(request: StaffRequest) -> HttpResponse:
    """The same lines as a CSV file, whose first line is that it was fetched."""
    audit.record(by=request.user, act="audit.export", now=timezone.now())
    rows = [_row(_line(event)) for event in audit.lines(request.user, _selection(request.POST, reader=request.user))]
    content = csv_file(gettext(PURPOSE), _header(), rows)
    name = f"audit-{timezone.localdate().isoformat()}.csv"
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type="text/csv; charset=utf-8", headers=disposition)


# --- what is asked for ------------------------------------------------------------------------------------------------


def _selection(sent: QueryDict, *, reader: User) -> Selection:
    """What a page or a file is asked for; what cannot be asked for is not asked about."""
    act, person = sent.get("act"), sent.get("person", "")
    is_person = reader.may("audit.all") and person.isascii() and person.isdigit() and len(person) < 10
    return Selection(
        act=act if act in policy.EVENTS else None,
        person=int(person) if is_person else None,
        month=_month(sent.get("month", "")),
    )


def _months() -> list[date]:
    return audit.months(timezone.localdate(), kept=settings.HELPLINE_AUDIT_MONTHS)


def _month(text: str) -> date | None:
    return next((month for month in _months() if f"{month:%Y-%m}" == text), None)


def _as_sent(selection: Selection) -> dict[str, str]:
    """`selection` as a form or an address says it, without what is not asked about."""
    month = f"{selection.month:%Y-%m}" if selection.month else None
    said = {"act": selection.act, "person": selection.person, "month": month}
    return {name: str(value) for name, value in said.items() if value is not None}


# --- lines ------------------------------------------------------------------------------------------------------------


def _line(event: AuditEvent) -> Line:
    begins, ends = timezone.localtime(event.hour), timezone.localtime(event.hour + timedelta(hours=1))
    return Line(
        day=f"{begins:%Y-%m-%d}",
        hour=f"{begins:%H}–{ends:%H}",
        by=event.actor.username if event.actor else NOBODY,
        act=audit.act_in_words(event.act),
        act_code=event.act,
        reason=audit.reason_in_words(event.reason, get_language() or ""),
        reason_code=event.reason,
        about=event.about.username if event.about else "",
    )


def _header() -> list[str]:
    return [
        *(gettext("Day"), gettext("Hour"), gettext("By")),
        *(gettext("Act"), gettext("Code of the act"), gettext("Why"), gettext("Code of why")),
        gettext("Account"),
    ]


def _row(line: Line) -> list[str]:
    return [line.day, line.hour, line.by, line.act, line.act_code, line.reason, line.reason_code, line.about]
