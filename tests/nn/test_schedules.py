"""How the learning rate changes."""

import numpy as np
import pytest

from convtool.nn.schedules import SCHEDULES


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_factor_is_from_0_to_1_and_ends_no_higher(name):
    factors = [SCHEDULES[name](progress) for progress in np.linspace(0, 1, 101)]
    assert min(factors) >= 0
    assert max(factors) == pytest.approx(1, abs=1e-3)
    assert factors[-1] <= 1


@pytest.mark.parametrize(
    ("name", "factors"),
    [
        ("exponential", [1, 10**-0.5, 0.1, 10**-1.5, 0.01]),
        ("warm-restarts", [1, 0.5 * (1 + np.cos(np.pi * 0.375)), 0.5 * (1 + np.cos(np.pi / 8))]),
        ("one-cycle", [0.04, 0.93569]),
    ],
)
def test_factors_at_quarters(name, factors):
    found = [SCHEDULES[name](progress) for progress in (0, 0.25, 0.5, 0.75, 1)]
    np.testing.assert_allclose(found[: len(factors)], factors, rtol=1e-3)


def test_a_plateau_lowers_the_rate_after_five_epochs_each():
    plateau = SCHEDULES["plateau"]
    losses = [2.0, 1.0, *[1.0] * 4]
    assert plateau(0.1, losses) == 1
    assert plateau(0.1, [*losses, 1.5]) == pytest.approx(0.1)
    assert plateau(0.1, [*losses, *[1.5] * 6]) == pytest.approx(0.01)
    assert plateau(0.1, [*losses, 1.5, 0.5]) == pytest.approx(0.1)
