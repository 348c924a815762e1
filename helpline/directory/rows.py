"""Owns the rows of the page of a service, which has several of each: telephones, hours, places."""

from collections.abc import Callable
from datetime import time
from typing import Any, cast

from django import forms
from django.utils.translation import gettext, gettext_lazy

from helpline.directory.wording import explain
from helpline.listings import MIDNIGHT, MOST_PARTS, WEEKDAYS, Finding, Hours, Phone, Place, Wrong, values

WEEKDAY_NAMES = dict(
    zip(
        WEEKDAYS,
        (
            *(gettext_lazy("Monday"), gettext_lazy("Tuesday"), gettext_lazy("Wednesday"), gettext_lazy("Thursday")),
            *(gettext_lazy("Friday"), gettext_lazy("Saturday"), gettext_lazy("Sunday")),
        ),
        strict=True,
    )
)


MOST_SENT = 200  # rows that are looked at: an entry of old may have more than one may keep


class Text(forms.CharField):
    """A text as a file may write it too: the rules are those of helpline.listings.values."""

    def to_python(self, value: Any) -> Any:
        return ruled(values.composed, super().to_python(value))


def ruled(rule: Callable[[object], str], value: Any) -> str:
    """What a rule of the directory makes of a value. Raises ValidationError, which says what to do."""
    try:
        return rule(value)
    except Wrong as wrong:
        raise forms.ValidationError(explain(Finding(wrong.fault, hint=wrong.hint))) from None


def text(label: Any, length: int, **more: Any) -> forms.CharField:
    return Text(label=label, max_length=length, required=False, **more)


def day(label: Any) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    wording = gettext_lazy("This is no day: write it as year-month-day, as in 2016-06-30.")
    return forms.DateField(label=label, required=False, widget=widget, error_messages={"invalid": wording})


def clock(label: Any) -> forms.TimeField:
    widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    wording = gettext_lazy("This is no time: write it as hours and minutes, as in 09:30.")
    return forms.TimeField(label=label, required=False, widget=widget, error_messages={"invalid": wording})


class Fields(forms.Form):
    """A form in the looks of the house: the id of a field is its name."""

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "%s"} | kwargs)
        for field in self.fields.values():
            needed = gettext_lazy("An answer is needed here: choose one.")
            if not isinstance(field, forms.ChoiceField):
                needed = gettext_lazy("Something must be written here.")
            field.error_messages["required"] = needed
            look = "select-field__select" if isinstance(field.widget, forms.Select) else "text-field__input"
            if not isinstance(field.widget, forms.CheckboxInput | forms.CheckboxSelectMultiple | forms.RadioSelect):
                field.widget.attrs.setdefault("class", look)
            if isinstance(field.widget, forms.Textarea):
                field.widget.attrs |= {"rows": 3}

    def choices_of(self, name: str, choices: list[tuple[str, Any]]) -> None:
        cast(forms.ChoiceField, self.fields[name]).choices = choices


class Row(Fields):
    """One row of several; an empty one says nothing."""

    def is_empty(self) -> bool:
        return not any(self.cleaned_data.get(name) for name in self.fields)


class PhoneRow(Row):
    number = text(gettext_lazy("Telephone number"), 40)
    extension = text(gettext_lazy("Extension"), 10)
    description = text(gettext_lazy("What for"), 200)

    def clean(self) -> None:
        if not self.is_empty() and not self.cleaned_data.get("number") and not self.errors:
            self.add_error("number", gettext("A number is missing: write it, or empty the row."))

    def entry(self) -> Phone:
        return Phone(**self.cleaned_data)


class HoursRow(Row):
    weekdays = forms.MultipleChoiceField(
        label=gettext_lazy("Days"), required=False, choices=list(WEEKDAY_NAMES.items()),
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    opens = clock(gettext_lazy("Opens"))
    closes = clock(gettext_lazy("Closes"))
    valid_from = day(gettext_lazy("From and including"))
    valid_to = day(gettext_lazy("Until and including"))
    description = text(gettext_lazy("What else to know"), 200)

    def is_empty(self) -> bool:
        return super().is_empty() and self.cleaned_data.get("opens") is None and self.cleaned_data.get("closes") is None

    def clean(self) -> None:
        if self.is_empty() or self.errors:
            return
        said = self.cleaned_data
        said["closes"] = MIDNIGHT if said["closes"] == time() else said["closes"]
        if not said["weekdays"]:
            self.add_error("weekdays", gettext("Choose at least one day, or empty the row."))
        for name in ("opens", "closes"):
            if said.get(name) is None:
                self.add_error(name, gettext("A time is missing: write it, or empty the row."))
        if not self.errors and said["opens"] >= said["closes"]:
            self.add_error("closes", gettext("It closes before it opens: a night is two rows, the first until 00:00."))
        if said["valid_from"] and said["valid_to"] and said["valid_to"] < said["valid_from"]:
            self.add_error("valid_to", gettext("The last day lies before the first one: choose a later day."))

    def entry(self) -> Hours:
        return Hours(**self.cleaned_data | {"weekdays": ",".join(self.cleaned_data["weekdays"])})


class PlaceRow(Row):
    is_virtual = forms.BooleanField(label=gettext_lazy("Only by telephone and screen"), required=False)
    name = text(gettext_lazy("Name of the place"), 200)
    address = text(gettext_lazy("Street address"), 200)
    postal_code = text(gettext_lazy("Postal code"), 10)
    city = text(gettext_lazy("Town"), 100)

    def entry(self) -> Place:
        return Place(**self.cleaned_data)


TOO_MANY_ROWS = gettext_lazy("At most %(num)d rows fit here: empty those that are needed least.")


class Rows(forms.BaseFormSet):
    """All rows of one kind, of which as many may say something as an entry may have."""

    default_error_messages = {
        "too_many_forms": TOO_MANY_ROWS,
        "missing_management_form": gettext_lazy("These rows did not arrive whole: open the page anew."),
    }

    def clean(self) -> None:
        if sum(not row.is_empty() for row in self.forms) > MOST_PARTS:
            raise forms.ValidationError(TOO_MANY_ROWS % {"num": MOST_PARTS})


def _rows(row: type[Row], extra: int) -> Any:
    return forms.formset_factory(row, formset=Rows, extra=extra, max_num=MOST_PARTS, absolute_max=MOST_SENT)


ROWS = {"phones": _rows(PhoneRow, 2), "hours": _rows(HoursRow, 2), "places": _rows(PlaceRow, 1)}


def as_sent(row: Any) -> dict[str, Any]:
    """An entry's row as a form begins with it."""
    said = {name: getattr(row, name) for name in row.__dataclass_fields__}
    if isinstance(row, Hours):
        said |= {"weekdays": row.weekdays.split(","), "closes": time() if row.closes >= time(23, 59) else row.closes}
    return said
