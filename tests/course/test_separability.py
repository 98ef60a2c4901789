"""Separability and noise gain as the sources teach them, from the command line."""

import json

import pytest
from processes import finished


def shown(spec):
    done = finished("kernels", spec)
    assert done.returncode == 0, done.stderr
    return [" ".join(line.split()) for line in done.stdout.decode().splitlines()]


@pytest.mark.parametrize(
    ("spec", "factors", "gain"),
    [
        ("sobel-vertical", "(1 2 1)ᵀ (-1 0 1)", "12"),
        ("box", "1/3 (1 1 1)ᵀ 1/3 (1 1 1)", "1/9 = 0.111111"),
        ("gaussian", "1/4 (1 2 1)ᵀ 1/4 (1 2 1)", "9/64 = 0.140625"),
    ],
)
def test_factors_and_noise_gain_are_printed(spec, factors, gain):
    lines = shown(spec)
    assert f"factors {factors}" in lines
    assert f"noise gain {gain} (of the variance of white noise)" in lines


def test_a_kernel_that_is_not_separable_has_no_factors():
    lines = shown("laplacian-4")
    assert "separable no" in lines
    assert not any(line.startswith("factors") for line in lines)
    assert "noise gain 20 (of the variance of white noise)" in lines


def test_report_has_factors_and_noise_gain_of_each_kernel():
    report = json.loads(finished("kernels", "sobel", "--json").stdout)
    horizontal, vertical = report["facts"]
    assert horizontal["factors"] == {"column": [-1, 0, 1], "row": [1, 2, 1]}
    assert vertical["factors"] == {"column": [1, 2, 1], "row": [-1, 0, 1]}
    (box,) = json.loads(finished("kernels", "box", "--json").stdout)["facts"]
    assert box["factors"] == {"column": [1 / 3] * 3, "row": [1 / 3] * 3}
    assert box["noise_gain"] == 1 / 9
    (laplacian,) = json.loads(finished("kernels", "laplacian-8", "--json").stdout)["facts"]
    assert laplacian["factors"] is None
    assert laplacian["noise_gain"] == 72


def test_a_noise_gain_beyond_float64_is_null():
    (huge,) = json.loads(finished("kernels", "1x2:1e200,1e200", "--json").stdout)["facts"]
    assert huge["noise_gain"] is None
