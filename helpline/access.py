"""Owns the guard at the door: asks the policy for every page, and refuses a page that names no action."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, cast

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext
from rest_framework.views import APIView

from helpline import oidc, policy, rates, sessions
from helpline.models import User

View = Callable[..., HttpResponseBase]
Page = Callable[..., HttpResponse]


def needs(action: str) -> Callable[[View], View]:
    """Name the action of the policy that a view is. KeyError, at start, for an action that the policy lacks."""
    if action != policy.OPEN:
        policy.ACTIONS[action]

    def mark(view: View) -> View:
        view.policy_action = action  # type: ignore[attr-defined]
        return view

    return mark


class StaffRequest(HttpRequest):
    """A request that the guard at the door let through: somebody with an account asks."""

    user: User


def wants_json(request: HttpRequest) -> bool:
    """Whether the script of a page asks, which reads JSON, and not a browser that shows pages."""
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def without_session(answer: Callable[[HttpRequest], HttpResponse]) -> Callable[[View], View]:
    """Name what answers a form that comes without a session, so that nothing of it is lost."""

    def mark(view: View) -> View:
        view.without_session = answer  # type: ignore[attr-defined]
        return view

    return mark


def log_in_first(request: HttpRequest, view: View) -> HttpResponse:
    """What a visitor gets instead of a page that needs an account."""
    if wants_json(request):
        return JsonResponse({}, status=401)
    if request.method == "POST" and request.POST and (answer := getattr(view, "without_session", None)):
        return answer(request)
    return redirect_to_login(request.get_full_path())


def prove_first(request: HttpRequest, *, back: str = "") -> HttpResponse:
    """What somebody gets who must prove anew who they are; leads to `back`, else to where they were."""
    where = _way_to_prove(request)
    if where is None:
        return _refused(request) if wants_json(request) else render(request, "helpline/no_proof.html", status=403)
    if wants_json(request):
        return JsonResponse({"prove": where}, status=403)
    back = back or (request.get_full_path() if request.method in ("GET", "HEAD") else _came_from(request))
    if request.method not in ("GET", "HEAD"):
        messages.info(request, gettext("Nothing was done yet: show that it is you, then do it once more."))
    return redirect(f"{where}?{urlencode({'next': back})}")


def _way_to_prove(request: HttpRequest) -> str | None:
    """The page on which they can do so. None for an account of the identity provider's alone while no provider lets
    anybody in: a log-in page would only send them back here."""
    ways = get_adapter().get_reauthentication_methods(request.user)
    if oidc.is_on() and (sessions.came_by_oidc(request) or not ways):
        return reverse("oidc-begin")
    return str(ways[0]["url"]) if ways else None


def _came_from(request: HttpRequest) -> str:
    """The page of ours from which a form was sent."""
    page = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure())
    return page if is_ours else reverse("start")


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


class DenyByDefaultMiddleware:
    """Every page answers only to the roles that the policy gives its action; a page without one answers to nobody."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated:
            if sessions.is_over(request):
                logout(request)
            else:
                sessions.note_use(request)
        response = self.get_response(request)
        if not request.path.startswith(f"/{settings.STATIC_URL.strip('/')}/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    def process_view(
        self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        if issubclass(getattr(view, "cls", object), APIView):
            return None  # DRF asks its own permission classes, which deny by default as well
        action = getattr(view, "policy_action", None)
        if action == policy.OPEN:
            return None
        if not request.user.is_authenticated:
            return log_in_first(request, view)
        if action is None or not request.user.may(action):
            return _refused(request)
        if sessions.wants_second_factor(request) and action not in WITHOUT_SECOND_FACTOR:
            return _refused(request) if wants_json(request) else redirect("mfa_index")
        return _conditions(request, policy.ACTIONS[action])


# What an account without a second factor can do: get one, or leave.
WITHOUT_SECOND_FACTOR = ("account.own", "account.secure", "session.end")


def _refused(request: HttpRequest) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({}, status=403)
    raise PermissionDenied


def _conditions(request: HttpRequest, action: policy.Action) -> HttpResponse | None:
    """What stands between somebody who may and the page: proof, and how often."""
    if action.step_up and not sessions.is_proved_anew(request):
        return prove_first(request)
    if action.rate and request.method not in ("GET", "HEAD") and not rates.take(cast(User, request.user), action.rate):
        refused = render(request, "429.html", status=429)
        refused["Retry-After"] = str(rates.SECONDS)
        return refused
    return None


@dataclass(frozen=True, slots=True)
class MenuItem:
    """One page of the menu: what it is called, its address, and whether it is the one that is shown ("page"), or the
    one that it belongs to ("true"), as `aria-current` says it."""

    title: str
    address: str
    current: str = ""


def _menu(role: str, path: str) -> list[MenuItem]:
    items = [MenuItem(action.title, reverse(action.page)) for action in policy.menu(role)]
    # The longest one: the form for a new contact lies below the list of contacts.
    above = max((item.address for item in items if path.startswith(item.address)), key=len, default=None)
    marks = {above: "true"} | {path: "page"}
    return [replace(item, current=marks.get(item.address, "")) for item in items]


def page_context(request: HttpRequest) -> dict[str, Any]:
    """What every page shows: the menu of the user's role, whether the contacts are made up, who else lets people in."""
    user = getattr(request, "user", None)
    shown = {"menu": [], "demonstration": sessions.demonstration(request), "provider": settings.HELPLINE_OIDC_NAME}
    if user is None or not user.is_authenticated or sessions.wants_second_factor(request):
        return shown
    return shown | {"menu": _menu(user.role, request.path)}
