"""Owns how often one account may do what the policy counts, within an hour; no address is looked at."""

import logging

from django.core.cache import cache

from helpline.models import User
from helpline.policy import RATES

logger = logging.getLogger(__name__)

SECONDS = 3600


def take(user: User, rate: str) -> bool:
    """Count one act of `user`; whether it is within the hour's number. Where the cache does not answer, it is."""
    key = f"rate-{rate}-{user.pk}"
    try:
        cache.add(key, 0, SECONDS)
        return cache.incr(key) <= RATES[rate]
    except Exception:
        logger.warning("The cache does not answer: acts of an hour are not counted.")
        return True
