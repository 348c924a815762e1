"""Owns everything the system can say about one hour: a short list that is always the same, and complete.

Counts, and the names of staff; never what is in a contact, for this is no export of contacts. Each source names the
columns of the database that it answers for; those that answer nothing about an hour are told by their privacy class in
SILENT, or stand in EMPTY. A test holds all of them against the catalogue of the database.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from helpline import audit, second_factor, sessions
from helpline.imports.jobs import HELD, KEPT
from helpline.models import (
    Approval,
    AuditEvent,
    Case,
    Contact,
    Draft,
    ImportedKey,
    ImportJob,
    TrafficDay,
    TrafficGrid,
    TrafficHour,
    User,
)
from helpline.traffic_file import COUNTS
from reports.models import DayCount, Grant, PreparedFile, Release, Upkeep

UNKNOWN = "–"  # somebody who is not known, or not any more


@dataclass(frozen=True, slots=True)
class Hour:
    """A clock hour of a day in the helpline's time zone: from two on the long day of October it is both of them."""

    day: date
    hour: int

    @property
    def begins(self) -> datetime:
        return timezone.make_aware(datetime.combine(self.day, time(self.hour)))

    @property
    def ends(self) -> datetime:
        return timezone.make_aware(datetime.combine(self.day, time()) + timedelta(hours=self.hour + 1))

    def holds(self, *moments: datetime | float | None) -> bool:
        """Whether one of the moments, datetimes or seconds of the Unix clock, lies in the hour."""
        seconds = [m.timestamp() if isinstance(m, datetime) else m for m in moments if m]
        return any(self.begins.timestamp() <= moment < self.ends.timestamp() for moment in seconds)

    def within(self, column: str, *, later: timedelta = timedelta(0)) -> Q:
        """That a column lies in the hour, or `later` than it."""
        return Q(**{f"{column}__gte": self.begins + later, f"{column}__lt": self.ends + later})


@dataclass(frozen=True, slots=True)
class Source:
    """One line of the list: what it tells, of which columns ("table.column"), and the answer for an hour."""

    what: str
    columns: tuple[str, ...]
    answer: Callable[[Hour], str]


def lines(hour: Hour) -> list[str]:
    """The list, one line for each source, in its order."""
    return [f"{gettext(source.what)}: {source.answer(hour)}" for source in SOURCES]


# --- answers ----------------------------------------------------------------------------------------------------------


def _calls(rows: QuerySet[Any]) -> str:
    """The six counts by the names that they have in the telephony's file."""
    sums = rows.aggregate(**{name: Sum(name) for name in COUNTS})
    return ", ".join(f"{name} {sums[name]}" for name in COUNTS) if sums[COUNTS[0]] is not None else "0"


def _by_queue(rows: QuerySet[Any]) -> str:
    queues = rows.order_by("queue").values_list("queue", flat=True).distinct()
    return "; ".join(f"{queue}: {_calls(rows.filter(queue=queue))}" for queue in queues) or "0"


def _grid(at: Hour) -> str:
    month, weekday = at.day.replace(day=1), at.day.weekday()
    return _calls(TrafficGrid.objects.filter(month=month, weekday=weekday, hour=at.hour))


def _by(people: Iterable[str | None]) -> str:
    """How many, and by whom."""
    names = sorted(name or UNKNOWN for name in people)
    return f"{len(names)} ({', '.join(dict.fromkeys(names))})" if names else "0"


def _drafts(at: Hour) -> str:
    return _by(
        Draft.objects.filter(at.within("opened_at") | at.within("changed_at")).values_list("owner__username", flat=True)
    )


def _acts(at: Hour) -> str:
    acts = AuditEvent.objects.filter(at.within("hour")).select_related("actor", "about").order_by("act", "pk")
    people = {act.pk: [who.username for who in (act.actor, act.about) if who] for act in acts}
    return "; ".join(f"{audit.act_in_words(act.act)} ({', '.join(people[act.pk]) or UNKNOWN})" for act in acts) or "0"


def _acts_of_the_day(at: Hour) -> str:
    approvals = Approval.objects.filter(Q(requested_on=at.day) | Q(decided_on=at.day))
    grants = Grant.objects.filter(Q(issued_on=at.day) | Q(ended_on=at.day))
    releases = Release.objects.filter(Q(prepared_on=at.day) | Q(published_on=at.day))
    files = PreparedFile.objects.filter(prepared_on=at.day)
    return str(approvals.count() + grants.count() + releases.count() + files.count())


def _sessions(at: Hour) -> str:
    """Those that began in the hour, in which somebody was noted or proved who they are, or that were written last: what
    the database has of that is when they will end."""
    names, found = dict(User.objects.values_list("pk", "username")), []
    for session in Session.objects.filter(expire_date__gt=at.begins):
        said = session.get_decoded()
        proofs = [proof.get("at") for proof in said.get("account_authentication_methods", ())]
        written = session.expire_date - timedelta(seconds=settings.SESSION_COOKIE_AGE)
        if at.holds(said.get(sessions.BEGAN), said.get(sessions.SEEN), *proofs, written):
            found.append(names.get(int(said.get("_auth_user_id", 0))))
    return _by(found)


