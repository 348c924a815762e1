"""The page that says who may do what says what the policy says: nothing more, nothing less."""

import re

import pytest
from django.test import Client

from helpline import policy
from helpline.models import User
from helpline.views import who_may

pytestmark = pytest.mark.django_db


@pytest.fixture
def table() -> dict[str, tuple[set[str], str]]:
    """What the page says: of each action the roles that may, and the rest of its row."""
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.create_user("evaluator", None, role=policy.EVALUATOR))
    text = client.get("/policy/").content.decode()
    found = {}
    for row in text.partition("<tbody>")[2].partition("</tbody>")[0].split("</tr>")[:-1]:
        what = re.search(r'<th scope="row">(.*?)<', row).group(1)
        said = re.findall(r'data-label="(\w+)".*?sr-only">(may|may not)<', row)
        assert len(said) == len(policy.ROLES)
        found[what] = {role.lower() for role, may in said if may == "may"}, row
    return found


def test_every_action_has_its_row_with_the_roles_of_the_policy(table):
    assert {what: roles for what, (roles, _) in table.items()} == {
        action.what: set(action.roles) for action in policy.ACTIONS.values()
    }


def test_each_row_says_what_the_action_takes(table):
    for action in policy.ACTIONS.values():
        _, row = table[action.what]
        assert (action.object_rule in row) and ("acts__on" in row) == bool(action.object_rule)
        assert ("show anew that it is you" in row) == action.step_up
        assert ("written down in the record" in row) == action.audited
        second = re.search(r"a second person agrees: ([\w, ]+)", row)
        assert set(second.group(1).split(", ") if second else ()) == set(action.approvers)
        often = re.search(r"at most (\d+) times an hour", row)
        assert (int(often.group(1)) if often else None) == policy.RATES.get(action.rate)


def test_a_changed_policy_changes_the_page():
    """The control: the rows come from the table, not from words about it."""
    row = who_may._row(
        policy.Action(frozenset(), "Search for a person", approvers=frozenset({"handler"}), rate="export")
    )
    assert row.what == "Search for a person" and not any(may for _, may in row.roles)
    assert len(row.takes) == 2


def test_the_account_page_leads_there():
    client = Client()
    client.force_login(User.objects.create_user("handler", None, role=policy.HANDLER))
    assert 'href="/policy/"' in client.get("/account/").content.decode()
