"""Owns what a coordinator sends on the pages that change the directory, and the entry that it makes."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import get_language, gettext, gettext_lazy

from helpline.code_files import DIMENSIONS
from helpline.directory.rows import ROWS, Fields, Text, as_sent, day, ruled, text
from helpline.listings import RECEIVER, RESOURCE, OrganisationEntry, ServiceEntry, Wrong, areas, values
from helpline.models import Organisation
from helpline.taxonomy import CODE_LISTS, NON_ANSWERS

DIMENSION_NAMES = {
    "social": gettext_lazy("Social"),
    "praktisk": gettext_lazy("Practical"),
    "bada": gettext_lazy("Social and practical"),
}

PART_NAMES = {
    "phones": gettext_lazy("Telephone"),
    "hours": gettext_lazy("Opening hours"),
    "places": gettext_lazy("Places"),
}


def codes(name: str, *, kept: str = "") -> list[tuple[str, str]]:
    """The codes that a list offers today, and one that an entry has already, with what they are called."""
    today, language = timezone.localdate(), get_language() or ""
    offered = CODE_LISTS[name].codes.values()
    said = [code for code in offered if code.code not in NON_ANSWERS]
    return [(code.code, code.label(language)) for code in said if code.holds_on(today) or code.code == kept]


class Address(forms.URLField):
    """A web address that a file may write too."""

    def clean(self, value: Any) -> str:
        return ruled(values.url, super().clean(value))


def _address(**more: Any) -> forms.URLField:
    wording = gettext_lazy("This is no address of a page: write it whole, as in https://www.example.se.")
    return Address(
        label=gettext_lazy("Web page"), max_length=200, required=False, assume_scheme="https",
        error_messages={"invalid": wording}, **more,
    )  # fmt: skip


class OrganisationForm(Fields):
    """An organisation: who runs services, and how they are paid for."""

    name = Text(label=gettext_lazy("Name"), max_length=200)
    description = text(gettext_lazy("Description"), values.LONG_TEXT, widget=forms.Textarea)
    url = _address()
    agreement = forms.ChoiceField(label=gettext_lazy("Form of agreement"))
    agreement_until = day(gettext_lazy("Agreement valid until"))

    def __init__(self, sent: QueryDict | None, *, entry: OrganisationEntry | None) -> None:
        self.stored = entry or OrganisationEntry(None, "")
        super().__init__(sent, initial={name: getattr(self.stored, name) for name in self.base_fields})
        self.choices_of("agreement", codes("agreement", kept=entry.agreement if entry else ""))

    def entry(self) -> OrganisationEntry:
        """What the coordinator says of the organisation, with the id that it has."""
        return replace(self.stored, **self.cleaned_data)


# --- a service --------------------------------------------------------------------------------------------------------


class ServiceForm(Fields):
    """What a service is, without its rows."""

    organisation = forms.ChoiceField(label=gettext_lazy("Organisation"))
    name = Text(label=gettext_lazy("Name"), max_length=200)
    kind = forms.ChoiceField(label=gettext_lazy("Kind of entry"), widget=forms.RadioSelect)
    target = forms.ChoiceField(label=gettext_lazy("Kind of receiver"), required=False)
    dimension = forms.ChoiceField(label=gettext_lazy("Kind of support"), required=False)
    description = text(gettext_lazy("Description"), values.LONG_TEXT, widget=forms.Textarea)
    url = _address()
    alert = text(gettext_lazy("What a caller must know first"), 300)
    covers_exit = forms.ChoiceField(label=gettext_lazy("Guidelines cover people who want to leave"))
    is_shared = forms.BooleanField(label=gettext_lazy("One unit shared by several municipalities"), required=False)
    is_confidential = forms.BooleanField(label=gettext_lazy("Protected entry"), required=False)
    languages = forms.MultipleChoiceField(
        label=gettext_lazy("Languages"), required=False, widget=forms.CheckboxSelectMultiple
    )
    other_languages = text(gettext_lazy("Other languages"), 200)
    areas = forms.MultipleChoiceField(
        label=gettext_lazy("For whom"), required=False, widget=forms.CheckboxSelectMultiple,
        choices=[(code, code) for code in (areas.COUNTRY, *areas.COUNTIES, *areas.MUNICIPALITIES)],
    )  # fmt: skip
    assured = forms.BooleanField(label=gettext_lazy("I have made sure today that all of this is true"), required=False)

    def __init__(
        self, *args: Any, entry: ServiceEntry | None, organisations: Iterable[Organisation], **kw: Any
    ) -> None:
        super().__init__(*args, **kw)
        target, exit_ = (entry.target, entry.covers_exit) if entry else ("", "")
        self.choices_of("organisation", [("", gettext("Choose")), *((str(one.pk), one.name) for one in organisations)])
        self.choices_of("kind", codes("service_kind"))
        self.choices_of("target", [("", gettext("Choose")), *codes("referral_target", kept=target)])
        usual = ("", gettext("As usual for this kind of receiver"))
        self.choices_of("dimension", [usual, *((code, DIMENSION_NAMES[code]) for code in DIMENSIONS)])
        self.choices_of("covers_exit", codes("covers_exit", kept=exit_))
        self.choices_of("languages", listed_languages())

    def clean_other_languages(self) -> list[str]:
        words = self.cleaned_data["other_languages"].replace(",", " ").split()
        try:
            return [values.language(word) for word in words]
        except Wrong:
            todo = gettext("Write ISO 639 codes with a blank between them, as in uk pl.")
            raise forms.ValidationError(todo) from None

    def clean(self) -> None:
        said = self.cleaned_data
        if said.get("kind") == RESOURCE:
            said["target"] = said["dimension"] = ""
        elif said.get("kind") == RECEIVER and "target" in said:
            if not said["target"]:
                self.add_error("target", gettext("A receiver is of some kind: choose one."))
            else:
                usual = CODE_LISTS["referral_target"].codes[said["target"]].dimension
                said["dimension"] = said.get("dimension") or usual or ""


def listed_languages() -> list[tuple[str, str]]:
    """The languages that can be ticked; any other is written."""
    return [(code, name) for code, name in codes("language") if code != "annat"]


class ServicePage:
    """The form of a service with its rows; what it does not say on the page is in nobody's way."""

    def __init__(
        self, sent: QueryDict | None, *, entry: ServiceEntry | None, organisations: list[Organisation], of: str = ""
    ) -> None:
        self.stored = entry or ServiceEntry(None, "")
        begins = _begins(self.stored) | {"organisation": of}
        self.form = ServiceForm(sent, entry=entry, organisations=organisations, initial=begins)
        self.rows = {
            name: kind(sent, prefix=name, initial=[as_sent(row) for row in getattr(entry, name, ())])
            for name, kind in ROWS.items()
        }

    def is_valid(self) -> bool:
        return all([self.form.is_valid(), *(rows.is_valid() for rows in self.rows.values())])

    def of(self) -> UUID:
        """Whose the service is."""
        return UUID(self.form.cleaned_data["organisation"])

    def entry(self) -> ServiceEntry:
        """What the coordinator says of the service; empty rows are left out."""
        said = dict(self.form.cleaned_data)
        del said["organisation"], said["assured"]
        said["languages"] = (*said["languages"], *said.pop("other_languages"))
        rows: dict[str, Any] = {
            name: tuple(row.entry() for row in formset.forms if not row.is_empty())
            for name, formset in self.rows.items()
        }
        return replace(self.stored, **said | rows)

    def faults(self) -> Iterator[tuple[str, str, str]]:
        """What is wrong, in the order of the page: id of the field or the section, its name, what to do."""
        yield from _faults(self.form)
        for name, rows in self.rows.items():
            yield from ((name, str(PART_NAMES[name]), str(error)) for error in rows.non_form_errors())
            for row in rows.forms:
                yield from _faults(row)

    @property
    def areas(self) -> list[tuple[str, str, list[tuple[str, str, bool]], int]]:
        """The counties, each with what can be ticked in it (code, name, whether it is) and how many are."""
        chosen, language = set(self.form["areas"].value() or ()), get_language() or ""
        groups = []
        for county in areas.COUNTIES:
            inside = [county, *(code for code in areas.MUNICIPALITIES if areas.county_of(code) == county)]
            options = [(code, areas.name(code, language), code in chosen) for code in inside]
            groups.append((county, areas.name(county, language), options, len(chosen & set(inside))))
        return groups

    @property
    def is_for_all(self) -> bool:
        return areas.COUNTRY in (self.form["areas"].value() or ())


def _faults(form: forms.Form) -> Iterator[tuple[str, str, str]]:
    for field in form:
        yield from ((field.auto_id, str(field.label), str(error)) for error in field.errors)


def _begins(entry: ServiceEntry) -> dict[str, Any]:
    """What the form of an entry begins with."""
    listed = {code for code, _ in listed_languages()}
    plain = {name: getattr(entry, name) for name in ServiceForm.base_fields if hasattr(entry, name)}
    return plain | {
        "languages": [code for code in entry.languages if code in listed],
        "other_languages": " ".join(code for code in entry.languages if code not in listed),
    }
