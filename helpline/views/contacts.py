"""Owns the pages on which logged contacts are found, amended and withdrawn."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import wraps
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db import OperationalError, transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import get_language, gettext

from helpline import audit, contacts, sessions
from helpline.access import StaffRequest, needs, only, prove_first, without_session
from helpline.entries import FIRST_DAY, ContactEntry, Refused, read_day
from helpline.form_case import outcomes_offered
from helpline.form_rows import Posted
from helpline.form_values import key_of
from helpline.models import Contact, DaySeal
from helpline.taxonomy import CODE_LISTS
from helpline.views import contact_lists
from helpline.views.kept import log_in_again, owner_of_form, put_by, taken_up, version_of
from helpline.views.versions import AmendForm, compare, fields_of_entry, repeated
from helpline.wording import explain

OPENED, OPEN_FOR = "opened_contacts", timedelta(hours=1)
WITHDRAWN, FROZEN, TOO_LATE = "withdrawn", "frozen", "too late"
Page = Callable[[StaffRequest, Contact, str], HttpResponse]


# --- finding ----------------------------------------------------------------------------------------------------------


@needs("contact.own")
@only("GET", "HEAD")
def index(request: StaffRequest) -> HttpResponse:
    """One's own contacts that can still be changed and one's own drafts; for a coordinator also the days."""
    corrects = request.user.may("contact.correct")
    if corrects and "day" in request.GET:
        return _day(request, request.GET["day"])
    now = timezone.now()
    shown = {
        "own": contact_lists.own_lines(request.user, now=now),
        "outcomes": outcomes_offered(),
        "drafts": contact_lists.own_drafts(request.user, now=now),
        "today": timezone.localdate(),
        "hours": settings.HELPLINE_AMEND_HOURS,
        "draft_hours": settings.HELPLINE_DRAFT_HOURS,
        "corrects": corrects,
    }
    return render(request, "helpline/contacts.html", shown | (_days() if corrects else {}))


def _days() -> dict[str, object]:
    open_days = contact_lists.open_by_day()
    return {"open_days": open_days, "open_count": sum(n for _, n in open_days), "first_day": FIRST_DAY}


def _day(request: StaffRequest, text: str) -> HttpResponse:
    """The contacts of one day that can still be corrected: result, role, length."""
    today = timezone.localdate()
    shown: dict[str, object] = _days() | {"today": today}
    try:
        day = read_day(text, today=today)
    except Refused as refused:
        shown |= {"wrong_day": [explain(finding) for finding in refused.findings]}
        return render(request, "helpline/contacts_day.html", shown, status=400)
    step = timedelta(days=1)
    shown |= {
        "day": day,
        "earlier": day - step if day > FIRST_DAY else None,
        "later": day + step if day < today else None,
        "lines": contact_lists.lines_of_day(day),
        "is_frozen": DaySeal.objects.filter(day=day).exists(),
    }
    return render(request, "helpline/contacts_day.html", shown)


# --- who may change which contact -------------------------------------------------------------------------------------


def _is_in_window(contact: Contact, now: datetime) -> bool:
    return contact.logged_at is not None and now - contact.logged_at < timedelta(hours=settings.HELPLINE_AMEND_HOURS)


def _why_closed(contact: Contact) -> str:
    return WITHDRAWN if contact.is_withdrawn else FROZEN if contact.is_frozen else ""


def _closed(request: StaffRequest, why: str) -> HttpResponse:
    shown = {"why": why, "hours": settings.HELPLINE_AMEND_HOURS}
    return render(request, "helpline/contact_closed.html", shown, status=410)


def to_change(page: Page) -> Callable[[StaffRequest, UUID], HttpResponse]:
    """Give `page` the contact and the reason for which it was opened: none for one's own within the amend window.

    Somebody else's contact is there for who may correct, once a reason is given, and for nobody else.
    """

    @wraps(page)
    def answer(request: StaffRequest, contact: UUID) -> HttpResponse:
        stored = get_object_or_404(Contact.objects.select_related("case").prefetch_related("referrals"), pk=contact)
        is_own, corrects = stored.logged_by_id == request.user.pk, request.user.may("contact.correct")
        if not is_own and not corrects:
            raise Http404
        is_in_time = is_own and _is_in_window(stored, timezone.now())
        if why := _why_closed(stored) or ("" if is_in_time or corrects else TOO_LATE):
            return _closed(request, why)
        reason = "" if is_in_time else _reason_given(request, stored)
        if reason is None:
            if request.method == "POST":
                wording = gettext("Nothing was changed: give the reason once more, then make the change again.")
                messages.warning(request, wording)
            return redirect("contact-open", stored.pk)
        if reason and not sessions.is_proved_anew(request):
            put_by(request)
            return prove_first(request, back=request.path)
        return page(request, stored, reason)

    return answer


def _opened(request: StaffRequest) -> dict[str, tuple[str, float]]:
    """The reasons given within the hour, by digest of the contact, and when each runs out; older ones are forgotten."""
    now, given = timezone.now().timestamp(), request.session.get(OPENED, {})
    valid = {digest: (why, until) for digest, (why, until) in given.items() if until > now}
    if len(valid) < len(given):
        request.session[OPENED] = valid
    return valid


def _digest(contact: Contact) -> str:
    """What a session says of a contact, so that it tells nobody which contacts a coordinator opened."""
    return salted_hmac("helpline.opened_contacts", str(contact.pk), algorithm="sha256").hexdigest()


def _reason_given(request: StaffRequest, contact: Contact) -> str | None:
    reason, _ = _opened(request).get(_digest(contact), (None, 0))
    return reason


@needs("contact.open")
@only("GET", "HEAD", "POST")
def open_contact(request: StaffRequest, contact: UUID) -> HttpResponse:
    """Ask why a coordinator opens somebody else's contact, write that down and remember it for an hour."""
    stored, now = get_object_or_404(Contact, pk=contact), timezone.now()
    if why := _why_closed(stored):
        return _closed(request, why)
    if stored.logged_by_id == request.user.pk and _is_in_window(stored, now):
        return redirect("contact-amend", stored.pk)
    offered = CODE_LISTS["opening_reason"].offered_on(timezone.localdate())
    reason = request.POST.get("reason", "")
    if reason in {code.code for code in offered}:
        audit.record(by=request.user, act="contact.open", reason=reason, now=now)
        request.session[OPENED] = _opened(request) | {_digest(stored): (reason, (now + OPEN_FOR).timestamp())}
        return redirect("contact-amend", stored.pk)
    language = get_language() or ""
    shown = {
        "line": contact_lists.line_of(stored),
        "legend": CODE_LISTS["opening_reason"].label(language),
        "reasons": [(code.code, code.label(language), code.definition(language)) for code in offered],
        "is_missing": request.method == "POST",
    }
    return render(request, "helpline/opening.html", shown)


