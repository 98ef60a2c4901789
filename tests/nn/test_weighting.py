"""How much classes and pictures count, and what the loss makes of it."""

import numpy as np
import pytest

from convtool.errors import DatasetError, OptionError
from convtool.nn.losses import CrossEntropy
from convtool.nn.weighting import Weighted, class_weights, parse_class_weights, sample_weights


def test_a_weighted_loss_is_that_of_repeated_pictures():
    rng = np.random.default_rng(0)
    outputs, labels = rng.standard_normal((5, 3)), np.array([0, 2, 1, 1, 0])
    copies = np.array([1, 3, 0, 2, 2])
    loss, gradient = Weighted(CrossEntropy(), copies * 5 / 8).evaluate(outputs, labels)
    whole, rows = CrossEntropy().evaluate(outputs.repeat(copies, 0), labels.repeat(copies))
    assert loss == pytest.approx(whole)
    first = np.repeat(np.arange(5), copies)
    expected = np.zeros_like(outputs)
    np.add.at(expected, first, rows)
    np.testing.assert_allclose(gradient, expected)


def test_balanced_classes_count_the_same():
    labels = np.repeat([0, 1, 2], [10, 30, 60])
    weights = class_weights("balanced", "abc", labels)
    np.testing.assert_allclose(weights * np.bincount(labels), [100 / 3] * 3)


def test_named_classes_keep_their_ratio_and_the_mean_1():
    labels = np.repeat([0, 1], [10, 30])
    weights = class_weights("b=2", "ab", labels)
    assert weights[1] == 2 * weights[0]
    assert weights[labels].mean() == pytest.approx(1)
    assert class_weights("none", "ab", labels) is None


@pytest.mark.parametrize("text", ["", "a", "a=0", "a=-1", "a=inf", "=2", "a=1,,b=2"])
def test_what_is_no_weight_is_refused(text):
    with pytest.raises(OptionError, match="write NAME=WEIGHT"):
        parse_class_weights(text)


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ([1, 2], "one number for each"),
        ([1, -1, 1], "negative"),
        ([1, np.nan, 1], "not finite"),
        ([0, 0, 0], "zero"),
        (["a", "b", "c"], "must be numbers"),
    ],
)
def test_sample_weights_are_checked(weights, says):
    with pytest.raises(DatasetError, match=says):
        sample_weights(weights, 3)
