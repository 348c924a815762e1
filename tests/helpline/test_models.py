"""The database says no, and no column holds what must never be stored."""

import uuid
from datetime import UTC, date, datetime

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction

from helpline.fields import CodeField, CodeSetField
from helpline.models import Case, Contact, Draft, Referral, User
from helpline.privacy import PRIVACY, privacy_class
from helpline.taxonomy import CODE_LISTS, QUESTIONS

pytestmark = pytest.mark.django_db

ALLOWED = {q: frozenset({"ej_till"}) if CODE_LISTS[q].multiple else "ej_till" for q in QUESTIONS}


def contact(**changed) -> Contact:
    return Contact(**{"day": date(2026, 3, 2)} | ALLOWED | changed)


def refused_by(constraint: str, thing: models.Model) -> bool:
    """Whether saving is refused, by the database itself, with the name of the constraint in its words."""
    try:
        with transaction.atomic():
            thing.save(force_insert=True)
    except IntegrityError as error:
        return constraint in str(error)
    return False


def test_a_well_formed_contact_is_taken():
    contact().save()
    contact(concerns={"natet", "hot"}).save()
    assert set(Contact.objects.values_list("concerns", flat=True)) == {
        frozenset({"ej_till"}),
        frozenset({"natet", "hot"}),
    }


@pytest.mark.parametrize("question", [q for q in QUESTIONS if not CODE_LISTS[q].multiple])
def test_a_code_column_takes_no_text_and_no_blank(question):
    assert refused_by("contact_codes_well_formed", contact(**{question: ""}))
    assert refused_by("contact_codes_well_formed", contact(**{question: "kalle a"}))


@pytest.mark.parametrize("question", [q for q in QUESTIONS if CODE_LISTS[q].multiple])
@pytest.mark.parametrize("mask", [0, 3, 1 + (1 << 4), -16])
def test_a_set_column_takes_no_empty_set_and_no_non_answer_beside_an_answer(question, mask):
    assert refused_by(f"contact_{question}_well_formed", contact(**{question: mask}))


def test_a_day_before_the_code_lists_is_refused():
    assert refused_by("contact_day_within_code_lists", contact(day=date(2014, 12, 31)))


def test_the_trace_of_a_submission_is_whole_or_erased():
    handler = User.objects.create_user("handler", None, role="handler")
    whole = {"submission_key": uuid.uuid4(), "submission_digest": "d", "logged_at": datetime(2026, 3, 2, tzinfo=UTC)}
    contact(**whole, logged_by=handler).save()
    assert refused_by("contact_trace_whole_or_erased", contact(**whole | {"submission_digest": None}))
    assert refused_by("contact_trace_whole_or_erased", contact(logged_by=handler))


def test_a_submission_key_is_taken_once():
    whole = {"submission_key": uuid.uuid4(), "submission_digest": "d", "logged_at": datetime(2026, 3, 2, tzinfo=UTC)}
    contact(**whole).save()
    assert refused_by("submission_key", contact(**whole))


def test_a_contact_is_arranged_only_with_consent():
    holder = contact()
    holder.save()
    codes = {"contact": holder, "target": "social", "outcome": "ej_uppf"}
    Referral(**codes, type="formedling", consent=True).save()
    name = "referral_arranged_only_with_consent"
    assert refused_by(name, Referral(**codes | {"target": "skola"}, type="formedling", consent=False))
    assert refused_by(name, Referral(**codes | {"target": "skola"}, type="hanvisning", consent=True))
    again = Referral(**codes, type="formedling", consent=True)
    assert refused_by("referral_once" if connection.vendor == "postgresql" else "target", again)


def test_a_user_has_a_role_of_the_policy():
    User(username="a", role="handler").save()
    assert refused_by("user_has_a_role_of_the_policy", User(username="b", role="police"))


# --- what no column may hold --------------------------------------------------------------------------------------

OURS = [model for app in ("helpline", "reports") for model in apps.get_app_config(app).get_models()]
TEXTS = (models.TextField, models.JSONField, models.BinaryField, models.FileField, models.GenericIPAddressField)
NEVER = "name note comment text phone number address mail ip place street employer school municipality title".split()


def test_every_column_has_a_privacy_class():
    for model in apps.get_app_config("helpline").get_models():
        for field in model._meta.fields:
            assert privacy_class(field)


def test_a_column_that_nobody_has_thought_about_has_none():
    class Thoughtless(models.Model):
        remark = models.TextField()

        class Meta:
            app_label = "tests_only"
            managed = False

    with pytest.raises(KeyError):
        privacy_class(Thoughtless._meta.get_field("remark"))


def finds_free_text(field: models.Field) -> bool:
    if isinstance(field, TEXTS):
        return True
    return type(field) is models.CharField and (field.max_length or 0) > 64


def is_of_the_directory(field: models.Field) -> bool:
    return PRIVACY.get(f"{field.model.__name__}.{field.name}") == "directory"


def test_no_column_takes_free_text():
    columns = [field for model in OURS for field in model._meta.fields if not is_of_the_directory(field)]
    found = [str(field) for field in columns if finds_free_text(field)]
    # A hash, two texts that are made of checked codes alone (test_drafts.py, test_contacts.py), a file that is sealed
    # and kept for an hour (test_import_jobs.py), one that a run makes of names and counts of its own, and those that
    # releases and row files are made of: the control that the test can find any.
    checked = ["helpline.Earlier.content", "helpline.Draft.content", "helpline.ImportJob.content"]
    files = [
        f"reports.{model}.{name}" for model in ("PreparedFile", "PublishedFile") for name in ("content", "manifest")
    ]
    made = ["reports.Erasure.kinds", "reports.Release.candidate", "reports.Release.manifest"]
    assert sorted(found) == sorted(["helpline.User.password", *checked, *files, *made])


def test_texts_of_the_directory_are_no_way_to_a_contact():
    of_directory = {field.model for model in OURS for field in model._meta.fields if is_of_the_directory(field)}
    linked = {link.related_model for model in of_directory for link in model._meta.get_fields() if link.is_relation}
    assert linked == of_directory
    assert not linked & {Contact, Referral, Draft, Case}


def test_no_column_of_a_contact_is_named_after_what_is_never_stored():
    names = {field.name for model in (Contact, Referral) for field in model._meta.fields}
    assert not {name for name in names for word in NEVER if word in name.split("_")}


def test_a_contact_holds_codes_a_day_and_what_is_erased():
    other = {f.name for f in Contact._meta.fields if not isinstance(f, CodeField | CodeSetField)}
    state = {"version", "is_withdrawn", "is_frozen"}
    assert other == {"id", "day", "case", *state, "submission_key", "submission_digest", "logged_at", "logged_by"}
    assert {f.name for f in Contact._meta.fields} - other == {*QUESTIONS, "case_step"}
