"""Records: made, compared, changed, shown and sent as frozen dataclasses are."""

import inspect
import pickle
from dataclasses import asdict, dataclass, fields
from dataclasses import replace as standard_replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convtool.records import Record, names_of, replace


class Size(Record):
    width: int
    height: int = 1
    unit: str = "px"


class Whole(Record):
    name: str
    sizes: tuple[Size, ...] = ()
    more: Size = Size(7)


class Itself(Record, eq=False):
    number: int


class Checked(Record):
    number: int = 0

    def __post_init__(self):
        if self.number < 0:
            raise ValueError("negative")


@dataclass(frozen=True)
class Peer:
    width: int
    height: int = 1
    unit: str = "px"


VALUES = st.lists(st.integers(0, 3), max_size=4)
NAMED = st.dictionaries(st.sampled_from(["width", "height", "unit", "depth"]), st.integers(0, 3))


@given(VALUES, NAMED)
def test_records_take_what_dataclasses_take(values, named):
    try:
        peer = Peer(*values, **named)
    except TypeError:
        with pytest.raises(TypeError):
            Size(*values, **named)
    else:
        record = Size(*values, **named)
        assert vars(record) == vars(peer)
        assert repr(record) == repr(peer).replace("Peer", "Size")
        assert hash(record) == hash(peer)


@pytest.mark.parametrize(
    ("values", "named", "words"),
    [
        ((1, 2, "m", 4), {}, "has 3 fields, 4 were given"),
        ((1,), {"width": 2}, "'width' was given twice"),
        ((1,), {"depth": 2}, "'depth' is unknown"),
        ((), {"unit": "m"}, "'width' is missing"),
    ],
)
def test_what_is_wrong_is_said(values, named, words):
    with pytest.raises(TypeError, match=words):
        Size(*values, **named)


def test_fields_without_a_default_come_first():
    with pytest.raises(TypeError, match="come first"):

        class Wrong(Record):
            first: int = 0
            second: int


def test_equality_is_of_one_class_and_its_values():
    assert Size(1) == Size(1, 1) != Size(2)
    assert Size(1) != Peer(1)
    assert len({Size(1), Size(1, 1), Size(2)}) == 2


def test_a_record_that_equals_itself_alone():
    one, other = Itself(1), Itself(1)
    assert one == next(iter({one}))
    assert one != other
    assert len({one, other, one}) == 2


def test_a_record_cannot_be_changed():
    size = Size(1)
    with pytest.raises(AttributeError, match="replace"):
        size.width = 2
    with pytest.raises(AttributeError, match="replace"):
        del size.width
    assert size == Size(1)


def test_replace_makes_another_and_checks_it():
    assert replace(Size(1, 2), unit="m") == Size(1, 2, "m")
    with pytest.raises(TypeError, match="unknown"):
        replace(Size(1), depth=2)
    with pytest.raises(ValueError, match="negative"):
        replace(Checked(), number=-1)


def test_the_functions_of_dataclasses_take_records():
    assert [one.name for one in fields(Size)] == ["width", "height", "unit"]
    assert standard_replace(Size(1), unit="m") == Size(1, unit="m")


def test_asdict_goes_into_records_and_what_holds_them():
    whole = Whole("a", (Size(1), Size(2, unit="m")))
    plain = {"width": 7, "height": 1, "unit": "px"}
    assert asdict(whole) == {
        "name": "a",
        "sizes": (plain | {"width": 1}, plain | {"width": 2, "unit": "m"}),
        "more": plain,
    }


def test_records_cross_to_other_processes():
    whole = Whole("a", (Size(1),))
    assert pickle.loads(pickle.dumps(whole)) == whole


def test_names_and_signature_are_those_of_the_fields():
    assert names_of(Size) == ("width", "height", "unit")
    assert str(inspect.signature(Size)) == str(inspect.signature(Peer))
