"""Turns, medians and quartiles, by a clock that the tests wind."""

import gc

import pytest

from convtool.bench.timing import FEWEST_SLOW, MOST, Timing, interleave, quartiles


class Clock:
    """A clock that moves only when a contender works."""

    def __init__(self):
        self.now = 0.0
        self.turns = []

    def __call__(self):
        return self.now

    def contender(self, name, seconds):
        """Return a call that takes these seconds, one after the other, the last for ever."""
        left = list(seconds)

        def run():
            self.now += left.pop(0) if len(left) > 1 else left[0]
            self.turns.append((name, gc.isenabled()))

        return run


def test_statistics_are_the_known_ones():
    timing = Timing((4.0, 1.0, 3.0, 2.0, 10.0))
    assert timing.median == 3.0
    assert timing.quartiles == (2.0, 4.0)
    assert timing.spread == pytest.approx(2 / 3)
    assert quartiles((7.0,)) == (7.0, 7.0)


def test_contenders_take_turns_beginning_with_another_each_round():
    clock = Clock()
    calls = {name: clock.contender(name, [1.0]) for name in "abc"}
    interleave(calls, rounds=3, clock=clock)
    names = "".join(name for name, _ in clock.turns)
    assert names == "abc" + "aabbcc" + "bbccaa" + "ccaabb"


def test_first_calls_are_not_counted_and_garbage_waits():
    clock = Clock()
    slow_start = clock.contender("a", [100.0, 50.0, 1.0, 50.0, 2.0, 50.0, 3.0])
    timings = interleave({"a": slow_start}, rounds=3, clock=clock)
    assert timings["a"].seconds == (1.0, 2.0, 3.0)
    assert not any(enabled for _, enabled in clock.turns)
    assert gc.isenabled()


def test_garbage_is_collected_again_after_an_error():
    def broken():
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        interleave({"a": broken}, rounds=1)
    assert gc.isenabled()


def test_quick_contender_is_called_several_times_in_a_turn():
    clock = Clock()
    timings = interleave({"a": clock.contender("a", [2**-11])}, rounds=2, clock=clock)
    assert timings["a"].seconds == (2**-11, 2**-11)
    assert len(clock.turns) == 1 + 2 * (1 + 5)


@pytest.mark.parametrize(
    ("seconds", "budget", "rounds"),
    [(0.01, 0.1, 10), (0.01, 100.0, MOST), (0.02, 0.05, 5), (1.0, 0.5, FEWEST_SLOW)],
)
def test_budget_decides_the_rounds(seconds, budget, rounds):
    clock = Clock()
    timings = interleave({"a": clock.contender("a", [seconds])}, budget=budget, clock=clock)
    assert len(timings["a"].seconds) == pytest.approx(rounds, abs=1)
