"""Owns how codes lie in the database: one code as text, a set of codes as one integer bit mask."""

from collections.abc import Iterable
from typing import Any

from django.db import models

from helpline.taxonomy import CODE_LISTS


class CodeField(models.CharField):
    """The bare code of one code list; the field carries the list's name."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 12} | kwargs)


class CodeSetField(models.BigIntegerField):
    """A frozenset of codes in Python, a bit mask in the database; bits are declared in the code list and append-only.

    One column instead of a table: a contact is one row, saved by one statement and counted without joins.
    """

    def from_db_value(self, value: int | None, expression: Any, connection: Any) -> frozenset[str] | None:
        return None if value is None else CODE_LISTS[self.name].set_of(value)

    def to_python(self, value: Any) -> Any:
        return CODE_LISTS[self.name].set_of(value) if isinstance(value, int) else frozenset(value)

    def get_prep_value(self, value: int | Iterable[str] | None) -> int | None:
        if value is None or isinstance(value, int):
            return value
        return CODE_LISTS[self.name].mask(value)
