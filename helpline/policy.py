"""Owns who may do what: one table from which guards, menus and the access tests are made. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

HANDLER, COORDINATOR, EVALUATOR, ADMINISTRATOR = "handler", "coordinator", "evaluator", "administrator"
ROLES = frozenset({HANDLER, COORDINATOR, EVALUATOR, ADMINISTRATOR})

OPEN = "open"  # the pages of a visitor without account: login, language, first administrator


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be done: by which roles, and, where it has a page in the menu, that page and its name."""

    roles: frozenset[str]
    page: str = ""
    title: str = ""


# The administrator never reads contacts; the coordinator never manages accounts; nobody has a police role.
ACTIONS: Mapping[str, Action] = MappingProxyType(
    {
        "start.view": Action(ROLES),
        "contact.log": Action(frozenset({HANDLER, COORDINATOR}), "contact-new", "New contact"),
        "contact.own": Action(frozenset({HANDLER, COORDINATOR}), "contacts", "Contacts"),
        "contact.correct": Action(frozenset({COORDINATOR})),
        "overview.view": Action(frozenset({COORDINATOR}), "overview", "Overview"),
        "overview.unanswered": Action(frozenset({COORDINATOR})),
        "statistics.read": Action(frozenset({COORDINATOR, EVALUATOR}), "statistics", "Statistics"),
        "release.view": Action(frozenset({COORDINATOR}), "releases", "Releases"),
        "release.publish": Action(frozenset({COORDINATOR})),
        "session.end": Action(ROLES),
    }
)


def may(role: str, action: str) -> bool:
    """Whether `role` may do `action`. KeyError for an action that the table lacks."""
    return role in ACTIONS[action].roles


def menu(role: str) -> list[Action]:
    """The pages that `role` finds in the menu, in the order of the table."""
    return [action for action in ACTIONS.values() if action.page and role in action.roles]
