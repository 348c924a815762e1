"""Owns the page on which a contact is logged, and what its script is answered."""

from contextlib import suppress
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib import messages
from django.db import DatabaseError, OperationalError
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from helpline import case_history, cases, contacts, drafts, form_case
from helpline.access import StaffRequest, needs, only, wants_json, without_session
from helpline.contact_form import ContactForm, blank_fields
from helpline.directory import uses
from helpline.entries import ContactEntry, Refused
from helpline.form_rows import services_of
from helpline.form_values import again_fields, fields_of, posted_of
from helpline.models import Case, Contact, User
from helpline.views.contact_lists import line_of
from helpline.views.contacts import conflict
from helpline.views.drafts import case_said
from helpline.views.kept import log_in_again, owner_of_form

RECENT = 5


@needs("contact.log")
@without_session(log_in_again)
@only("GET", "HEAD", "POST")
def page(request: StaffRequest) -> HttpResponse:
    if request.method == "POST":
        return _sent(request)
    if draft := request.GET.get("draft"):
        return _draft(request, _key(draft))
    if again := request.GET.get("again"):
        return _again(request, _key(again))
    return form_page(request, ContactForm(today=timezone.localdate()))


def _key(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


# --- opened -----------------------------------------------------------------------------------------------------------


def _draft(request: StaffRequest, key: UUID) -> HttpResponse:
    """The form as it was left. What was saved meanwhile is no draft any more."""
    try:
        draft = drafts.draft_of(request.user, key)
    except drafts.NotYours:
        if not Contact.objects.filter(submission_key=key, logged_by=request.user).exists():
            raise Http404 from None
        messages.info(request, gettext("That form is saved. Here is a new one."))
        return redirect("contact-new")
    fields = [("key", str(key)), *fields_of(drafts.content_of(draft))]
    form = ContactForm(today=timezone.localdate(), posted=posted_of(fields))
    return form_page(request, form, draft.case, opened_at=draft.opened_at)


def _again(request: StaffRequest, pk: UUID) -> HttpResponse:
    """A new contact with the caller of one that one logged oneself a while ago."""
    if (contact := _own(request.user).select_related("case").filter(pk=pk).first()) is None:
        raise Http404
    today = timezone.localdate()
    form = ContactForm(today=today, posted=posted_of([*blank_fields(today), *again_fields(contact)]))
    return form_page(request, form, contact.case)


def form_page(
    request: StaffRequest,
    form: ContactForm,
    case: Case | None = None,
    *,
    opened_at: datetime | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page with the form as it stands; `case` is shown with a fresh ticket."""
    if case:
        form.case = form_case.same_case(case, by=request.user, posted=form.posted)
    shown = {
        "form": form,
        "questions": _blank_questions(form.today, form.first_day, get_language()) if form.is_blank else questions(form),
        "busy": status == 503,
        "now": timezone.now(),
        "opened_at": opened_at,
        "recent": _recent(request.user),
        "owner": owner_of_form(request.user),
        "outcomes": form_case.outcomes_offered(),
        "fixed": _fixed(get_language()),
    }
    return render(request, "helpline/contact_new.html", shown, status=status)


def questions(form: ContactForm) -> SafeString:
    return render_to_string("helpline/_questions.html", {"form": form})


@lru_cache(maxsize=8)
def _blank_questions(today: date, first_day: date, language: str | None) -> SafeString:
    """The questions of a form that nobody has touched: the same for everybody for a whole day, so made once."""
    return questions(ContactForm(today=today))


@lru_cache(maxsize=8)
def _fixed(language: str | None) -> SafeString:
    """What the page holds for its scripts, the same for everybody as long as the process lives."""
    return render_to_string("helpline/_fixed.html")


def _own(by: User) -> QuerySet[Contact]:
    return contacts.own_changeable(by, now=timezone.now(), amend_hours=settings.HELPLINE_AMEND_HOURS)


def _recent(by: User) -> list[dict[str, Any]]:
    return [_said(contact) for contact in _own(by)[:RECENT]]


def _said(contact: Contact) -> dict[str, Any]:
    """What one's own list says of a contact, in the reader's language."""
    line = line_of(contact)
    return {
        "id": str(line.id),
        "label": " · ".join(filter(None, (line.result, line.role))),
        "time": timezone.localtime(line.logged_at).strftime("%H.%M"),
        "is_open": line.is_open,
        "url": reverse("contact-amend", args=[line.id]),
        "again": f"{reverse('contact-new')}?again={line.id}",
    }


# --- sent -------------------------------------------------------------------------------------------------------------


def _sent_form(request: StaffRequest) -> tuple[ContactForm, Case | None]:
    """The form as it was sent, and its case; a number that leads to none is refused in its place."""
    form = ContactForm(today=timezone.localdate(), posted=request.POST)
    number, ticket = request.POST.get("case_number", ""), request.POST.get("case", "")
    try:
        return form, form_case.sent_case(number, ticket, by=request.user, today=form.today)
    except form_case.REFUSED as error:
        form.errors["case_number"] = [form_case.explain_case(error)]
        return form, None


def _sent(request: StaffRequest) -> HttpResponse:
    form, case = _sent_form(request)
    if "add_referral" in request.POST:
        form.add_row()
    elif "find_case" in request.POST:
        pass  # what follows shows the case
    elif "new_case" in request.POST:
        if case is None:
            form.case = form_case.new_case(by=request.user, today=form.today)
            form.errors.clear()
    elif entry := form.entry():
        return _save(request, form, entry, case)
    return _refused(request, form, case)


def _refused(request: StaffRequest, form: ContactForm, case: Case | None) -> HttpResponse:
    if wants_json(request):
        errors = [{"place": place, "label": label, "text": text} for place, label, text in form.summary()]
        shown = form_case.same_case(case, by=request.user) if case and "earlier" in form.errors else None
        return JsonResponse({"errors": errors, "case": shown and case_said(shown)}, status=422)
    return form_page(request, form, case)


def _save(request: StaffRequest, form: ContactForm, entry: ContactEntry, case: Case | None) -> HttpResponse:
    user, now, today = request.user, timezone.now(), timezone.localdate()
    try:
        follow_ups = form_case.follow_ups_of(request.POST) if case else ()
        contact = contacts.log_contact(
            by=user, key=form.key, entry=entry, now=now, today=today, case=case, follow_ups=follow_ups
        )
    except (case_history.Overtaken, Refused):
        form.errors["earlier"] = [form_case.explain_case(case_history.Overtaken())]
        return _refused(request, form, case)
    except contacts.KeyReused:
        return _saved_before(request, form.key, entry)
    except cases.NoSuchCase:
        form.errors["case_number"] = [form_case.explain_case(form_case.TicketExpired())]
        return _refused(request, form, None)
    except OperationalError:
        return JsonResponse({}, status=503) if wants_json(request) else form_page(request, form, case, status=503)
    if contact.logged_by_id != user.pk:
        return _saved_before(request, form.key, entry)
    if contact.is_new:
        _count_uses(request, entry)
    said = _said(contact)
    if wants_json(request):
        return JsonResponse(_next(said), status=201)
    messages.success(request, gettext("The contact is saved."))
    return redirect(said["again"] if request.POST.get("then") == "again" else "contact-new")


def _count_uses(request: StaffRequest, entry: ContactEntry) -> None:
    """Count the services that the caller was referred to. The contact is stored whatever becomes of the counter."""
    targets = {referral.target for referral in entry.referrals}
    with suppress(DatabaseError):
        uses.count(services_of(request.POST), targets=targets, today=timezone.localdate())


def _next(said: dict[str, Any]) -> dict[str, Any]:
    """What the page of a saved contact needs to become the page of the next one."""
    key = uuid4()
    return {
        "contact": said,
        "again": said["again"],
        "key": str(key),
        "draft_url": reverse("draft", args=[key]),
        "today": timezone.localdate().isoformat(),
    }


def _saved_before(request: StaffRequest, key: UUID, entry: ContactEntry) -> HttpResponse:
    """The form was saved with other answers: both are there to choose between, if the contact is one's own."""
    contact = Contact.objects.prefetch_related("referrals").get(submission_key=key)
    if not wants_json(request):
        return conflict(request, contact, entry)
    is_own = _own(request.user).filter(pk=contact.pk).exists()
    url = reverse("contact-amend", args=[contact.pk]) if is_own else reverse("contacts")
    return JsonResponse({"url": url}, status=409)
