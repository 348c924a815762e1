"""Lets a test act in the roles of the database: in its own transaction, or by a connection of somebody else's."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from reports import roles
from reports.published import PUBLISHED

on_postgresql = pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite knows no roles")


@contextmanager
def acting_as(kind: str) -> Iterator[None]:
    """Everything on the test's own connection is done with the rights of a role that `roles.make` made."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {connection.ops.quote_name(roles.role_name(kind))}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


@contextmanager
def roles_that_log_in() -> Iterator[dict[str, str]]:
    """Roles that other connections see, and their passwords; they belong to the whole cluster, so they go again."""
    passwords = roles.make(new_passwords=True)
    try:
        yield passwords
    finally:
        with connection.cursor() as cursor:
            for kind in roles.KINDS:
                role = connection.ops.quote_name(roles.role_name(kind))
                cursor.execute(f"DROP OWNED BY {role}")
                cursor.execute(f"DROP ROLE {role}")


@contextmanager
def published_by(kind: str, passwords: dict[str, str]) -> Iterator[BaseDatabaseWrapper]:
    """The settings name a role for what evaluators read: that of `kind`, by a connection of its own."""
    who = {"USER": roles.role_name(kind), "PASSWORD": passwords[kind]}
    connections.databases[PUBLISHED] = connection.settings_dict | who
    connections[PUBLISHED].connect()  # by itself a test would not open one that it was not told of
    try:
        yield connections[PUBLISHED]
    finally:
        connections[PUBLISHED].close()
        del connections[PUBLISHED], connections.databases[PUBLISHED]
