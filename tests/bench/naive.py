"""The call log as a first version in Django is written, for comparison: a ModelForm with a formset, a dashboard by the
ORM, and a page of five bytes. It stores into the product's tables, and counts nothing."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import Count
from django.forms import inlineformset_factory
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template import Context, Template
from django.urls import path

from helpline.fields import CodeField, CodeSetField
from helpline.models import Contact, Referral
from helpline.taxonomy import CODE_LISTS, QUESTIONS
from reports.periods import parse

PANELS = (
    *("channel", "result", "length", "caller_role", "concerns", "environment"),
    *("age", "gender", "county", "urgency"),
)
REFERRAL_PANELS = ("target", "outcome")


def urls_of_its_own(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: these pages instead of the product's."""

    def answer(request: HttpRequest) -> HttpResponse:
        request.urlconf = __name__  # type: ignore[attr-defined]
        return get_response(request)

    return answer


def five_bytes(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"hello")


# --- the form ---------------------------------------------------------------------------------------------------------


def _field(field: Any, **kwargs: Any) -> forms.Field | None:
    """The form's field of a model's field: one or several codes of its list."""
    list_id = f"referral_{field.name}" if field.model is Referral else field.name
    if not isinstance(field, CodeField | CodeSetField):
        return field.formfield(**kwargs)
    choices = [(code.code, code.label("sv")) for code in CODE_LISTS[list_id].codes.values()]
    if isinstance(field, CodeSetField):
        return forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple)
    return forms.ChoiceField(choices=choices, widget=forms.RadioSelect)


class NaiveForm(forms.ModelForm):
    class Meta:
        model = Contact
        fields = ["day", *QUESTIONS]
        formfield_callback = _field

    def _get_validation_exclusions(self) -> set[str]:
        """A first version would keep sets in tables of their own: five inserts more, and none of these constraints."""
        return super()._get_validation_exclusions() | {q for q in QUESTIONS if CODE_LISTS[q].multiple}


Referrals = inlineformset_factory(
    Contact, Referral, fields=["target", "type", "outcome", "consent"], extra=3, formfield_callback=_field
)
PAGE = Template(
    "<!doctype html><title>Contact</title><form method=post>"
    '<input type=hidden name=csrfmiddlewaretoken value="{{ token }}">'
    "{{ form.as_p }}{{ referrals }}<button>Save</button></form>"
)


@login_required
def form_page(request: HttpRequest) -> HttpResponse:
    form = NaiveForm(request.POST or None)
    referrals = Referrals(request.POST or None, instance=form.instance)
    if request.method == "POST" and form.is_valid() and referrals.is_valid():
        with transaction.atomic():
            referrals.instance = form.save()
            referrals.save()
        return HttpResponse(status=201)
    shown = {"form": form, "referrals": referrals, "token": get_token(request)}
    status = 422 if request.method == "POST" else 200
    return HttpResponse(PAGE.render(Context(shown)), status=status)


# --- the dashboard ----------------------------------------------------------------------------------------------------

DASHBOARD = Template(
    "<!doctype html><title>Dashboard</title>{% for name, rows in panels %}<h2>{{ name }}</h2><table>"
    "{% for code, n in rows %}<tr><td>{{ code }}<td>{{ n }}{% endfor %}</table>{% endfor %}"
)


def dashboard(request: HttpRequest) -> HttpResponse:
    """Twelve panels of a period, each counted from the contacts."""
    period = parse(request.GET["period"])
    contacts = Contact.objects.counted().filter(day__gte=period.start, day__lt=period.end)
    referrals = Referral.objects.counted().filter(contact__day__gte=period.start, contact__day__lt=period.end)
    panels = [(name, list(contacts.values_list(name).annotate(n=Count("pk")).order_by(name))) for name in PANELS]
    panels += [(name, list(referrals.values_list(name).annotate(n=Count("pk")))) for name in REFERRAL_PANELS]
    return HttpResponse(DASHBOARD.render(Context({"panels": panels})))


urlpatterns = [path("five-bytes/", five_bytes), path("naive/", form_page), path("dashboard/", dashboard)]
