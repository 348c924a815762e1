"""The link that makes an administrator: once, for a day, for one of two who use it at once, while there are too few."""

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
    return resolve(accounts.administrator_path()).kwargs["token"]


def make(link: str, name: str = "first") -> User:
    return accounts.make_administrator(username=name, password=PASSWORD, token=link)


def test_the_link_makes_an_administrator_who_can_log_in():
    user = make(token())
    assert (user.role, user.check_password(PASSWORD), user.is_active) == (policy.ADMINISTRATOR, True, True)


def test_it_works_once():
    link = token()
    make(link)
    with pytest.raises(accounts.DeadLink):
        make(link, "second")
    assert User.objects.count() == 1


def test_it_is_dead_once_anybody_else_got_an_account():
    link = token()
    User.objects.create_user("somebody", PASSWORD, role=policy.HANDLER)
    with pytest.raises(accounts.DeadLink):
        accounts.refuse_dead_link(link)
    accounts.refuse_dead_link(token())


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


# --- the second administrator, who needs an approver that does not exist yet ------------------------------------------


def test_it_makes_a_second_administrator_and_no_third():
    make(token())
    second = token()
    make(second, "second")
    with pytest.raises(accounts.DeadLink):
        make(token(), "third")
    assert User.objects.count() == 2


def test_it_is_alive_again_when_one_of_two_is_closed():
    for name in ("first", "second"):
        make(token(), name)
    User.objects.filter(username="second").update(is_active=False)
    make(token(), "third")
    assert User.objects.filter(role=policy.ADMINISTRATOR, is_active=True).count() == 2


def test_a_used_link_stays_dead_when_the_administrator_that_it_made_is_closed_or_becomes_something_else():
    make(token())
    link = token()
    made = make(link, "second")
    for change in ({"is_active": False}, {"is_active": True, "role": policy.HANDLER}):
        User.objects.filter(pk=made.pk).update(**change)
        assert accounts.are_administrators_few()
        with pytest.raises(accounts.DeadLink):
            accounts.refuse_dead_link(link)


@pytest.mark.parametrize("name", ["first", "FIRST"])
def test_no_name_is_given_twice_and_the_link_still_works(name):
    make(token())
    link = token()
    with pytest.raises(accounts.NameTaken):
        make(link, name)
    accounts.refuse_dead_link(link)


@pytest.mark.parametrize("name", ["Åsa", "åsa", "ÅSA", "A\u030asa", "a\u030asa"])
def test_a_name_is_taken_in_whatever_case_and_form_of_letters(name):
    accounts.make_account("Åsa", None, role=policy.HANDLER)
    with pytest.raises(accounts.NameTaken):
        accounts.make_account(name, None, role=policy.HANDLER)
    assert User.objects.count() == 1


@pytest.mark.parametrize("name", ["Asa", "Åsa2", "Äsa"])
def test_another_name_is_free(name):
    accounts.make_account("Åsa", None, role=policy.HANDLER)
    accounts.make_account(name, None, role=policy.HANDLER)
