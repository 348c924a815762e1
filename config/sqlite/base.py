"""Owns SQLite as it is used here: its schema may call no function (trusted_schema), so none of its checks does."""

from django.db.backends.sqlite3 import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Without the check that a column of JSON holds JSON: older SQLite counts JSON_VALID among the unsafe functions."""

    data_type_check_constraints = {
        kind: check for kind, check in base.DatabaseWrapper.data_type_check_constraints.items() if "JSON" not in check
    }
