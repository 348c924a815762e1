"""No column of either app is stored without somebody having thought about what it could tell."""

import pytest
from django.apps import apps
from django.db import models

from helpline import privacy as of_helpline
from helpline.fields import CodeField
from helpline.privacy import privacy_class
from reports import privacy

CLASSES = {"helpline": of_helpline.PRIVACY, "reports": privacy.PRIVACY}


def columns(app: str) -> list[models.Field]:
    return [field for model in apps.get_app_config(app).get_models() for field in model._meta.fields]


@pytest.mark.parametrize("app", CLASSES)
def test_every_column_has_a_privacy_class(app):
    assert columns(app)
    assert all(privacy_class(field, CLASSES[app]) for field in columns(app))


@pytest.mark.parametrize("app", CLASSES)
def test_a_planted_column_has_none_until_somebody_thinks_about_it(app):
    class Planted(models.Model):
        remark = models.TextField()
        county = CodeField()

        class Meta:
            app_label = f"tests_only_{app}"
            managed = False

    with pytest.raises(KeyError):
        privacy_class(Planted._meta.get_field("remark"), CLASSES[app])
    assert privacy_class(Planted._meta.get_field("county"), CLASSES[app]) == "code"


def test_no_class_is_left_of_a_column_that_is_gone():
    named = {f"{field.model.__name__}.{field.name}" for field in columns("reports")}
    assert set(privacy.PRIVACY) <= named
