"""Owns the API's guard: everything is denied unless a view names its action of the policy."""

from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from helpline import policy

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which imports this module through the settings


class DenyAll(BasePermission):
    """The default of every API view: nobody."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return False


def Allowed(action: str) -> type[BasePermission]:
    """The permission of those whose role the policy gives `action`.

    At start: KeyError for an action that the policy lacks, and ImproperlyConfigured for one that asks for more than
    this guard keeps. A program cannot prove anew who it is; what is silently not asked would look as if it were.
    """
    asked = policy.ACTIONS[action]
    if asked.step_up or asked.approvers or asked.rate:
        raise ImproperlyConfigured(f"The API keeps no step_up, approvers or rate, so it cannot offer {action}.")

    class AllowedByPolicy(BasePermission):
        def has_permission(self, request: Request, view: "APIView") -> bool:
            return bool(request.user.is_authenticated and request.user.may(action))

    return AllowedByPolicy
