"""Grids as text."""

import numpy as np
import pytest

from convtool.errors import OptionError
from convtool.nn.gridsearch.axes import Axis, combinations, parse_axis, size


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("nesterov=true,false", "nesterov", (True, False)),
        ("lr=1e-5:1e1:7log", "lr", (1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0)),
        ("momentum=0:0.9:4lin", "momentum", (0.0, 0.3, 0.6, 0.9)),
        ("batch-size=16:64:4LIN", "batch_size", (16, 32, 48, 64)),
        ("epochs=1:100:3log", "epochs", (1, 10, 100)),
        ("l2=0.1:0.1:1log", "l2", (0.1,)),
        ("optimizer = sgd , adam", "optimizer", ("sgd", "adam")),
        ("dropout=0,0.5", "dropout", (0.0, 0.5)),
        ("arch=small,compact", "arch", ("small", "compact")),
    ],
)
def test_axis(text, name, values):
    axis = parse_axis(text)
    assert axis.name == name
    assert axis.values == pytest.approx(values) if name == "momentum" else axis.values == values
    assert all(type(a) is type(b) for a, b in zip(axis.values, values, strict=True))


def test_powers_of_ten_are_exact():
    values = parse_axis("lr=1e-5:1e1:7log").values
    assert values == tuple(float(f"1e{n}") for n in range(-5, 2))
    assert np.allclose(np.diff(np.log10(values)), 1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("lr", "NAME=START:STOP:COUNTlog"),
        ("lr=", "a value is missing; the grid would be empty"),
        ("lr=0.1,,0.2", "a value is missing"),
        ("rate=1", "'rate' is none of epochs, batch-size"),
        ("lr=a,b", "'a' is not a number"),
        ("lr=nan", "not a finite number"),
        ("lr=0:1:3log", "above 0 at both ends"),
        ("lr=1:2:0lin", "0 values; from 1 to 10000"),
        ("lr=1:2:99999999999999lin", "values; from 1 to 10000"),
        ("lr=1:2:3", "'1:2:3' is not a number"),
        ("epochs=1.5", "'1.5' is not a whole number"),
        ("epochs=1:2:5lin", "there twice"),
        ("lr=1,1.0", "there twice"),
        ("schedule=a:b:3log", "its values are words"),
        ("nesterov=maybe", "'maybe' is not true or false"),
    ],
)
def test_what_is_no_axis(text, says):
    with pytest.raises(OptionError, match=says):
        parse_axis(text)


def test_combinations():
    axes = [Axis("lr", (1.0, 2.0)), Axis("optimizer", ("sgd", "adam")), Axis("l2", (0.0,))]
    assert size(axes) == 4
    assert combinations(axes) == [
        {"lr": lr, "optimizer": rule, "l2": 0.0} for lr in (1.0, 2.0) for rule in ("sgd", "adam")
    ]


def test_no_axis_and_one_axis_twice():
    with pytest.raises(OptionError, match="empty grid"):
        combinations([])
    with pytest.raises(OptionError, match="there twice: lr, lr"):
        combinations([Axis("lr", (1.0,)), Axis("lr", (2.0,))])
