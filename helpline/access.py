"""Owns the guard at the door: asks the policy for every page, and refuses a page that names no action."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from rest_framework.views import APIView

from helpline import policy
from helpline.models import Demonstration

View = Callable[..., HttpResponseBase]


def needs(action: str) -> Callable[[View], View]:
    """Name the action of the policy that a view is. KeyError, at start, for an action that the policy lacks."""
    if action != policy.OPEN:
        policy.ACTIONS[action]

    def mark(view: View) -> View:
        view.policy_action = action  # type: ignore[attr-defined]
        return view

    return mark


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
            return redirect_to_login(request.get_full_path())
        if action is None or not request.user.may(action):
            raise PermissionDenied
        return None


def page_context(request: HttpRequest) -> dict[str, Any]:
    """What every page shows: the menu of the user's role, and whether the contacts are made up."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"menu": [], "demonstration": Demonstration.objects.first()}
    return {"menu": policy.menu(user.role), "demonstration": Demonstration.objects.first()}
