"""Matrices as text: aligned, fractions tidy, long sides shortened."""

import numpy as np
import pytest

from convtool.report.matrix import common_denominator, matrix_lines, table


def test_columns_are_aligned():
    assert table([["a", "bb"], ["ccc", ""]]) == ["a    bb", "ccc"]
    assert table([["1", "-10"], ["-2", "3"]], right=True) == [" 1  -10", "-2    3"]


def test_integers_are_written_as_integers():
    assert matrix_lines(np.array([[-1.0, 0], [10, 2]])) == ["-1  0", "10  2"]


def test_common_denominator_stands_before_the_matrix():
    lines = matrix_lines(np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16)
    assert lines == [
        "        1  2  1",
        "1/16 ·  2  4  2",
        "        1  2  1",
    ]


@pytest.mark.parametrize(
    ("values", "denominator"),
    [([1 / 9, 2 / 9], 9), ([1 / 6, 1 / 4], 12), ([np.pi], None), ([1 / 4093, 1 / 4091], None)],
)
def test_denominator_is_the_least_and_small(values, denominator):
    assert common_denominator(np.array([values])) == denominator


def test_other_numbers_have_five_digits():
    assert matrix_lines(np.array([[0.204179555, 1e20, -1e-9]])) == ["0.20418  1e+20  -1e-09"]


def test_long_sides_are_shortened():
    lines = matrix_lines(np.ones((30, 40)))
    assert len(lines) == 17
    assert lines[0].split() == ["1"] * 8 + ["..."] + ["1"] * 8
    assert set(lines[8].split()) == {":"}
