"""Owns what is checked of an installation when it starts: who can read the keys, what the role of evaluators may do."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DEFAULT_DB_ALIAS, connections

from reports import keys, roles
from reports.disclosure.protect import Parameters
from reports.published import PUBLISHED

SQLITE = "PUBLISHED_DATABASE_URL needs PostgreSQL, since SQLite knows no roles: unset it."
SAME_ROLE = "PUBLISHED_DATABASE_URL names the role of DATABASE_URL: give it the one that database_roles makes."
NO_ROLE = "Evaluators read by a role that can read everything: set PUBLISHED_DATABASE_URL (bin/manage database_roles)."
TOO_LOW = "{} is {}, which nobody has tried to break: make it {} or more."


@register
def keys_are_the_workers_own(**_: Any) -> list[CheckMessage]:
    """Where this process has keys, nobody else can read them."""
    folder = Path(settings.REPORTS_RELEASE_KEYS) if settings.REPORTS_RELEASE_KEYS else None
    if folder is None or not folder.exists():
        return []
    open_to_others = [path for path in (folder, *folder.glob("*.key")) if keys.is_readable_by_others(path)]
    said = "Others than this process can read a key of the rounding, {}: {}."
    return [Error(said.format(path.name, keys.OWN_IT), id="reports.E001") for path in open_to_others]


@register
def the_rule_is_as_strict_as_what_was_attacked(**_: Any) -> list[CheckMessage]:
    """No parameter is below the one that tests/attacks has tried to break."""
    least = Parameters().as_dict()
    asked = {name: getattr(settings, f"REPORTS_{name.upper()}", n) for name, n in least.items()}  # k_own is no setting
    return [
        Error(TOO_LOW.format(f"REPORTS_{name.upper()}", asked[name], least[name]), id="reports.E005")
        for name in least
        if asked[name] < least[name]
    ]


@register
def evaluators_have_a_role_of_their_own(**_: Any) -> list[CheckMessage]:
    """Where the settings name a role for evaluators, it is another one than that of everything else."""
    if PUBLISHED not in connections:
        return []
    whole, part = (connections[alias] for alias in (DEFAULT_DB_ALIAS, PUBLISHED))
    if {whole.vendor, part.vendor} != {"postgresql"}:
        return [Error(SQLITE, id="reports.E002")]
    is_same = whole.settings_dict["USER"] == part.settings_dict["USER"]
    return [Error(SAME_ROLE, id="reports.E003")] if is_same else []


@register(deploy=True)
def evaluators_read_by_it_in_production(**_: Any) -> list[CheckMessage]:
    """In production an evaluator's request cannot reach a contact whatever is wrong in a view."""
    return [] if settings.EMBEDDED or PUBLISHED in connections else [Warning(NO_ROLE, id="reports.W001")]


@register(Tags.database)
def evaluators_role_reads_published_rows_only(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Of `check --database published`: what PostgreSQL itself says the role may do."""
    if PUBLISHED not in (databases or ()) or PUBLISHED not in connections:
        return []
    said = (
        "The role of PUBLISHED_DATABASE_URL may do more than read published rows ({}): run bin/manage database_roles."
    )
    found = roles.excess(connections[PUBLISHED])
    return [Error(said.format(", ".join(found[:5])), id="reports.E004")] if found else []
