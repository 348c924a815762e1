"""Reading what is published of row files: what each year has, and nothing that only waits."""

from datetime import date

import pytest

from reports import published_files, row_files
from reports.disclosure.microdata import Limits
from reports.disclosure.protect import Parameters
from reports.models import PreparedFile, PublishedFile
from reports.published_files import NotPublished
from tests.reports.closed_year import YEAR, close

pytestmark = pytest.mark.django_db

ROWS = {"content": "Tid\r\n2015\r\n", "manifest": '{"parameters":{"k":10},"columns":["Tid"],"utility":{"rows":1}}'}
REFUSED = {"refused": "too-coarse", "manifest": '{"parameters":{"k":10}}'}


def put() -> None:
    PublishedFile.objects.create(year=2015, sha256="a" * 64, published_on=date(2016, 2, 1), **ROWS)
    PublishedFile.objects.create(year=2014, published_on=date(2015, 1, 15), **REFUSED)


def test_every_year_that_has_a_file_or_is_refused_one_is_listed_in_order():
    put()
    refused, file = published_files.files()
    assert (refused.year, refused.refused, refused.columns, refused.sha256) == (2014, "too-coarse", (), "")
    assert (file.year, file.refused, file.columns, file.utility) == (2015, "", ["Tid"], {"rows": 1})
    assert published_files.listed(2015) == file
    assert published_files.content(file) == ROWS["content"]


def test_the_list_reads_no_rows_and_not_who_published_them(django_assert_num_queries):
    put()
    with django_assert_num_queries(1) as queries:
        published_files.files()
    assert '"content"' not in queries[0]["sql"] and "published_by" not in queries[0]["sql"]


def test_a_year_that_was_refused_says_why_and_one_that_is_unknown_nothing():
    put()
    for year, why in ((2014, "too-coarse"), (2013, "")):
        with pytest.raises(NotPublished) as missing:
            published_files.listed(year)
        assert missing.value.refused == why


def test_a_file_that_only_waits_is_not_there():
    close()
    row_files.prepare_due(today=date(2017, 1, 15), limits=Limits(), rule=Parameters())
    assert PreparedFile.objects.get().percent == 100
    assert published_files.files() == []
    with pytest.raises(NotPublished):
        published_files.listed(YEAR)
