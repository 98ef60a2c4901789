"""The table of a step's operations against the functions, and how programs of them run."""

import numpy as np
import pytest

from convtool import compiled, nn
from convtool.compiled import threadpool
from convtool.compiled.functions import FUNCTIONS
from convtool.convolution import threads
from convtool.errors import OptionError
from convtool.nn.compiled.plan import threads_of
from convtool.nn.jit import operations, widths
from convtool.nn.jit.program import MOST_THREADS, Programs


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


@pytest.mark.parametrize("count", [1, 2, 5])
def test_threads_wait_for_each_other_at_barriers(count):
    memory, tables = _chain(count)
    programs = Programs(memory, tables)
    unit = widths.width()
    for _ in range(20):
        memory[unit:] = 0
        programs.run()
        assert memory.reshape(count + 1, unit).tolist() == [list(range(unit))] * (count + 1)


def test_the_environment_sets_the_number_of_threads(monkeypatch):
    model = nn.Sequential([nn.Dense(4, 2, rng=0)], (4,))
    monkeypatch.setenv(threads.VARIABLE, "3")
    assert threads_of(model) == 3
    monkeypatch.setenv(threads.VARIABLE, "12")
    assert threads_of(model) == 12
    x, y = np.zeros((6, 4), "float32"), np.arange(6) % 2
    model.train_step(x, y, nn.losses.CrossEntropy(), nn.optimizers.SGD())
    assert model._plan.threads == 12
    monkeypatch.setenv(threads.VARIABLE, "many")
    with pytest.raises(OptionError, match=threads.VARIABLE):
        threads_of(model)


def test_a_network_may_ask_for_threads_of_its_own(monkeypatch):
    monkeypatch.setenv(threads.VARIABLE, "3")
    layers = [nn.Dense(4, 2, rng=0)]
    assert threads_of(nn.Sequential(layers, (4,), threads=2)) == 2
    assert (
        threads_of(nn.Sequential(layers, (4,), threads=500)) == MOST_THREADS == threadpool.MOST + 1
    )
