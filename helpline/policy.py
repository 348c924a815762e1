"""Owns who may do what: one table for guards, menus, the access page, the audit list and the access tests. Pure.

After the matrix of OWASP ASVS 5.0 chapters 7 and 8 as the trade reads it: the administrator never sees a contact, the
coordinator never manages accounts, nobody approves what they asked for themselves, and there is no role for the police.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

HANDLER, COORDINATOR, EVALUATOR, ADMINISTRATOR = "handler", "coordinator", "evaluator", "administrator"
NOBODY: frozenset[str] = frozenset()

gettext_noop = str  # marks a text for the translators

ROLE_NAMES: Mapping[str, str] = MappingProxyType(
    {
        HANDLER: gettext_noop("Handler"),
        COORDINATOR: gettext_noop("Coordinator"),
        EVALUATOR: gettext_noop("Evaluator"),
        ADMINISTRATOR: gettext_noop("Administrator"),
    }
)
ROLES = frozenset(ROLE_NAMES)

OPEN = "open"  # the pages of a visitor without account: log-in, language, invitations

STEP_UP_SECONDS = 300
# How often one account may do what bears the name, within an hour. What is not named here is not counted.
RATES: Mapping[str, int] = MappingProxyType({"export": 20, "import": 30, "secret": 30})


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be done: the permission that a page asks for.

    `what` says it in a sentence, `object_rule` on which objects it holds (others' are not there at all).
    `step_up`: only within STEP_UP_SECONDS of having proved anew who one is. `approvers`: takes effect when another
    person of these roles agrees. `audited`: written down. `rate`: one of RATES.
    Where it has a page in the menu, `page` is its address's name and `title` what the menu says.
    """

    roles: frozenset[str]
    what: str
    page: str = ""
    title: str = ""
    object_rule: str = ""
    step_up: bool = False
    approvers: frozenset[str] = NOBODY
    audited: bool = False
    rate: str = ""


_LOGGING, _RUNNING, _STAFF = frozenset({HANDLER, COORDINATOR}), frozenset({COORDINATOR}), frozenset({ADMINISTRATOR})
TRUSTED = frozenset({COORDINATOR, ADMINISTRATOR})
_OWN_ACCOUNT = gettext_noop("one’s own account")
_OTHERS_ACCOUNT = gettext_noop("never one’s own account")
_OPENED_CONTACT = gettext_noop("opened with a reason, its month not frozen")
_proved = partial(Action, step_up=True, audited=True)  # whoever must prove anew who they are is written down too

