"""Owns the making of accounts; so far the first administrator's, by a link that works once and for a day."""

from datetime import timedelta

from django.contrib.contenttypes.models import ContentType
from django.core import signing
from django.db import transaction
from django.urls import reverse

from helpline.models import User
from helpline.policy import ADMINISTRATOR

SALT = "first-administrator"
VALID = timedelta(hours=24)


class DeadLink(Exception):
    """The link is too old, or not ours, or somebody has an account already; no account was made."""


def first_administrator_path() -> str:
    """The path of a page that makes the first administrator, for VALID from now and while nobody has an account."""
    return reverse("setup", kwargs={"token": signing.dumps({}, salt=SALT)})


def refuse_dead_link(token: str) -> None:
    """Raises DeadLink unless `token` makes the first administrator now."""
    try:
        signing.loads(token, salt=SALT, max_age=VALID)
    except signing.BadSignature:
        raise DeadLink from None
    if User.objects.exists():
        raise DeadLink


@transaction.atomic
def make_first_administrator(*, username: str, password: str, token: str) -> User:
    """The first account. Raises DeadLink, also for the slower of two who use the link at once."""
    # The row that stands for the table of accounts: whoever holds it is alone, on every database.
    ContentType.objects.select_for_update().get(app_label="helpline", model="user")
    refuse_dead_link(token)
    return User.objects.create_user(username, password, role=ADMINISTRATOR)
