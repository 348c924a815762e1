"""Owns the guard at the door: asks the policy for every page, and refuses a page that names no action."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from rest_framework.views import APIView

from helpline import policy
from helpline.models import Demonstration, User

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
            if wants_json(request):
                return JsonResponse({}, status=403)
            raise PermissionDenied
        return None


def page_context(request: HttpRequest) -> dict[str, Any]:
    """What every page shows: the menu of the user's role, and whether the contacts are made up."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"menu": [], "demonstration": Demonstration.objects.first()}
    return {"menu": policy.menu(user.role), "demonstration": Demonstration.objects.first()}