# --- changing ---------------------------------------------------------------------------------------------------------


@needs("contact.own")
@without_session(log_in_again)
@only("GET", "HEAD", "POST")
@to_change
def amend(request: StaffRequest, contact: Contact, reason: str) -> HttpResponse:
    """Let a contact say something else, by the form by which it was logged.

    Sent without the version that it was made from, the answers are shown beside the stored ones, to be chosen between.
    """
    if request.method != "POST" and (posted := taken_up(request)) and key_of(posted) == contact.pk:
        return _looked_over(request, contact, reason, posted, gettext("You showed that it is you: save again."))
    if request.method != "POST":
        return _amend_page(request, contact, reason, AmendForm(contact, today=timezone.localdate()), contact.version)
    form = AmendForm(contact, today=timezone.localdate(), posted=request.POST)
    version, is_busy = version_of(request.POST), False
    if "add_referral" in request.POST:
        form.add_row()
    elif entry := form.entry():
        try:
            return _amend(request, contact, version, entry, reason)
        except OperationalError:
            is_busy = True
    return _amend_page(request, contact, reason, form, version, busy=is_busy, status=503 if is_busy else 200)


def amend_again(request: StaffRequest, pk: UUID, posted: Posted) -> HttpResponse:
    """The form of a contact with answers that came without a session, or with an older one, not saved by itself."""

    @to_change
    def page(request: StaffRequest, contact: Contact, reason: str) -> HttpResponse:
        said = gettext("It was opened before you logged in: look it over and save again.")
        return _looked_over(request, contact, reason, posted, said)

    return page(request, pk)


