"""No column of either app is stored without somebody having thought about what it could tell."""

import pytest
from django.apps import apps
from django.db import models

from helpline import privacy as of_helpline
from helpline.fields import CodeField
from reports import privacy

CLASS_OF = {"helpline": of_helpline.privacy_class, "reports": privacy.privacy_class}


def columns(app: str) -> list[models.Field]:
    return [field for model in apps.get_app_config(app).get_models() for field in model._meta.fields]


@pytest.mark.parametrize("app", CLASS_OF)
def test_every_column_has_a_privacy_class(app):
    assert columns(app)
    assert all(CLASS_OF[app](field) for field in columns(app))


@pytest.mark.parametrize("app", CLASS_OF)
def test_a_planted_column_has_none_until_somebody_thinks_about_it(app):
    class Planted(models.Model):
        remark = models.TextField()
        county = CodeField()

        class Meta:
            app_label = f"tests_only_{app}"
            managed = False

    with pytest.raises(KeyError):
        CLASS_OF[app](Planted._meta.get_field("remark"))
    assert CLASS_OF[app](Planted._meta.get_field("county")) == "code"


def test_no_class_is_left_of_a_column_that_is_gone():
    named = {f"{field.model.__name__}.{field.name}" for field in columns("reports")}
    assert set(privacy.PRIVACY) <= named
