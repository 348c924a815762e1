"""Guessing gets slower and slower, keeps nobody out, and tells nothing, not even by the time that it takes."""

import statistics
import time
from collections.abc import Callable
from itertools import count

import pytest
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache
from django.test import Client

from helpline import guesses
from helpline.guesses import FREE, LONGEST, Attempts, TooSoon
from helpline.models import User
from tests.at_once import at_once

pytestmark = pytest.mark.django_db

PASSWORD = "four words in a row"
LOG_IN = "/login/"


@pytest.fixture(autouse=True)
def nobody_has_guessed() -> None:
    cache.clear()


@pytest.fixture
def quick(settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    now = [time.time()]
    monkeypatch.setattr("helpline.guesses.time.time", lambda: now[0])
    return now


def send(client: Client, name: str, password: str) -> str:
    return client.post(LOG_IN, {"login": name, "password": password}).content.decode()


def is_inside(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_the_first_slips_cost_nothing_and_then_each_waits_twice_as_long(clock):
    attempts, waits = Attempts("x"), []
    for _ in range(FREE):
        attempts.begin()
    for _ in range(12):
        with pytest.raises(TooSoon) as refused:
            attempts.begin()
        waits.append(refused.value.seconds)
        clock[0] += refused.value.seconds
        attempts.begin()
    assert waits[:9] == [1, 2, 4, 8, 16, 32, 64, 128, 256] and set(waits[9:]) == {LONGEST}


def test_an_attempt_that_comes_too_soon_makes_nobody_wait_longer(clock):
    attempts = Attempts("x")
    for _ in range(FREE + 1):
        try:
            attempts.begin()
        except TooSoon:
            pass
    for _ in range(50):
        with pytest.raises(TooSoon):
            attempts.begin()
    clock[0] += 1
    attempts.begin()


def test_after_twenty_failures_the_right_password_still_opens(quick, clock):
    User.objects.create_user("someone", PASSWORD, role="handler")
    client = Client(headers={"accept-language": "en"})
    for _ in range(20):
        send(client, "someone", "wrong")
        clock[0] += LONGEST
    send(client, "someone", PASSWORD)
    assert is_inside(client)


def test_a_stranger_who_guesses_keeps_nobody_out_of_their_own_browser(quick, clock):
    User.objects.create_user("someone", PASSWORD, role="handler")
    own, stranger = Client(headers={"accept-language": "en"}), Client(headers={"accept-language": "en"})
    send(own, "someone", PASSWORD)
    own.post("/logout/")
    for _ in range(30):
        said = send(stranger, "someone", "wrong")
    assert "Too many wrong passwords" in said
    send(stranger, "someone", PASSWORD)
    assert not is_inside(stranger)
    send(own, "someone", PASSWORD)
    assert is_inside(own)


def test_the_cookie_of_a_known_browser_names_nobody_and_dies_with_the_sessions(quick):
    user = User.objects.create_user("someone", PASSWORD, role="handler")
    client = Client()
    send(client, "someone", PASSWORD)
    cookie = client.cookies[guesses.cookie_name()]
    assert "someone" not in cookie.value and cookie["httponly"] and cookie["samesite"] == "Strict"

    def is_known() -> bool:
        request = client.get(LOG_IN).wsgi_request
        return guesses.attempts_at("someone", request) != guesses.attempts_at(
            "someone", Client().get(LOG_IN).wsgi_request
        )

    assert is_known()
    from helpline import accounts

    accounts.end_sessions(user)
    assert not is_known()


def test_ten_thousand_guesses_within_an_hour_are_hardly_looked_at(quick, clock, monkeypatch):
    User.objects.create_user("someone", PASSWORD, role="handler")
    looked: list[str] = []
    monkeypatch.setattr("helpline.adapters.authenticate", lambda request, **said: looked.append(said["password"]))
    client, request = Client(headers={"accept-language": "en"}), None
    request = client.get(LOG_IN).wsgi_request
    from django.forms import ValidationError

    from helpline.adapters import AccountAdapter

    adapter, refused = AccountAdapter(request), 0
    for guess in range(10_000):
        clock[0] += 0.36
        try:
            adapter.authenticate(request, username="someone", password=str(guess))
        except ValidationError:
            refused += 1
    assert len(looked) + refused == 10_000 and len(looked) < 40


def test_without_the_waiting_every_guess_would_be_looked_at(quick, monkeypatch):
    monkeypatch.setattr(Attempts, "begin", lambda self: None)
    client = Client(headers={"accept-language": "en"})
    said = [send(client, "someone", "wrong") for _ in range(10)]
    assert not any("Too many" in one for one in said)


def test_a_cache_that_does_not_answer_keeps_nobody_out(quick, monkeypatch, caplog):
    User.objects.create_user("someone", PASSWORD, role="handler")

    def broken(*arguments: object, **options: object) -> None:
        raise ConnectionError

    for name in ("get", "add", "incr", "set", "delete_many"):
        monkeypatch.setattr(guesses.cache, name, broken, raising=False)
    client = Client()
    send(client, "someone", PASSWORD)
    assert is_inside(client) and "does not answer" in caplog.text


def test_of_many_guesses_at_once_few_are_looked_at(monkeypatch):
    """Also where each word with the cache takes its time, as with one on another machine."""
    looked: list[int] = []

    def slowly(name: str) -> None:
        quick = getattr(LocMemCache, name)

        def slow(*arguments: object, **options: object) -> object:
            time.sleep(0.002)
            return quick(*arguments, **options)

        monkeypatch.setattr(LocMemCache, name, slow)

    for name in ("get", "add", "incr", "set", "decr"):
        slowly(name)

    def guess(n: int) -> None:
        Attempts("at-once").begin()
        looked.append(n)

    at_once(*[lambda n=n: guess(n) for n in range(16)])
    assert 0 < len(looked) <= FREE


def test_another_spelling_of_a_name_has_no_count_of_its_own():
    request = Client().get(LOG_IN).wsgi_request
    names = ("ivan", "IVAN", " Ivan ", "\u0131van", "\u0131VAN")
    assert len({guesses.attempts_at(name, request) for name in names}) == 1


# --- nothing to learn -------------------------------------------------------------------------------------------------


def refusals(make: Callable[[], str]) -> str:
    """What a visitor reads, but for what is different on every page."""
    return "\n".join(line for line in make().split("\n") if "csrfmiddlewaretoken" not in line and "value=" not in line)


def test_an_unknown_name_a_wrong_password_and_a_closed_account_are_answered_alike(quick):
    User.objects.create_user("someone", PASSWORD, role="handler")
    closed = User.objects.create_user("closed", PASSWORD, role="handler")
    User.objects.filter(pk=closed.pk).update(is_active=False)
    clients = iter(Client(headers={"accept-language": "en"}) for _ in count())
    tried = [("someone", "wrong"), ("nobody", "wrong"), ("closed", "wrong"), ("closed", PASSWORD)]
    pages = {refusals(lambda who=who: send(next(clients), *who)) for who in tried}
    assert len(pages) == 1


def test_an_unknown_name_waits_as_long_as_a_known_one(quick, clock):
    User.objects.create_user("someone", PASSWORD, role="handler")
    waits = []
    for name in ("someone", "nobody"):
        client = Client(headers={"accept-language": "en"})
        waits.append([("Too many" in send(client, name, "wrong")) for _ in range(8)])
    assert waits[0] == waits[1] and waits[0][-1]


AT_LEAST, AT_MOST = 40, 200  # attempts with names of each kind; more of them while other work on the machine disturbs


def seconds(client: Client, name: str) -> float:
    began = time.process_time()
    send(client, name, "wrong words in a row")
    return time.process_time() - began


def test_known_and_unknown_names_take_the_same_time():
    """Medians of processor time of interleaved attempts, with the hasher of production; each name once, so that nobody
    waits."""
    stored = make_password(PASSWORD)
    User.objects.bulk_create(User(username=f"known-{n}", password=stored, role="handler") for n in range(AT_MOST))
    client = Client()
    times: dict[str, list[float]] = {"known": [], "strange": []}
    for n in range(-5, AT_MOST):
        for kind in sorted(times, reverse=bool(n % 2)):
            took = seconds(client, f"{kind}-{n}")
            times[kind] += [took] if n >= 0 else []
        if n >= AT_LEAST and abs(ratio(times) - 1) < 0.02:
            break
    assert abs(ratio(times) - 1) < 0.05, ratio(times)


def ratio(times: dict[str, list[float]]) -> float:
    return statistics.median(times["known"]) / statistics.median(times["strange"])


def test_a_password_that_is_not_looked_at_would_show(monkeypatch):
    monkeypatch.setattr(
        "allauth.account.auth_backends.AuthenticationBackend._mitigate_timing_attack", lambda self, password: None
    )
    stored = make_password(PASSWORD)
    User.objects.bulk_create(User(username=f"known-{n}", password=stored, role="handler") for n in range(10))
    client = Client()
    known = statistics.median(seconds(client, f"known-{n}") for n in range(10))
    strange = statistics.median(seconds(client, f"strange-{n}") for n in range(10))
    assert abs(known / strange - 1) > 0.05
