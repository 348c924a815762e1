"""Owns how many calls an account may make, as /config promises it."""

import logging
from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

if TYPE_CHECKING:
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)

CALLS, SECONDS = 30, 10  # what clients are asked to keep to, and keep to
# How many times that is answered. pxwebpy sends calls again that it believes to have in its cache, does not count them,
# and takes a refusal of one for a table; calls also arrive closer together than they were sent.
TOLERATED = 20


class CallsOfAccount(SimpleRateThrottle):
    """Whoever keeps to CALLS in any SECONDS is never refused; a program that runs wild is."""

    rate = f"{CALLS}/{SECONDS}"

    def parse_rate(self, rate: str | None) -> tuple[int, int]:
        return CALLS * TOLERATED, SECONDS

    def get_cache_key(self, request: Request, view: "APIView") -> str:
        return f"px-calls-{request.user.pk}"

    def allow_request(self, request: Request, view: "APIView") -> bool:
        try:
            return super().allow_request(request, view)
        except Exception:
            # The cache remembers calls and nothing else; without it the statistics are read without limit.
            logger.warning("The cache does not answer: calls of the statistics API are not counted.")
            return True
