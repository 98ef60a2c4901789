"""The layers of a network: names, counts checked by hand, costs."""

import numpy as np
import pytest

from convtool import nn
from convtool.errors import ModelError
from convtool.nn.architectures import build_layers
from convtool.nn.inspection.layers import find_convolution, find_layer, layer_names, layer_table


def table(arch, shape, outputs=1):
    return {
        row.name: row
        for row in layer_table(nn.Sequential(build_layers(arch, shape, outputs, 0), shape))
    }


class TestHandCounts:
    """Parameters counted by hand: filters times (their taps and a bias), and the like."""

    rows = table("catdog", (1, 96, 96))

    @pytest.mark.parametrize(
        ("name", "trained", "fixed"),
        [
            ("conv1", 32 * (3 * 3 * 1 + 1), 0),
            ("conv2", 64 * (3 * 3 * 32 + 1), 0),
            ("conv3", 128 * (3 * 3 * 64 + 1), 0),
            ("dense1", (18432 + 1) * 64, 0),
            ("batchnorm1", 2 * 64, 2 * 64),
            ("relu1", 0, 0),
            ("maxpool1", 0, 0),
            ("flatten1", 0, 0),
        ],
    )
    def test_of_each_layer(self, name, trained, fixed):
        assert (self.rows[name].trained, self.rows[name].fixed) == (trained, fixed)

    def test_are_the_well_known_numbers(self):
        counts = [self.rows[name].trained for name in ("conv1", "conv2", "conv3", "dense1")]
        assert counts == [320, 18_496, 73_856, 1_179_712]
        norm = self.rows["batchnorm1"]
        assert norm.trained + norm.fixed == 256

    def test_of_colour(self):
        assert table("conv 10 5x5", (3, 32, 32))["conv1"].trained == 760

    def test_of_dropout_are_none(self):
        row = table("conv 4 3x3, dropout 0.3", (1, 8, 8))["dropout1"]
        assert (row.trained, row.fixed) == (0, 0)

    def test_of_fixed_filters_are_not_trainable(self):
        model = nn.Sequential(build_layers("conv 2 3x3, relu", (1, 8, 8), 2, 0, np.ones((2, 3, 3))))
        model.input_shape = (1, 8, 8)
        row = layer_table(model)[0]
        assert (row.trained, row.fixed) == (0, 20)


def test_multiply_adds_and_memory_are_of_one_picture():
    rows = table("conv 4 5x3, pool 2, dense 7", (2, 12, 10), 3)
    conv, pool, dense = rows["conv1"], rows["maxpool1"], rows["dense1"]
    assert conv.output == (4, 8, 8)
    assert conv.multiply_adds == 4 * 8 * 8 * (5 * 3 * 2)
    assert conv.memory == 4 * 8 * 8 * 4
    assert (pool.multiply_adds, pool.memory) == (0, 4 * 4 * 4 * 4)
    assert dense.multiply_adds == 64 * 7


def test_a_layer_is_found_by_name_and_number():
    model = nn.Sequential([nn.Conv2D(1, 2, 3), nn.ReLU(), nn.Conv2D(2, 3, 3), nn.BatchNorm(3)])
    assert layer_names(model) == ["conv1", "relu1", "conv2", "batchnorm1"]
    assert [find_layer(model, name) for name in ("conv1", "Conv2", " relu1 ", "4")] == [0, 2, 1, 3]
    assert find_convolution(model)[0] == 0
    assert find_convolution(model, "3")[0] == 2


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("covn2", "did you mean conv2 or conv1"),
        ("batchnorm2", "did you mean batchnorm1"),
        ("0", "there are conv1, relu1, conv2, batchnorm1"),
        ("5", "there are conv1"),
        ("x", "there are conv1"),
    ],
)
def test_a_name_that_is_not_there_gets_the_nearest(name, says):
    model = nn.Sequential([nn.Conv2D(1, 2, 3), nn.ReLU(), nn.Conv2D(2, 3, 3), nn.BatchNorm(3)])
    with pytest.raises(ModelError, match=says):
        find_layer(model, name)


def test_what_has_no_filters_is_refused():
    model = nn.Sequential([nn.Flatten(), nn.Dense(4, 2)])
    with pytest.raises(ModelError, match="no convolution, and so no filters"):
        find_convolution(model)
    with pytest.raises(ModelError, match="dense1 has no filters, it is a Dense"):
        find_convolution(model, "dense1")
    with pytest.raises(ModelError, match="does not say what shape"):
        layer_table(model)