def _looked_over(request: StaffRequest, contact: Contact, reason: str, posted: Posted, said: str) -> HttpResponse:
    form = AmendForm(contact, today=timezone.localdate(), posted=posted)
    form.errors["key"] = [said]
    return _amend_page(request, contact, reason, form, version_of(posted))


def _amend_page(
    request: StaffRequest,
    contact: Contact,
    reason: str,
    form: AmendForm,
    version: int,
    *,
    busy: bool = False,
    status: int = 200,
) -> HttpResponse:
    shown = {"form": form, "version": version, "contact": contact, "busy": busy, "repeated": repeated(contact)}
    shown |= {"is_own": not reason, "owner": owner_of_form(request.user)}
    return render(request, "helpline/amend.html", shown, status=status)


def _amend(request: StaffRequest, contact: Contact, version: int, entry: ContactEntry, reason: str) -> HttpResponse:
    try:
        with transaction.atomic():
            contacts.amend_contact(contact, version=version, entry=entry, today=timezone.localdate())
            if reason:
                audit.record(by=request.user, act="contact.correct", reason=reason, now=timezone.now())
    except (contacts.Changed, contacts.NotChangeable):
        newest = get_object_or_404(Contact.objects.prefetch_related("referrals"), pk=contact.pk)
        if why := _why_closed(newest):
            return _closed(request, why)
        return _side_by_side(request, newest, entry, reason)
    messages.success(request, gettext("The change is saved."))
    return _back(entry.day, reason)


def _back(day: date, reason: str) -> HttpResponse:
    """To the list from which one came: one's own, or the day's."""
    return redirect(reverse("contacts") + (f"?day={day.isoformat()}" if reason else ""))


def _side_by_side(request: StaffRequest, contact: Contact, entry: ContactEntry, reason: str = "") -> HttpResponse:
    rows = compare(contact, entry)
    if not any(row.differs for row in rows):  # the same change sent twice
        messages.success(request, gettext("The change is saved."))
        return _back(entry.day, reason)
    shown = {"contact": contact, "rows": rows}
    shown["fields"] = [("owner", owner_of_form(request.user)), *fields_of_entry(entry)]
    return render(request, "helpline/conflict.html", shown, status=409)


def conflict(request: StaffRequest, contact: Contact, entry: ContactEntry) -> HttpResponse:
    """A form was sent once and stands for `contact`; now it says `entry`: both, to choose between.

    For who logged the contact while it can be changed; anybody else learns only that nothing was saved.
    """
    is_own = contact.logged_by_id == request.user.pk and _is_in_window(contact, timezone.now())
    if not is_own or _why_closed(contact):
        return render(request, "helpline/key_reused.html", status=409)
    return _side_by_side(request, contact, entry)


@needs("contact.own")
@only("GET", "HEAD", "POST")
@to_change
def withdraw(request: StaffRequest, contact: Contact, reason: str) -> HttpResponse:
    """Ask once more, then take the contact out of every count."""
    has_changed = is_busy = False
    if request.method == "POST":
        try:
            with transaction.atomic():
                version = version_of(request.POST)
                contacts.withdraw_contact(contact, version=version)
                if reason:
                    audit.record(by=request.user, act="contact.withdraw", reason=reason, now=timezone.now())
        except contacts.NotChangeable:
            return _closed(request, _why_closed(get_object_or_404(Contact, pk=contact.pk)))
        except contacts.Changed:
            has_changed = True
            contact = get_object_or_404(Contact, pk=contact.pk)
        except OperationalError:
            is_busy = True
        else:
            messages.success(request, gettext("The contact is withdrawn and no longer counted."))
            return _back(contact.day, reason)
    shown = {"line": contact_lists.line_of(contact), "version": contact.version, "busy": is_busy, "reason": reason}
    status = 503 if is_busy else 409 if has_changed else 200
    return render(request, "helpline/contact_withdraw.html", shown | {"has_changed": has_changed}, status=status)
