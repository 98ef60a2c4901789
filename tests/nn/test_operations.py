"""The table of a step's operations against the functions, and how programs of them run."""

import numpy as np
import pytest

from convtool import compiled, nn
from convtool.compiled.functions import FUNCTIONS
from convtool.convolution import threads
from convtool.errors import OptionError
from convtool.nn.jit import operations, widths
from convtool.nn.jit.program import Programs


def test_every_operation_is_built():
    others = {"nn_run_program", "nn_warp"}
    built = {name for name in FUNCTIONS if name.startswith("nn_")} - others
    assert built == {f"nn_{name}" for name in operations.OPERATIONS}


def test_a_row_is_an_address_and_the_fields_in_order():
    found = operations.row("clear", last=48, first=16)
    assert found == [compiled.address("nn_clear"), 16, 48]
    assert operations.column("clear", "first") == 1
    with pytest.raises(TypeError, match="'last'"):
        operations.row("clear", first=0)
    with pytest.raises(TypeError, match="'marks'"):
        operations.row("clear", first=0, last=16, marks=32)


def test_a_tile_keeps_its_sums_in_registers():
    """Sums, the fewer of its rows and vectors, and one more are at most the registers there are."""
    registers = 32 if widths.width() == 16 else 16
    for vectors, rows in enumerate(widths.max_rows()):
        assert vectors * rows + min(vectors, rows) + 1 <= registers


def _chain(count):
    """Return a memory and programs in which each thread copies what the one before it wrote.

    All rows but the copy are barriers.
    """
    unit = widths.width()
    memory = np.zeros((count + 1) * unit, np.float32)
    memory[:unit] = np.arange(unit)
    tables = []
    for thread in range(count):
        table = np.zeros((2 * count + 1, 16), np.int64)
        fields = {"rows": 1, "first": 0, "last": unit, "source_row": unit, "target_row": 1}
        place = {"source": thread * unit, "target": (thread + 1) * unit, "block": unit}
        copy = operations.row("transpose", **fields, **place)
        table[2 * thread, : len(copy)] = copy
        tables.append(table)
    return memory, tables


@pytest.mark.parametrize("count", [1, 2, 5, 70])
def test_threads_wait_for_each_other_at_barriers(count):
    memory, tables = _chain(count)
    programs = Programs(memory, tables)
    unit = widths.width()
    for _ in range(20):
        memory[unit:] = 0
        programs.run()
        assert memory.reshape(count + 1, unit).tolist() == [list(range(unit))] * (count + 1)


def _steps(threads=None, count=3):
    """Train a small network; return it, its losses, and all that it has learned."""
    rng = np.random.default_rng(1)
    layers = [
        nn.Conv2D(1, 4, 3, padding="same", rng=0),
        nn.BatchNorm(4),
        nn.ReLU(),
        nn.MaxPool2D(2),
        nn.Flatten(),
        nn.Dense(64, 5, rng=0),
    ]
    model = nn.Sequential(layers, (1, 8, 8), threads=threads)
    loss, rule = nn.losses.CrossEntropy(), nn.optimizers.Adam(0.01)
    x, y = rng.normal(size=(9, 1, 8, 8)).astype("float32"), rng.integers(0, 5, 9)
    losses = [model.train_step(x, y, loss, rule) for _ in range(count)]
    return model, losses, [value.tobytes() for value in model.parameters().values()]


@pytest.mark.parametrize("count", [1, 3, 12, 70])
def test_a_step_uses_the_threads_of_the_environment_and_gives_the_same_bits(monkeypatch, count):
    monkeypatch.setenv(threads.VARIABLE, str(count))
    model, *learned = _steps()
    (ready, programs), *_ = model._plan._programs.values()
    assert model._plan.threads == len(ready.tables) == len(programs) == count
    shares = [(program.first, program.last) for program in programs]
    assert shares == [(9 * n // count, 9 * (n + 1) // count) for n in range(count)]
    assert list(_steps()[1:]) == learned
    monkeypatch.setenv(threads.VARIABLE, "2")
    assert list(_steps(count)[1:]) == learned


def test_the_threads_change_no_output():
    x = np.random.default_rng(2).normal(size=(9, 1, 8, 8)).astype("float32")
    one, three, many = (_steps(count, 0)[0].outputs(x).tobytes() for count in (1, 3, 70))
    assert one == three == many


def test_the_number_of_threads_follows_the_environment(monkeypatch):
    monkeypatch.setenv(threads.VARIABLE, "3")
    model = _steps()[0]
    x, y = np.zeros((6, 1, 8, 8), "float32"), np.arange(6) % 5
    monkeypatch.setenv(threads.VARIABLE, "4")
    model.train_step(x, y, nn.losses.CrossEntropy(), nn.optimizers.SGD())
    assert model._plan.threads == 4
    monkeypatch.setenv(threads.VARIABLE, "many")
    with pytest.raises(OptionError, match=threads.VARIABLE):
        model.train_step(x, y, nn.losses.CrossEntropy(), nn.optimizers.SGD())
    with pytest.raises(OptionError, match="threads must be a whole number from 1 to 1024"):
        _steps(1025)
