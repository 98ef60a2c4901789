"""JSON of strangers: each value once, finite, and of its type."""

import pytest

from convtool.jsontext import parse, record_of
from convtool.records import Record


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[" * 200_000, "nested too deeply|Expecting"),
        ("[" * 200_000 + "]" * 200_000, "nested too deeply"),
        ('{"a":' * 200_000 + "1" + "}" * 200_000, "nested too deeply"),
        ("1" * 100_000, "digits"),
        ("-" + "1" * 100_000, "digits"),
        ("1e999", "too large"),
        ("1" * 100_000 + ".5", "too large"),
        ("NaN", "NaN, which is no number"),
        ("[-Infinity]", "-Infinity, which is no number"),
        ('{"a": 1, "b": 2, "a": 3}', "the key 'a' is there twice"),
        ('{"x": {"\\u0061": 1, "a": 1}}', "the key 'a' is there twice"),
        (b"\xff", "codec can't decode"),
        ("", "Expecting value"),
    ],
)
def test_what_is_refused(text, says):
    with pytest.raises(ValueError, match=says):
        parse(text)


def test_what_is_read():
    assert parse(b'{"a": [1, -2.5, null, true, "\\u00e9"]}') == {"a": [1, -2.5, None, True, "é"]}
    assert parse("1e-999") == 0
    assert parse("[NaN]", finite=False)[0] != 0
    with pytest.raises(ValueError, match="twice"):
        parse('{"a": 1, "a": 1}', finite=False)


class Sample(Record):
    name: str
    count: int
    share: float | None
    more: dict[str, int] = {}  # noqa: RUF012
    done: bool = False


WHOLE = {"name": "a", "count": 1, "share": None}


@pytest.mark.parametrize(
    "change",
    [
        {"name": 1},
        {"name": None},
        {"count": 1.5},
        {"count": True},
        {"count": 10**400},
        {"share": "1"},
        {"share": 10**400},
        {"share": True},
        {"more": []},
        {"done": 1},
        {"unknown": 1},
    ],
)
def test_records_have_the_types_of_their_fields(change):
    assert record_of(Sample, WHOLE).more == {}
    assert record_of(Sample, WHOLE | {"share": 2, "more": {"a": 1}, "done": True}).share == 2
    with pytest.raises(TypeError):
        record_of(Sample, WHOLE | change)


@pytest.mark.parametrize("values", [None, [], "a", {"name": "a"}])
def test_what_is_no_record(values):
    with pytest.raises(TypeError):
        record_of(Sample, values)
