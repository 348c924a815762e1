"""Headers of a good answer, and the 304 to a reader who has it already."""

import pytest

DATA = "/tables/caller_role_3-gender-pilot/data"
WHOLE = {"valuecodes[gender]": "*", "valuecodes[ContentsCode]": "*", "valuecodes[Tid]": "*"}


@pytest.mark.parametrize("where", ["/config", "/tables", "/tables/total-month", "/tables/total-month/metadata", DATA])
def test_an_answer_may_be_kept_by_its_reader_alone_and_asked_for_again(evaluator, where):
    response = evaluator.get(where)
    assert response["Content-Type"] == "application/json; charset=UTF-8"
    assert response["Cache-Control"] == "private, no-cache"
    assert {"Authorization", "Origin", "Cookie"} <= set(response["Vary"].split(", "))
    assert not response.has_header("Last-Modified") and response["ETag"].startswith('"')


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
@pytest.mark.parametrize("method", ["get", "head"])
def test_who_has_it_gets_a_304_without_a_body(evaluator, form, method):
    etag = evaluator.get(DATA, WHOLE)["ETag"]
    response = evaluator._call(method, DATA, WHOLE, headers={"If-None-Match": form.format(etag)})
    assert response.status_code == 304 and response.content == b"" and response["ETag"] == etag
    assert response["Cache-Control"] == "private, no-cache" and "Authorization" in response["Vary"]


@pytest.mark.parametrize("form", ["", '"other"', "nonsense", "other"])
def test_who_has_something_else_gets_the_whole(evaluator, form):
    response = evaluator.get(DATA, WHOLE, headers={"If-None-Match": form})
    assert response.status_code == 200 and len(response.content) > 500


def test_a_post_is_answered_in_full(evaluator):
    etag = evaluator.post(DATA, {})["ETag"]
    response = evaluator.post(DATA, {}, headers={"If-None-Match": etag})
    assert response.status_code == 200 and response["ETag"] == etag


def test_conditions_that_do_not_concern_reading_change_nothing(evaluator):
    headers = {"If-Match": '"other"', "If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT", "Range": "bytes=0-5"}
    assert evaluator.get(DATA, headers=headers).content == evaluator.get(DATA).content


def test_the_etag_follows_what_is_asked_and_not_how(evaluator):
    first = evaluator.get(DATA, WHOLE)["ETag"]
    same = [WHOLE | {"lang": "SV"}, WHOLE | {"outputFormat": "JSON-stat2"}, WHOLE | {"unknown": "1"}]
    same += [{key.upper(): value for key, value in WHOLE.items()}, WHOLE | {"valuecodes[gender]": "m,k,a,_u,_t"}]
    other = [WHOLE | {"lang": "en"}, WHOLE | {"outputFormat": "csv"}, WHOLE | {"valuecodes[gender]": "m"}]
    other += [WHOLE | {"stub": "Tid"}, WHOLE | {"outputFormat": "csv", "outputFormatParams": "UseTexts"}, {}]
    assert {evaluator.get(DATA, query)["ETag"] for query in same} == {first}
    etags = [evaluator.get(DATA, query)["ETag"] for query in other]
    assert first not in etags and len(set(etags)) == len(other)


def test_a_head_has_the_headers_of_its_get(evaluator):
    head, get = evaluator._call("head", DATA, WHOLE), evaluator.get(DATA, WHOLE)
    assert head.status_code == 200 and head.content == b""
    for name in ("Content-Type", "ETag", "Content-Length", "Content-Disposition", "Content-Language"):
        assert head[name] == get[name]
