"""Measures the pages by the time that the server spends on them, through the whole of Django and its middleware."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from helpline.models import DayMark
from reports import live, rollups
from reports.periods import Period
from tests.bench import naive, naive_settings, truth
from tests.bench.limits import BrokenMeasure, ratio
from tests.bench.stage import BIG, BOTH, SMALL, Clock, Person, Stage

TURNS = 5  # of each page in a round


class Site:
    """A Django asked by its own test client, without a server: what the client adds stands for the server's share."""

    def __init__(self, **other: Any) -> None:
        self.client = Client(HTTP_HOST="localhost", HTTP_ACCEPT_LANGUAGE="sv", raise_request_exception=True)
        with override_settings(**other):
            self.client.handler.load_middleware()

    def get(self, path: str, person: Person | None = None) -> tuple[float, bytes]:
        """Seconds and body. Raises BrokenMeasure for anything but 200."""
        if person:
            self.client.cookies[settings.SESSION_COOKIE_NAME] = person.session
        with Clock() as clock:
            response = self.client.get(path, secure=True)
        if response.status_code != 200:
            raise BrokenMeasure(f"{path} was answered {response.status_code}")
        return clock.seconds, response.content


def product() -> Site:
    return Site()


def plain() -> Site:
    """What a new Django project has, without what the product adds."""
    return Site(MIDDLEWARE=[f"{naive.__name__}.urls_of_its_own", *naive_settings.NEW_PROJECT])


# --- the overview -----------------------------------------------------------------------------------------------------


def overview(stage: Stage) -> dict[str, float]:
    """The coordinator's page in both databases in turn: whole months, a week, a quarter with a day that is marked; and
    the quarter once more by the ORM's `values().annotate()`."""
    site = product()
    for database in BOTH:
        with stage.on(database):
            for period in (stage.quarter, stage.week):
                check_overview(period)

    def ours(period: Period) -> float:
        return median(
            site.get(f"/overview/?period={period.code}", stage.coordinator)[0]
            for _ in range(min(TURNS, 2 * stage.scope.rounds))
        )

    whole = _in_turn(stage, lambda: ours(stage.quarter))
    odd = _in_turn(stage, lambda: ours(stage.week))
    with _a_marked_day(stage):
        marked = _in_turn(stage, lambda: ours(stage.quarter))
    theirs = plain()
    naive = _in_turn(stage, lambda: theirs.get(f"/dashboard/?period={stage.quarter.code}")[0], rounds=1)
    return {
        "overview.whole": ratio(whole[BIG], whole[SMALL]),
        "overview.odd": ratio(odd[BIG], odd[SMALL]),
        "overview.marked": ratio(marked[BIG], marked[SMALL]),
        "overview.naive": ratio(naive[BIG], naive[SMALL]),
        "overview.naive_to_ours": _to_ours(stage, theirs, ours),
    }


def _to_ours(stage: Stage, theirs: Site, ours: Callable[[Period], float]) -> float:
    with stage.on(BIG):
        pairs = [
            (theirs.get(f"/dashboard/?period={stage.quarter.code}")[0], ours(stage.quarter))
            for _ in range(stage.scope.rounds)
        ]
    return ratio(*zip(*pairs, strict=True))


def _in_turn(stage: Stage, seconds: Callable[[], float], rounds: int = 3) -> dict[str, list[float]]:
    """What `seconds` gives in each database, round by round."""
    took: dict[str, list[float]] = {database: [] for database in BOTH}
    for turn in range(stage.scope.rounds * rounds + 1):
        for database in BOTH:
            with stage.on(database):
                once = seconds()
            took[database] += [once] if turn else []  # the first one opens connections and reads templates
    return took


@contextmanager
def _a_marked_day(stage: Stage) -> Iterator[None]:
    """An ordinary day of the quarter was saved to, and no worker has come by."""
    day = stage.week.start
    for database in BOTH:
        with stage.on(database):
            DayMark.objects.create(day=day)
            check_overview(stage.quarter)
    yield
    for database in BOTH:
        with stage.on(database):
            rollups.recompute_day(day)


def check_overview(period: Period) -> None:
    """Raises BrokenMeasure unless every figure of the overview is that of a GROUP BY of the contacts."""
    right = truth.of_period(period)
    shown = live.overview(period)
    totals = {"result": shown.contacts, "referral_type": shown.referrals}
    for variable, n in totals.items():
        if n != sum(count for (name, _), count in right.items() if name == variable) or not n:
            raise BrokenMeasure(f"the overview's total of {variable} is not that of its contacts")
    for breakdown in shown.breakdowns:
        for row in breakdown.rows:
            if row.code != live.NO_INFORMATION and row.n != right[breakdown.variable, row.code]:
                raise BrokenMeasure(f"the overview's {breakdown.variable} is not that of its contacts")


def queries(stage: Stage) -> dict[str, float]:
    """How often the overview asks the database: session, account and all."""
    with stage.on(BIG):
        site = product()
        site.get("/overview/", stage.coordinator)
        with CaptureQueriesContext(connection) as asked:
            site.get(f"/overview/?period={stage.quarter.code}", stage.coordinator)
        queries = [q["sql"] for q in asked if not q["sql"].startswith(("BEGIN", "COMMIT", "SET"))]
    if not queries:
        raise BrokenMeasure("the overview asked nothing")
    return {"overview.queries": len(queries)}


# --- the form ---------------------------------------------------------------------------------------------------------


def form(stage: Stage) -> dict[str, float]:
    """The empty form, in turn with a view of five bytes and with a form of Django's own widgets."""
    ours, theirs = product(), plain()
    took: dict[str, list[float]] = {"form": [], "five": [], "naive": []}
    handler = stage.handlers[0]
    with stage.on(SMALL):
        for turn in range(stage.scope.rounds * 3 + 1):
            once = {
                "five": median(theirs.get("/five-bytes/")[0] for _ in range(20)),
                "form": median(ours.get("/contacts/new/", handler)[0] for _ in range(10)),
                "naive": median(theirs.get("/naive/", handler)[0] for _ in range(2)),
            }
            for name, seconds in once.items():
                took[name] += [seconds] if turn else []
        if b"csrfmiddlewaretoken" not in ours.get("/contacts/new/", handler)[1]:
            raise BrokenMeasure("the page of the form holds no form")
    return {"form.page": ratio(took["form"], took["five"]), "form.page_naive": ratio(took["naive"], took["five"])}
