"""Puts rows of the database back that a test made once, as they were."""

from collections.abc import Iterable

from django.db import models


def put(rows: Iterable[models.Model]) -> None:
    """Store the rows, in as few statements as there are kinds of them and in the order in which the kinds come."""
    of_model: dict[type[models.Model], list[models.Model]] = {}
    for row in rows:
        of_model.setdefault(type(row), []).append(row)
    for model, some in of_model.items():
        model._base_manager.bulk_create(some, batch_size=1000)
