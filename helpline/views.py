"""Owns the helpline's pages: each parses, makes one call, and answers."""

from collections.abc import Callable
from datetime import date
from functools import lru_cache, wraps

from django.contrib import messages
from django.contrib.auth import login as start_session
from django.contrib.auth.views import LoginView, LogoutView
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext
from django.views import i18n
from django.views.decorators.debug import sensitive_post_parameters

from helpline import accounts, contacts, policy
from helpline.access import needs
from helpline.forms import ContactForm, FirstAdministratorForm
from helpline.models import Contact, User

Page = Callable[..., HttpResponse]


class StaffRequest(HttpRequest):
    """A request that the guard at the door let through: somebody with an account asks."""

    user: User


def only(*methods: str) -> Callable[[Page], Page]:
    """Answer other methods with a page that says so, not with an empty one."""

    def wrap(page: Page) -> Page:
        @wraps(page)
        def answer(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
            if request.method in methods:
                return page(request, *args, **kwargs)
            response = render(request, "405.html", status=405)
            response["Allow"] = ", ".join(methods)
            return response

        return answer

    return wrap


@needs("start.view")
@only("GET", "HEAD")
def start(request: StaffRequest) -> HttpResponse:
    logged_today = 0
    if request.user.may("contact.log"):
        logged_today = Contact.objects.filter(logged_by=request.user, day=timezone.localdate()).count()
    return render(request, "helpline/start.html", {"logged_today": logged_today})


@needs("contact.log")
@only("GET", "HEAD", "POST")
def contact_new(request: StaffRequest) -> HttpResponse:
    posted = request.POST if request.method == "POST" else None
    form = ContactForm(today=timezone.localdate(), posted=posted)
    busy = False
    if posted is not None and "add_referral" in posted:
        form.add_row()
    elif posted is not None and (entry := form.entry()):
        try:
            contacts.log_contact(
                by=request.user, key=form.key, entry=entry, now=timezone.now(), today=timezone.localdate()
            )
        except contacts.KeyReused:
            return render(request, "helpline/key_reused.html", status=409)
        except OperationalError:
            busy = True
        else:
            messages.success(request, gettext("The contact is saved."))
            return redirect("contact-new")
    questions = _questions(form) if posted is not None else _blank_questions(form.today, form.first_day, get_language())
    shown = {"form": form, "questions": questions, "busy": busy}
    return render(request, "helpline/contact_new.html", shown, status=503 if busy else 200)


def _questions(form: ContactForm) -> SafeString:
    return render_to_string("helpline/_questions.html", {"form": form})


@lru_cache(maxsize=8)
def _blank_questions(today: date, first_day: date, language: str | None) -> SafeString:
    """The questions of a form that nobody has touched: the same for everybody for a whole day, so made once."""
    return _questions(ContactForm(today=today))


# --- accounts -------------------------------------------------------------------------------------------------------

login = needs(policy.OPEN)(
    only("GET", "HEAD", "POST")(
        LoginView.as_view(template_name="helpline/login.html", redirect_authenticated_user=True)  # type: ignore[arg-type]
    )
)
logout = needs("session.end")(only("POST")(LogoutView.as_view()))


@needs(policy.OPEN)
@only("POST")
def set_language(request: HttpRequest) -> HttpResponse:
    return i18n.set_language(request)


@needs(policy.OPEN)
@only("GET", "HEAD", "POST")
@sensitive_post_parameters()
def setup(request: HttpRequest, token: str) -> HttpResponse:
    form = FirstAdministratorForm(request.POST if request.method == "POST" else None)
    try:
        accounts.refuse_dead_link(token)
        if form.is_valid():
            name, password = form.cleaned_data["username"], form.cleaned_data["password"]
            start_session(request, accounts.make_first_administrator(username=name, password=password, token=token))
            messages.success(request, gettext("The account is made, and you are logged in."))
            return redirect("start")
    except accounts.DeadLink:
        return render(request, "helpline/setup_dead.html", status=404)
    return render(request, "helpline/setup.html", {"form": form})


# --- when something is wrong ------------------------------------------------------------------------------------------


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Stores nothing. A contact form that is older than the session comes back with its answers, to be saved again."""
    is_contact = request.resolver_match is not None and request.resolver_match.url_name == "contact-new"
    if not (is_contact and request.user.is_authenticated and request.user.may("contact.log")):
        return render(request, "403_csrf.html", status=403)
    form = ContactForm(today=timezone.localdate(), posted=request.POST)
    form.errors["key"] = [gettext("It was opened before you logged in: look it over and save again.")]
    return render(request, "helpline/contact_new.html", {"form": form, "questions": _questions(form)}, status=403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "400.html", status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", status=403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Without the request: no user, no session, no database, any of which may be what is broken."""
    return HttpResponse(render_to_string("500.html"), status=500)
