"""Owns what probes are told: that the process lives, what keeps the whole from working, and figures for an alarm."""

from datetime import UTC, date, datetime, time

from django.db import Error
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from helpline import policy
from helpline.access import needs
from reports import retention, upkeep

DATABASE, COUNTS = "database", "counts"
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


@require_safe
@needs(policy.OPEN)
def live(request: HttpRequest) -> HttpResponse:
    """200 as long as this process answers: what a load balancer and a supervisor ask."""
    return JsonResponse({"causes": []})


@require_safe
@needs(policy.OPEN)
def ready(request: HttpRequest) -> HttpResponse:
    """503 with causes when somebody must look: no database, or no sweep that came to its end for 15 minutes.

    A mismatch is no cause: it stops nobody from working, and a probe must not shut out handlers for a figure.
    """
    standing = _standing()
    causes = [DATABASE] if standing is None else [COUNTS] if standing.is_late else []
    return JsonResponse({"causes": causes}, status=503 if causes else 200)


@require_safe
@needs(policy.OPEN)
def metrics(request: HttpRequest) -> HttpResponse:
    """The same and more as Prometheus reads it; nothing of it moves when a contact is saved."""
    standing = _standing()
    told: list[tuple[str, str, float | None]] = [
        ("database_up", "1 if the database answers", int(standing is not None))
    ]
    if standing is not None:
        verified = _midnight(standing.verified_on)
        told += [
            ("counts_behind_seconds", "since no mark waited, 0 below five minutes", standing.behind.total_seconds()),
            (
                "days_given_up",
                "days whose recount had failed three times at the last verification",
                standing.given_up_days,
            ),
            ("months_to_rebuild", "what a rebuild has left", standing.months_to_rebuild),
            ("months_given_up", "months that a rebuild failed at three times", standing.given_up_months),
            ("count_mismatches", "figures that differ from their recount or have none", standing.mismatches),
            ("last_verification_timestamp_seconds", "midnight UTC of the day of that recount", verified),
        ]
        told += _erasure()
    lines = [
        f"# HELP stodtelefonen_{name} {what}\n# TYPE stodtelefonen_{name} gauge\nstodtelefonen_{name} {value:.0f}\n"
        for name, what, value in told
        if value is not None
    ]
    return HttpResponse("".join(lines), content_type=PROMETHEUS)


def _erasure() -> list[tuple[str, str, float | None]]:
    erasure = retention.standing(now=timezone.now())
    return [
        ("erasure_overdue", "1 if nothing was erased for two days", int(erasure.is_late)),
        ("erased_bytes_left", "1 if files of the database may hold what is erased", int(bool(erasure.left))),
        ("last_erasure_timestamp_seconds", "midnight UTC of the day of the last run", _midnight(erasure.erased_on)),
    ]


def _midnight(day: date | None) -> float | None:
    return None if day is None else datetime.combine(day, time(), UTC).timestamp()


def _standing() -> upkeep.Standing | None:
    """None when the database does not answer."""
    try:
        return upkeep.standing(now=timezone.now())
    except Error:
        return None
