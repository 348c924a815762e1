"""Owns the API's guard: everything is denied unless a view names its action of the policy."""

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which imports this module through the settings


class DenyAll(BasePermission):
    """The default of every API view: nobody."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return False
