"""Who else still talks to the test database, which can be removed only when nobody does."""

import time

from django.db import connection

# No text of a statement: it may hold values. The server's own workers end by themselves when the database is removed.
FROM = """
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
OTHERS = f"""
SELECT application_name, state, wait_event_type, extract(epoch FROM now() - state_change)::int {FROM}
ORDER BY backend_start
"""  # noqa: S608 (no value in it)
END = f"SELECT count(pg_terminate_backend(pid)) {FROM}"  # noqa: S608


def sessions_left(*, seconds: float, step: float = 0.1) -> list[str]:
    """Each other session on the database of this thread's connection (PostgreSQL) that has not gone within `seconds`,
    in words; empty as soon as there is none."""
    until = time.monotonic() + seconds
    while True:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(OTHERS)
            left = [
                f"{name or 'without a name'}: {state}, waits for {waits or 'nothing'}, for {since} s"
                for name, state, waits, since in cursor.fetchall()
            ]
        if not left or time.monotonic() >= until:
            return left
        time.sleep(step)


def end_sessions() -> None:
    """End every other session on the database of this thread's connection (PostgreSQL), and wait until it is gone."""
    with connection.cursor() as cursor:
        cursor.execute(END)
    sessions_left(seconds=10)
