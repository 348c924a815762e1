"""Owns the page that says who may do what: the policy's own table, in words."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext, ngettext

from helpline import policy
from helpline.access import needs, only


@dataclass(frozen=True, slots=True)
class Row:
    """One action: what it is, of each role its name and whether it may, on which objects, and what it takes."""

    what: str
    roles: list[tuple[str, bool]]
    on: str
    takes: list[str]


@needs("policy.view")
@only("GET", "HEAD")
def page(request: HttpRequest) -> HttpResponse:
    shown = {
        "roles": [gettext(name) for name in policy.ROLE_NAMES.values()],
        "rows": [_row(action) for action in policy.ACTIONS.values()],
        "minutes": policy.STEP_UP_SECONDS // 60,
    }
    return render(request, "helpline/who_may.html", shown)


def _row(action: policy.Action) -> Row:
    roles = [(gettext(name), role in action.roles) for role, name in policy.ROLE_NAMES.items()]
    return Row(gettext(action.what), roles, gettext(action.object_rule) if action.object_rule else "", _takes(action))


def _takes(action: policy.Action) -> list[str]:
    """What an action takes beside the role."""
    takes = []
    if action.step_up:
        takes.append(gettext("show anew that it is you"))
    if action.approvers:
        names = [gettext(name).lower() for role, name in policy.ROLE_NAMES.items() if role in action.approvers]
        takes.append(gettext("a second person agrees: %(roles)s") % {"roles": ", ".join(names)})
    if action.audited:
        takes.append(gettext("written down in the record"))
    if action.rate:
        number = policy.RATES[action.rate]
        wording = ngettext("at most %(number)d time an hour", "at most %(number)d times an hour", number)
        takes.append(wording % {"number": number})
    return takes
