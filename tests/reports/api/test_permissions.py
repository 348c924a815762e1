"""The guard of the API asks the policy."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ImproperlyConfigured

from helpline import policy
from helpline.models import User
from reports.api.permissions import Allowed, DenyAll


@pytest.mark.parametrize("action", ["statistics.read", "contact.log"])
def test_a_role_may_what_the_policy_says(action):
    for role in policy.ROLES:
        asked = SimpleNamespace(user=User(username=role, role=role))
        assert Allowed(action)().has_permission(asked, None) == policy.may(role, action)
        assert not DenyAll().has_permission(asked, None)


def test_nobody_without_account_and_no_disabled_account_may_anything():
    for user in (AnonymousUser(), User(username="x", role=policy.EVALUATOR, is_active=False)):
        assert not Allowed("statistics.read")().has_permission(SimpleNamespace(user=user), None)


def test_an_action_that_the_policy_lacks_stops_the_start():
    with pytest.raises(KeyError):
        Allowed("statistics.write")


MORE = {"step_up": True, "approvers": frozenset({policy.COORDINATOR}), "rate": "export"}


@pytest.mark.parametrize("asked", MORE)
def test_an_action_that_asks_for_what_the_api_cannot_keep_stops_the_start(asked, monkeypatch):
    plain = policy.ACTIONS["statistics.read"]
    Allowed("statistics.read")  # the control: it is this that stops it, and nothing else
    monkeypatch.setattr(policy, "ACTIONS", {"statistics.read": replace(plain, **{asked: MORE[asked]})})
    with pytest.raises(ImproperlyConfigured, match="keeps no step_up, approvers or rate.*statistics.read"):
        Allowed("statistics.read")


@pytest.mark.parametrize("action", ["audit.export", "release.edition", "grant.token"])
def test_none_of_the_acts_that_weigh_most_is_done_by_the_api(action):
    with pytest.raises(ImproperlyConfigured):
        Allowed(action)


def test_who_reads_statistics():
    assert {role for role in policy.ROLES if policy.may(role, "statistics.read")} == {"coordinator", "evaluator"}
