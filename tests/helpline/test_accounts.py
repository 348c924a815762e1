"""The link that makes the first administrator: once, for a day, and for one of two who use it at once."""

import threading
from datetime import timedelta

import pytest
from django.core import signing
from django.db import connection
from django.urls import resolve

from helpline import accounts, policy
from helpline.models import User

pytestmark = pytest.mark.django_db
PASSWORD = "four words in a row"


def token() -> str:
    return resolve(accounts.first_administrator_path()).kwargs["token"]


def make(link: str, name: str = "first") -> User:
    return accounts.make_first_administrator(username=name, password=PASSWORD, token=link)


def test_the_link_makes_an_administrator_who_can_log_in():
    user = make(token())
    assert (user.role, user.check_password(PASSWORD), user.is_active) == (policy.ADMINISTRATOR, True, True)


def test_it_works_once():
    link = token()
    make(link)
    with pytest.raises(accounts.DeadLink):
        make(link, "second")
    assert User.objects.count() == 1


def test_it_is_dead_while_anybody_has_an_account_and_alive_again_when_nobody_has():
    link = token()
    somebody = User.objects.create_user("somebody", PASSWORD, role=policy.HANDLER)
    with pytest.raises(accounts.DeadLink):
        accounts.refuse_dead_link(link)
    somebody.delete()
    accounts.refuse_dead_link(link)


def test_it_is_dead_after_a_day(monkeypatch):
    link = token()
    monkeypatch.setattr(accounts, "VALID", timedelta(seconds=-1))
    with pytest.raises(accounts.DeadLink):
        make(link)


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param("", id="empty"),
        pytest.param("x", id="short"),
        pytest.param("a:b:c", id="of three parts"),
        pytest.param(signing.dumps({}, salt="another"), id="signed for another purpose"),
        pytest.param("\x00", id="NUL"),
        pytest.param("å" * 2000, id="long"),
    ],
)
def test_another_text_is_no_link(forged):
    with pytest.raises(accounts.DeadLink):
        make(forged)
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_use_it_at_once_one_becomes_administrator():
    link, start, made, dead = token(), threading.Barrier(2), [], []

    def use(name: str) -> None:
        try:
            start.wait()
            made.append(make(link, name).username)
        except accounts.DeadLink:
            dead.append(name)
        finally:
            connection.close()

    threads = [threading.Thread(target=use, args=(name,)) for name in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == len(dead) == User.objects.count() == 1
