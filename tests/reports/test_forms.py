"""What people and settings say of periods, and the sentence of each refusal."""

from datetime import date

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import translation

from helpline import policy
from helpline.models import User
from reports import forms
from reports.forms import NoPilot, OtherPilot
from reports.models import Release
from reports.periods import PILOT, Period

pytestmark = pytest.mark.django_db

PILOT_PERIOD = Period(PILOT, date(2015, 11, 1), date(2016, 12, 1))


@pytest.fixture(autouse=True)
def pilot_of_the_settings(settings) -> None:
    settings.REPORTS_PILOT_START, settings.REPORTS_PILOT_END = "2015-11-01", "2016-11-30"


def test_the_pilot_is_that_of_the_settings():
    assert forms.pilot() == forms.optional_pilot() == forms.read_period("pilot", PILOT) == PILOT_PERIOD


def test_without_settings_there_is_no_pilot(settings):
    settings.REPORTS_PILOT_START = settings.REPORTS_PILOT_END = ""
    assert forms.optional_pilot() is None
    with pytest.raises(NoPilot):
        forms.pilot()


def test_a_pilot_that_has_a_release_is_the_same_pilot(released):
    assert forms.pilot() == PILOT_PERIOD


@pytest.mark.parametrize(("start", "end"), [("2015-11-01", "2017-01-31"), ("2015-10-01", "2016-11-30")])
def test_another_span_is_refused_once_a_pilot_has_a_release(released, settings, start, end):
    settings.REPORTS_PILOT_START, settings.REPORTS_PILOT_END = start, end
    assert forms.optional_pilot() is None  # beat prepares no second one, and goes on with the other periods
    with pytest.raises(OtherPilot):
        forms.pilot()
    with translation.override("en"), pytest.raises(CommandError) as refused:
        call_command("publish", "pilot")
    assert str(refused.value) == (
        "Another pilot has a release: set REPORTS_PILOT_START to 2015-11-01 and REPORTS_PILOT_END to 2016-11-30."
    )
    assert Release.objects.filter(kind=PILOT).count() == 1


def test_the_coordinator_reads_why_the_pilot_of_the_settings_is_not_released(released, settings):
    coordinator = Client(headers={"accept-language": "en"})
    coordinator.force_login(User.objects.create_user("coordinator", None, role=policy.COORDINATOR))
    assert "Another pilot" not in coordinator.get("/releases/").content.decode()
    settings.REPORTS_PILOT_END = "2017-01-31"
    assert "Another pilot has a release: set" in coordinator.get("/releases/").content.decode()
