"""Owns the making of accounts, an administrator's by a link of the server's own, and what ends their sessions."""

from datetime import timedelta
from unicodedata import normalize
from uuid import uuid4

from django.contrib.contenttypes.models import ContentType
from django.core import signing
from django.db import transaction
from django.db.models import Max
from django.urls import reverse

from helpline.models import User
from helpline.policy import ADMINISTRATOR

SALT = "administrator"
VALID = timedelta(hours=24)
ENOUGH = 2  # administrators: one who asks, another who agrees


class DeadLink(Exception):
    """The link is too old, used, or not ours, or what it is for is done; no account was made or changed."""


class NameTaken(Exception):
    """Somebody has an account of this name, in whatever case; no account was made."""


def hold_all() -> None:
    """Be alone with all accounts until the transaction ends, on every database: by the row that stands for the table.

    So what is true of all of them together (a name is free, an administrator is left) is still true at the end.
    """
    ContentType.objects.select_for_update().get(app_label="helpline", model="user")


@transaction.atomic
def make_account(username: str, password: str | None, *, role: str) -> User:
    """A new account; without a password nobody can log in to it. Raises NameTaken."""
    hold_all()
    refuse_taken(username)
    return User.objects.create_user(username, password, role=role)


def refuse_taken(username: str) -> None:
    """Raises NameTaken. Compared here: SQLite folds the case of ASCII letters only, so that Åsa and åsa were two."""
    wanted = _folded(username)
    if any(_folded(name) == wanted for name in User.objects.values_list("username", flat=True)):
        raise NameTaken


def _folded(name: str) -> str:
    """One text for all spellings that a reader takes for one name; upper case first, for an i without its dot."""
    return normalize("NFKC", name).upper().casefold()


def are_administrators_few() -> bool:
    """Whether there are too few administrators for one to agree to what another asks."""
    return User.objects.filter(role=ADMINISTRATOR, is_active=True).count() < ENOUGH


# --- the link of the server's own: whoever has the server is the second person ----------------------------------------


def administrator_path() -> str:
    """The path of a page that makes an administrator: once, for VALID from now, while there are too few of them."""
    return reverse("setup", kwargs={"token": signing.dumps(_newest(), salt=SALT)})


def _newest() -> int:
    """What no two links that were used in turn have in common: every new account has a higher key."""
    return User.objects.aggregate(newest=Max("pk"))["newest"] or 0


def refuse_dead_link(token: str) -> None:
    """Raises DeadLink unless `token` makes an administrator now."""
    try:
        newest = signing.loads(token, salt=SALT, max_age=VALID)
    except signing.BadSignature:
        raise DeadLink from None
    if newest != _newest() or not are_administrators_few():
        raise DeadLink


@transaction.atomic
def make_administrator(*, username: str, password: str, token: str) -> User:
    """An administrator's account. Raises NameTaken, and DeadLink, also for the slower of two who use a link at once."""
    hold_all()
    refuse_dead_link(token)
    return make_account(username, password, role=ADMINISTRATOR)


# --- sessions ---------------------------------------------------------------------------------------------------------


def change_password(user: User, password: str) -> None:
    """Give an account a new password; all its sessions end."""
    user.set_password(password)
    user.epoch = uuid4()
    user.save(update_fields=["password", "epoch"])


def end_sessions(user: User) -> None:
    """End every session of an account at its next request, and every link that was made for it."""
    User.objects.filter(pk=user.pk).update(epoch=uuid4())
