"""Conditions: what a plan depends on, held still."""

from convtool.convolution import conditions, startup
from convtool.convolution.api import plan

SMALL = ((60, 80), "float32", "gaussian")


def test_fresh_workers_and_ready_ones_name_every_wait():
    for made in (conditions.of_fresh_workers(), conditions.with_all_ready()):
        assert dict(made.waits).keys() == startup.seconds().keys()


def test_plans_are_those_of_the_conditions_and_of_the_process_afterwards():
    before = startup.seconds()
    slow = conditions.Conditions(
        tuple((name, 0.0 if name == "scipy" else 99.0) for name in before),
        conditions.with_all_ready().rates,
    )
    with conditions.held(slow):
        assert plan(*SMALL).costs["direct"] > 99 > plan(*SMALL).costs["scipy"]
        with conditions.held(conditions.with_all_ready()):
            assert plan(*SMALL).costs["direct"] < 1
        assert plan(*SMALL).costs["direct"] > 99
    assert startup.seconds() == before
