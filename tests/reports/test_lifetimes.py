"""The order in which what is stored comes to its end: each contradiction stops the start with one sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core import checks

from reports.lifetimes import NAMES, out_of_order

ROOT = Path(__file__).parents[2]
DEFAULTS = {
    "HELPLINE_DRAFT_HOURS": 12,
    "HELPLINE_AMEND_HOURS": 24,
    "HELPLINE_CASE_DAYS": 90,
    "HELPLINE_CONTACT_MONTHS": 13,
    "HELPLINE_AUDIT_MONTHS": 24,
    "REPORTS_FREEZE_DAY": 15,
    "REPORTS_RECORD_MONTHS": 12,
}
# What may still be, what may not, and how the refusal begins.
EDGES = [
    ({"REPORTS_FREEZE_DAY": 28}, {"REPORTS_FREEZE_DAY": 29}, "REPORTS_FREEZE_DAY must be 1 to 28"),
    ({"HELPLINE_DRAFT_HOURS": 24}, {"HELPLINE_DRAFT_HOURS": 25}, "HELPLINE_DRAFT_HOURS must be at most"),
    ({"HELPLINE_AMEND_HOURS": 336}, {"HELPLINE_AMEND_HOURS": 337}, "HELPLINE_AMEND_HOURS must end before"),
    ({"REPORTS_FREEZE_DAY": 2}, {"REPORTS_FREEZE_DAY": 1}, "HELPLINE_AMEND_HOURS must end before"),
    (
        {"HELPLINE_CONTACT_MONTHS": 2, "HELPLINE_CASE_DAYS": 18},
        {"HELPLINE_CONTACT_MONTHS": 1, "HELPLINE_CASE_DAYS": 9},
        "HELPLINE_CONTACT_MONTHS must be 2 or more",
    ),
    ({"HELPLINE_CASE_DAYS": 121}, {"HELPLINE_CASE_DAYS": 122}, "HELPLINE_CASE_DAYS must be at most a third"),
    ({"HELPLINE_AUDIT_MONTHS": 24}, {"HELPLINE_AUDIT_MONTHS": 23}, "HELPLINE_AUDIT_MONTHS must be 24 or more"),
    (
        {"HELPLINE_CONTACT_MONTHS": 24},
        {"HELPLINE_CONTACT_MONTHS": 25},
        "HELPLINE_AUDIT_MONTHS must be at least HELPLINE_CONTACT_MONTHS",
    ),
    ({"REPORTS_RECORD_MONTHS": 1}, {"REPORTS_RECORD_MONTHS": 0}, "REPORTS_RECORD_MONTHS must be 1 or more"),
]


def test_the_periods_of_the_product_are_in_order():
    assert {name: getattr(settings, name) for name in NAMES} == DEFAULTS
    assert out_of_order(DEFAULTS) == [] == checks.run_checks(tags=["retention"])


@pytest.mark.parametrize(("fits", "clashes", "sentence"), EDGES)
def test_a_period_that_contradicts_another_is_refused_in_one_sentence_and_its_neighbour_is_not(fits, clashes, sentence):
    assert out_of_order(DEFAULTS | fits) == []
    (said,) = out_of_order(DEFAULTS | clashes)
    assert said.startswith(sentence) and said.endswith(".")


def test_the_system_check_says_the_same(settings):
    settings.HELPLINE_DRAFT_HOURS = 25
    (found,) = checks.run_checks(tags=["retention"])
    assert found.is_serious() and found.msg.startswith("HELPLINE_DRAFT_HOURS")


@pytest.mark.parametrize(
    "program",
    [
        ["manage.py", "check"],
        ["-m", "celery", "-A", "config", "worker"],
        ["-c", "import config.wsgi"],
    ],
)
def test_no_program_starts_with_periods_out_of_order(program):
    environment = os.environ | {"HELPLINE_CONTACT_MONTHS": "25"}
    refused = subprocess.run(
        [sys.executable, *program], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert refused.returncode and "HELPLINE_AUDIT_MONTHS must be at least" in refused.stderr
