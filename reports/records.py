"""Owns the end of the frozen records: a year's are kept until the last release that needs them, and a while longer."""

from datetime import date

from django.db import transaction
from django.db.models import Max, QuerySet

from helpline.models import Approval
from reports.models import ErasedYear, PublishedFile, Release, StatRecord, StatReferral
from reports.periods import PILOT, Period, containing

BATCH = 500
YEAR = "year"
EDITION = "release.edition"  # of the policy


def are_erased(period: Period) -> bool:
    """Whether records of `period` are erased or being erased, so that nothing can be made of it any more."""
    years = {month.start.replace(month=1) for month in period.months()}
    return ErasedYear.objects.filter(year__in=years).exists()


def erase_expired(*, before: date, pilot: Period | None) -> int:
    """Erase the records of every year whose last release came out before `before`; how many.

    Any release that is not out, an edition that two people want and `pilot` need theirs still. Safe to stop and to call
    again: a year that was begun with is erased to its end.
    """
    years = [containing(YEAR, day) for day in StatRecord.objects.dates("month", "year")]
    return sum(_erase(year) for year in years if are_erased(year) or _is_over(year, before, pilot))


def _is_over(year: Period, before: date, pilot: Period | None) -> bool:
    """Whether nothing more is made of the year, nor of one that the pilot joins to it: the gate looks at both."""
    years = _joined(year, pilot)
    releases = Release.objects.filter(start__lt=years[-1].end, end__gt=years[0].start)
    if releases.filter(published_on=None).exists() or any(map(_awaits_edition, years)):
        return False
    if not all(_came_out(one, before) for one in years) or not PublishedFile.objects.filter(year=year.year).exists():
        return False
    has_pilot = pilot is not None and pilot.start < year.end and pilot.end > year.start
    return not has_pilot or releases.filter(kind=PILOT).exists()


def _joined(year: Period, pilot: Period | None) -> list[Period]:
    """The year, and those that a pilot has months of beside some of this one, in order."""
    pilots = [release.period for release in Release.objects.filter(kind=PILOT).only("kind", "start", "end")]
    touching = [one for one in (*pilots, *([pilot] if pilot else [])) if one.start < year.end and one.end > year.start]
    months = [month for one in touching for month in one.months()]
    return sorted({year, *(containing(YEAR, month.start) for month in months)}, key=lambda one: one.start)


def _came_out(year: Period, before: date) -> bool:
    of_year = Release.objects.filter(kind=YEAR, start=year.start)
    last = of_year.aggregate(Max("published_on"))["published_on__max"]
    return last is not None and last < before


def _awaits_edition(year: Period) -> bool:
    made = {
        str(edition)
        for edition in Release.objects.filter(kind=YEAR, start=year.start).values_list("edition", flat=True)
    }
    wanted = Approval.objects.filter(act=EDITION, subject=year.code, outcome__in=(Approval.WAITING, Approval.AGREED))
    return wanted.exclude(detail__in=made).exists()


def _erase(year: Period) -> int:
    # First, so that nobody begins to make anything of what is left.
    ErasedYear.objects.get_or_create(year=year.start)
    records = StatRecord.objects.filter(month__gte=year.start, month__lt=year.end)
    erased = 0
    while some := _erase_some(records):
        erased += some
    return erased


@transaction.atomic
def _erase_some(records: QuerySet[StatRecord]) -> int:
    keys = list(records.values_list("pk", flat=True)[:BATCH])
    StatReferral.objects.filter(record__in=keys).delete()
    return StatRecord.objects.filter(pk__in=keys).delete()[1].get("reports.StatRecord", 0)
