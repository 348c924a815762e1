"""Owns the words that file formats add to a table's own: its source, its subject, unit and reference period. Pure."""

from collections.abc import Mapping

from reports.catalogue import Table
from reports.counting import REFERRALS

Words = Mapping[str, str]

SOURCE: Words = {"sv": "Stödtelefonen", "en": "Stödtelefonen"}
UNIT: Words = {"sv": "antal", "en": "number"}
REFERENCE_PERIOD: Words = {"sv": "hela perioden", "en": "whole period"}
# By what a table counts; the codes are those of the counting units.
SUBJECTS: Mapping[str, Words] = {
    "U1": {"sv": "Anrop", "en": "Calls"},
    "U3": {"sv": "Alla loggade kontakter", "en": "All logged contacts"},
    "U4": {"sv": "Verksamhetsrelevanta kontakter", "en": "Operationally relevant contacts"},
    "U6": {"sv": "Hänvisningar och förmedlingar", "en": "Referrals, signposted or arranged"},
}


def subject_of(table: Table) -> str:
    """The code of the subject that a table is found under."""
    return "U6" if table.variables and REFERRALS in table.contents else table.base