def _second_factors(at: Hour) -> str:
    """The step of the code that was used last is a clock of half minutes."""
    factors = Authenticator.objects.select_related("user")
    steps = {one.pk: one.data.get(second_factor.STEP, 0) * second_factor.PERIOD for one in factors}
    return _by(one.user.username for one in factors if at.holds(one.created_at, one.last_used_at, steps[one.pk]))


def _log_ins(at: Hour) -> str:
    here = User.objects.filter(logged_in_on=at.day).values_list("username", flat=True)
    elsewhere = SocialAccount.objects.filter(at.within("last_login") | at.within("date_joined"))
    return _by({*here, *elsewhere.values_list("user__username", flat=True)})


def _files(at: Hour) -> str:
    waiting, held = at.within("expires_at", later=KEPT), at.within("held_until", later=HELD)
    return _by(ImportJob.objects.filter(waiting | held | Q(day=at.day)).values_list("by__username", flat=True))


SOURCES = (
    Source(
        gettext_noop("Calls in that hour by queue, as the telephony counted them; gone when the month is frozen"),
        ("helpline_traffichour.day", "helpline_traffichour.hour", "helpline_traffichour.is_second"),
        lambda at: _by_queue(TrafficHour.objects.filter(day=at.day, hour=at.hour)),
    ),
    Source(
        gettext_noop("Calls of that day by queue, without an hour, of a frozen month"),
        ("helpline_trafficday.day",),
        lambda at: _by_queue(TrafficDay.objects.filter(day=at.day)),
    ),
    Source(
        gettext_noop("Calls on all such weekdays of that month together, in that hour, of a frozen month"),
        ("helpline_trafficgrid.month", "helpline_trafficgrid.weekday", "helpline_trafficgrid.hour"),
        _grid,
    ),
    Source(
        gettext_noop("Contacts of that day, without an hour, each of them codes and no words"),
        ("helpline_contact.day",),
        lambda at: str(Contact.objects.filter(day=at.day).count()),
    ),
    Source(
        gettext_noop("Contacts saved in that hour, by whom; erased with the hours in which they can be amended"),
        ("helpline_contact.logged_at",),
        lambda at: _by(Contact.objects.filter(at.within("logged_at")).values_list("logged_by__username", flat=True)),
    ),
    Source(
        gettext_noop("Forms begun or changed in that hour and not saved yet, by whom"),
        ("helpline_draft.opened_at", "helpline_draft.changed_at"),
        _drafts,
    ),
    Source(
        gettext_noop("Case numbers last used on that day, as keyed digests"),
        ("helpline_case.used_on",),
        lambda at: str(Case.objects.filter(used_on=at.day).count()),
    ),
    Source(
        gettext_noop("Rows of files for that day, as keyed digests"),
        ("helpline_importedkey.day",),
        lambda at: str(ImportedKey.objects.filter(day=at.day).count()),
    ),
    Source(
        gettext_noop("Stored counts of codes of that day; that it is frozen, or waits to be counted, has no hour"),
        ("reports_daycount.day", "helpline_daymark.day", "helpline_dayseal.day", "reports_failedday.day"),
        lambda at: str(DayCount.objects.filter(day=at.day).count()),
    ),
    Source(
        gettext_noop("Acts of staff in that hour, to the hour"),
        ("helpline_auditevent.hour",),
        _acts,
    ),
    Source(
        gettext_noop("Requests, grants and releases of that day, without an hour"),
        (
            *("helpline_approval.requested_on", "helpline_approval.decided_on"),
            *("reports_grant.issued_on", "reports_grant.ended_on"),
            *("reports_release.prepared_on", "reports_release.published_on", "reports_preparedfile.prepared_on"),
        ),
        _acts_of_the_day,
    ),
    Source(
        gettext_noop("Living sessions that were begun, used or written in that hour, of whom"),
        ("django_session.expire_date",),
        _sessions,
    ),
    Source(
        gettext_noop("Second factors made or last used in that hour, of whom"),
        ("mfa_authenticator.created_at", "mfa_authenticator.last_used_at"),
        _second_factors,
    ),
    Source(
        gettext_noop("Accounts whose last log-in was on that day"),
        (
            "helpline_user.logged_in_on",
            "socialaccount_socialaccount.last_login",
            "socialaccount_socialaccount.date_joined",
        ),
        _log_ins,
    ),
    Source(
        gettext_noop("Files brought that day or held in that hour, by whom; forgotten after a day"),
        ("helpline_importjob.day", "helpline_importjob.expires_at", "helpline_importjob.held_until"),
        _files,
    ),
    Source(
        gettext_noop("Rounds of the machine itself that were noted in that hour"),
        ("reports_upkeep.caught_up_at",),
        lambda at: str(Upkeep.objects.filter(at.within("caught_up_at")).count()),
    ),
)

# Privacy classes whose days and clocks say nothing of when somebody called or worked.
SILENT = frozenset(
    {
        *("directory", "opening hours", "month", "period", "published", "constant", "day of the machine's own rounds"),
        "quarter, detached from contacts",
        "staff",  # until when a grant or a token is good
    }
)
# Of tables of others: when the program was set up, and what it never fills, since accounts have no address and no token
# of the identity provider is kept.
EMPTY = frozenset(
    {
        "django_migrations.applied",
        *(
            "account_emailconfirmation.created",
            "account_emailconfirmation.sent",
            "socialaccount_socialtoken.expires_at",
        ),
    }
)