ACTIONS: Mapping[str, Action] = MappingProxyType(
    {
        "start.view": Action(ROLES, gettext_noop("See one’s own start page")),
        "session.end": Action(ROLES, gettext_noop("Log out")),
        "account.own": Action(ROLES, gettext_noop("See one’s own account"), object_rule=_OWN_ACCOUNT),
        "account.secure": _proved(
            ROLES,
            gettext_noop("Change one’s own password and second factors, end one’s own sessions"),
            object_rule=_OWN_ACCOUNT,
            rate="secret",
        ),
        "policy.view": Action(ROLES, gettext_noop("Read who may do what")),
        # --- contacts ---
        "contact.log": Action(
            _LOGGING,
            gettext_noop("Log contacts"),
            "contact-new",
            gettext_noop("New contact"),
            object_rule=gettext_noop("one’s own drafts"),
        ),
        "contact.own": Action(
            _LOGGING,
            gettext_noop("See, amend and withdraw contacts"),
            "contacts",
            gettext_noop("Contacts"),
            object_rule=gettext_noop("one’s own, while they can still be amended"),
        ),
        "contact.open": Action(
            _RUNNING,
            gettext_noop("Open somebody else’s contact, with a reason"),
            object_rule=gettext_noop("its month not frozen"),
            audited=True,
        ),
        "contact.correct": _proved(_RUNNING, gettext_noop("Correct an opened contact"), object_rule=_OPENED_CONTACT),
        "contact.withdraw": _proved(_RUNNING, gettext_noop("Withdraw an opened contact"), object_rule=_OPENED_CONTACT),
        "contact.delete": _proved(
            _RUNNING, gettext_noop("Delete one contact for good"), object_rule=_OPENED_CONTACT, approvers=_RUNNING
        ),
        # --- directory ---
        "directory.view": Action(
            _LOGGING, gettext_noop("Look up whom to refer to"), "directory", gettext_noop("Directory")
        ),
        "directory.edit": Action(
            _RUNNING, gettext_noop("Change the directory, and make sure of its entries"), audited=True
        ),
        "routine.view": Action(
            _LOGGING,
            gettext_noop("Read the routine for duties to report"),
            "routine",
            gettext_noop("Duties to report"),
        ),
        # --- figures ---
        "overview.view": Action(_RUNNING, gettext_noop("Read the live overview"), "overview", gettext_noop("Overview")),
        "import.run": _proved(
            _RUNNING,
            gettext_noop("Load contacts, calls or the directory from a file"),
            "import",
            gettext_noop("Import"),
            object_rule=gettext_noop("one’s own files"),
            rate="import",
        ),
        "import.own": Action(
            _RUNNING,
            gettext_noop("See how an import stands and how it ended, and cancel it"),
            object_rule=gettext_noop("one’s own files"),
        ),
        "traffic.view": Action(
            _RUNNING, gettext_noop("See the calls and the opening hours"), "traffic", gettext_noop("Traffic")
        ),
        "traffic.edit": Action(
            _RUNNING,
            gettext_noop("Enter what the telephony counted"),
            object_rule=gettext_noop("hours of months that are not frozen"),
            audited=True,
        ),
        "opening.edit": Action(_RUNNING, gettext_noop("Change the opening hours"), audited=True),
        "overview.unanswered": Action(_RUNNING, gettext_noop("See which questions are never answered")),
        "statistics.read": Action(
            frozenset({COORDINATOR, EVALUATOR}),
            gettext_noop("Read published statistics"),
            "statistics",
            gettext_noop("Statistics"),
            object_rule=gettext_noop("published tables"),
        ),
        "file.read": Action(
            frozenset({COORDINATOR, EVALUATOR}),
            gettext_noop("Read and fetch published row files"),
            object_rule=gettext_noop("to fetch one, an evaluator needs a grant"),
        ),
        "release.view": Action(
            _RUNNING, gettext_noop("See what is frozen and prepared"), "releases", gettext_noop("Releases")
        ),
        "release.publish": _proved(_RUNNING, gettext_noop("Publish a prepared release")),
        "file.publish": _proved(_RUNNING, gettext_noop("Publish a prepared row file")),
        "release.edition": _proved(
            _RUNNING,
            gettext_noop("Make a new edition of a published year"),
            object_rule=gettext_noop("its newest edition"),
            approvers=_RUNNING,
        ),
        "grant.view": Action(
            frozenset({COORDINATOR, EVALUATOR, ADMINISTRATOR}),
            gettext_noop("See who may read the statistics by program"),
            "grants",
            gettext_noop("Grants"),
            object_rule=gettext_noop("evaluators see their own"),
        ),
        "grant.issue": _proved(_RUNNING, gettext_noop("Let an evaluator read by program"), approvers=TRUSTED),
        "grant.revoke": Action(
            frozenset({COORDINATOR, EVALUATOR, ADMINISTRATOR}),
            gettext_noop("End a grant or a token"),
            object_rule=gettext_noop("evaluators end their own"),
            audited=True,
        ),
        "grant.token": _proved(
            frozenset({EVALUATOR}),
            gettext_noop("Make a token for a program"),
            object_rule=gettext_noop("within one’s own grant"),
            rate="secret",
        ),
        # --- staff ---
        "staff.view": Action(_STAFF, gettext_noop("See the accounts"), "staff", gettext_noop("Accounts")),
        "staff.invite": _proved(_STAFF, gettext_noop("Invite a handler or an evaluator")),
        "staff.invite_trusted": _proved(
            _STAFF, gettext_noop("Invite a coordinator or an administrator"), approvers=_STAFF
        ),
        "staff.role": _proved(
            _STAFF, gettext_noop("Give an account another role"), object_rule=_OTHERS_ACCOUNT, approvers=_STAFF
        ),
        "staff.reset": _proved(
            _STAFF,
            gettext_noop("Let a handler or an evaluator begin anew with password and second factor"),
            object_rule=_OTHERS_ACCOUNT,
        ),
        "staff.reset_trusted": _proved(
            _STAFF,
            gettext_noop("Let a coordinator or an administrator begin anew with password and second factor"),
            object_rule=_OTHERS_ACCOUNT,
            approvers=_STAFF,
        ),
        "staff.deactivate": _proved(_STAFF, gettext_noop("Close an account"), object_rule=_OTHERS_ACCOUNT),
        "staff.reactivate": _proved(
            _STAFF, gettext_noop("Open a closed account again"), object_rule=_OTHERS_ACCOUNT, approvers=_STAFF
        ),
        "staff.end_sessions": _proved(_STAFF, gettext_noop("End all sessions of an account")),
        # --- second person, record ---
        "approval.view": Action(
            TRUSTED,
            gettext_noop("See what waits for a second person"),
            "waiting",
            gettext_noop("Waiting"),
            object_rule=gettext_noop("what one asked for or may decide"),
        ),
        "approval.decide": _proved(
            TRUSTED,
            gettext_noop("Agree to or refuse what another person asked for"),
            object_rule=gettext_noop("what another person asked for, of the acts that name one’s role"),
        ),
        "audit.view": Action(
            ROLES,
            gettext_noop("Read the record of acts"),
            "audit",
            gettext_noop("Record"),
            object_rule=gettext_noop("one’s own lines; all of them for some roles"),
        ),
        "audit.all": Action(TRUSTED, gettext_noop("Read everybody’s lines of the record")),
        "audit.export": _proved(TRUSTED, gettext_noop("Fetch the record as a file"), rate="export"),
    }
)

# Acts that no page asks for, but that the record holds as well.
OTHER_EVENTS: Mapping[str, str] = MappingProxyType(
    {
        "session.begin": gettext_noop("Log in"),
        "account.invited": gettext_noop("Make one’s account by an invitation"),
        "account.tied": gettext_noop("Tie one’s account to oneself at the identity provider"),
        "account.first": gettext_noop("Make the first account"),
    }
)
# What is written down, and what it says to a reader.
EVENTS: Mapping[str, str] = MappingProxyType(
    {name: action.what for name, action in ACTIONS.items() if action.audited} | dict(OTHER_EVENTS)
)


def may(role: str, action: str) -> bool:
    """Whether `role` may do `action`. KeyError for an action that the table lacks."""
    return role in ACTIONS[action].roles


def may_approve(role: str, action: str) -> bool:
    """Whether `role` may be the second person of `action`. KeyError for an action that the table lacks."""
    return role in ACTIONS[action].approvers


def for_role(action: str, role: str) -> str:
    """The action that `action` is when it concerns an account of `role`: its stricter twin for trusted roles."""
    trusted = f"{action}_trusted"
    return trusted if role in TRUSTED and trusted in ACTIONS else action


def menu(role: str) -> list[Action]:
    """The pages that `role` finds in the menu, in the order of the table."""
    return [action for action in ACTIONS.values() if action.page and role in action.roles]
