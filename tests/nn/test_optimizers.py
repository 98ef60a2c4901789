"""What the optimisers do beyond their compiled step."""

import numpy as np
import pytest

from convtool.nn import optimizers
from convtool.nn.compiled.rules import covers
from convtool.nn.losses import CrossEntropy
from convtool.nn.recipe import SETTINGS, Recipe


def test_nesterov_looks_ahead():
    params, gradient = {"w": np.array([1.0])}, {"w": np.array([0.5])}
    rule = optimizers.Momentum(0.1, momentum=0.9, nesterov=True)
    rule.step(params, gradient)
    rule.step(params, gradient)
    # v = 0.5, 0.95; p = 1 - 0.1 (0.5 + 0.9 * 0.5) - 0.1 (0.5 + 0.9 * 0.95)
    assert params["w"][0] == pytest.approx(1 - 0.095 - 0.1355)


def test_clipping_scales_all_gradients_together():
    params = {"a": np.zeros(1), "b": np.zeros(1), "frozen": np.zeros(1)}
    rule = optimizers.SGD(1.0)
    rule.clip = 2.0
    trained = {name: params[name] for name in "ab"}
    rule.step(trained, {"a": np.array([6.0]), "b": np.array([8.0]), "frozen": np.array([99.0])})
    np.testing.assert_allclose([params["a"][0], params["b"][0]], [-1.2, -1.6])
    rule.step(trained, {"a": np.array([0.6]), "b": np.array([0.8])})
    np.testing.assert_allclose([params["a"][0], params["b"][0]], [-1.8, -2.4])


def test_what_is_not_compiled_takes_the_readable_step():
    rule = optimizers.Momentum()
    assert covers(CrossEntropy(), rule)
    rule.clip = 1.0
    assert not covers(CrossEntropy(), rule)
    assert not covers(CrossEntropy(), optimizers.Momentum(nesterov=True))


@pytest.mark.parametrize("name", optimizers.OPTIMIZERS)
def test_a_recipe_sets_what_its_optimizer_has(name):
    chosen = {"momentum": 0.5, "nesterov": True, "rho": 0.8, "beta1": 0.7, "beta2": 0.95}
    rule = Recipe(optimizer=name, clip=3.0, **chosen).make_optimizer()
    assert rule.clip == 3.0
    assert {field: getattr(rule, field) for field in SETTINGS[name]} == {
        field: chosen[field] for field in SETTINGS[name]
    }


def test_a_fresh_one_has_the_settings_and_no_memory():
    rule = optimizers.Adam(0.3, beta1=0.5)
    rule.clip = 2.0
    rule.step({"w": np.zeros(2)}, {"w": np.ones(2)})
    fresh = rule.fresh()
    assert (fresh.lr, fresh.beta1, fresh.clip, fresh.steps) == (0.3, 0.5, 2.0, 0)
    assert fresh.state == {"mean": {}, "squares": {}}
    assert rule.steps == 1
