"""Owns a row file as CSV, and the words for what it is and why a year has none. Pure."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from reports.disclosure.microdata import GIVES_AWAY, TOO_COARSE, TOO_FEW
from reports.disclosure.row_file import RowFile
from reports.formats.csv import NEW_LINE

KEY_BYTES = 8  # of the random number by which a row is sorted
CONTENT_TYPE = "text/csv; charset=utf-8"
REFUSALS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        TOO_FEW: {
            "sv": "Ingen radfil: året har färre än 600 verksamhetsrelevanta kontakter, så någon skulle kunna kännas"
            " igen.",
            "en": "No row file: the year has fewer than 600 operationally relevant contacts, so that somebody might be"
            " recognised.",
        },
        TOO_COARSE: {
            "sv": "Ingen radfil: för att ingen ska kunna kännas igen skulle mer än 65 procent av uppgifternas"
            " detaljer gå förlorade, eller mer än 5 procent av raderna lämnas utanför.",
            "en": "No row file: for nobody to be recognised, more than 65 per cent of the detail would be lost, or more"
            " than 5 per cent of the rows left out.",
        },
        GIVES_AWAY: {
            "sv": "Ingen radfil: tillsammans med tabellerna skulle den röja ett litet antal.",
            "en": "No row file: together with the tables it would give a small number away.",
        },
    }
)


def csv_of(file: RowFile, keys: bytes) -> str:
    """The whole file, codes only. Its rows stand in the order of `keys`, KEY_BYTES random bytes for each of them."""
    lines = np.array([",".join(row) + NEW_LINE for row in file.rows], dtype=object)
    whose = np.repeat(np.arange(len(lines)), list(file.rows.values()))
    order = np.frombuffer(keys, np.uint64).argsort()
    return ",".join(file.columns) + NEW_LINE + "".join(lines[whose[order]])
