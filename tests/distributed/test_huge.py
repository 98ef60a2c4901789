"""One picture on real local clusters, block by block: the bytes of one process in any case."""

import errno
import os
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path

import dask
import numpy as np
import psutil
import pytest
import tifffile
import zarr

from convtool.convolution import calibration
from convtool.convolution.planner import DEFAULT_RATES, Calibration, Rate
from convtool.distributed import local_cluster
from convtool.distributed.huge import run, work
from convtool.distributed.huge.targets import ToTiff, ToZarr
from convtool.distributed.task_pool import TaskPool
from convtool.errors import (
    ClusterError,
    ConvtoolError,
    ImageReadError,
    ImageTooLargeError,
    ImageWriteError,
    OptionError,
    WorkerError,
)
from convtool.filtering import execution
from convtool.filtering.execution import Machine
from convtool.filtering.job import FilterJob
from convtool.filtering.memory import FilterOptions
from convtool.filtering.strips.job import filter_stream
from convtool.filtering.strips.options import StoreOptions
from convtool.images.options import ReadOptions, WriteOptions
from convtool.images.stores import picture
from convtool.kernels.spec import parse
from convtool.work.run import Interrupted

HEIGHT, WIDTH = 230, 90


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch, tmp_path):
    """A few rows at a time, in a folder of its own."""
    monkeypatch.setattr(execution, "STEP_BYTES", 1 << 14)
    monkeypatch.setattr(picture, "BAND_BYTES", 1)
    monkeypatch.chdir(tmp_path)


def noise(kind="rgb"):
    rng = np.random.default_rng(5)
    shape = (HEIGHT, WIDTH)
    if kind == "nan":
        made = rng.normal(size=shape).astype(np.float32)
        made[200, 5] = np.nan
        return made
    if kind == "clear":
        made = rng.integers(0, 256, (*shape, 4), np.uint8)
        made[:180, :, 3] = 255
        return made
    if kind == "planes":
        return rng.integers(0, 65536, (2, *shape), np.uint16)
    return rng.integers(0, 256, (*shape, 3), np.uint8)


def store(kind="rgb"):
    """Write a picture; return its name."""
    pixels = noise(kind)
    if kind == "planes":
        made = zarr.create_array("in.zarr", shape=pixels.shape, chunks=(1, 32, 40), dtype="u2")
        made[:] = pixels
        return "in.zarr"
    how = {"photometric": "minisblack"} if pixels.ndim == 2 else {"photometric": "rgb"}
    if kind == "clear":
        how["extrasamples"] = ["unassalpha"]
    tiles = {"rowsperstrip": 11} if kind == "nan" else {"tile": (32, 48)}
    tifffile.imwrite("in.tif", pixels, metadata=None, **how, **tiles)
    return "in.tif"


def job_of(*kernels, writing=None, page=None, **options):
    filtering = FilterOptions(**options)
    return FilterJob(
        tuple(map(parse, kernels)), filtering, ReadOptions(page), writing or WriteOptions()
    )


def on_cluster(client, source, target, job, options=None, *, planned=None, **how):
    facts = partial(TaskPool.facts, client)
    with run.divided(source, target, job, options or StoreOptions(), facts) as made:
        if planned is not None:
            planned(made.plan)
        made.over(client, **how)
        return made.finish()


def contents(place):
    place = Path(place)
    if place.is_file():
        return place.read_bytes()
    files = (path for path in place.rglob("*") if path.is_file())
    return {str(path.relative_to(place)): path.read_bytes() for path in files}


CASES = {
    "chain": ("rgb", "out.tif", ["gaussian:sigma=2", "sharpen-5"], {"border": "wrap"}),
    "stretch": ("rgb", "out.zarr", ["laplacian-8"], {"range": "stretch", "stride": 2}),
    "stretched file": ("rgb", "out.btf", ["laplacian-8"], {"range": "stretch", "mode": "full"}),
    "direction": ("rgb", "out.zarr", ["gaussian", "sobel"], {"direction": True}),
    "not opaque": ("clear", "out.tif", ["gaussian:sigma=2"], {}),
    "not opaque in chunks": ("clear", "out.zarr", ["box:size=9", "sobel"], {"range": "stretch"}),
    "planes": ("planes", "out.zarr", ["gaussian:sigma=2"], {"range": "stretch"}),
    "plane": ("planes", "out.tif", ["unsharp"], {"page": 2, "padding": 3}),
    "ome": ("rgb", "out.ome.zarr", ["box"], {}),
    "flattened": ("clear", "out.tif", ["box"], {"writing": WriteOptions(background="white")}),
    "halo": ("rgb", "out.zarr", ["box:size=61", "box:size=61"], {}),
}


@pytest.mark.parametrize("case", CASES)
def test_the_bytes_are_those_of_one_process(client, case):
    kind, target, kernels, options = CASES[case]
    source, job = store(kind), job_of(*kernels, **options)
    first, second = f"one-{target}", f"two-{target}"
    here = filter_stream(source, first, job, StoreOptions())
    there = on_cluster(client, source, second, job)
    assert contents(second) == contents(first)
    assert there.target == here.target
    assert there.warnings == here.warnings
    assert there.clipped_share == here.clipped_share
    assert [step.plan.chosen for step in there.steps] == [step.plan.chosen for step in here.steps]
    assert not list(Path().glob("*.incomplete"))
    assert not list(Path().glob(".convtool-*"))


@pytest.mark.parametrize("target", ["out.tif", "out.zarr"])
def test_nan_where_transforms_are_taken(client, target, monkeypatch):
    """It stays within the kernel's reach, and no block is made twice for it."""
    source, job = store("nan"), job_of("gaussian:sigma=2,size=9", "box:size=5")
    restarted = []
    for kind in (ToTiff, ToZarr):
        monkeypatch.setattr(kind, "restart", _counted(kind.restart, restarted))
    transforms_win = dict.fromkeys(DEFAULT_RATES, Rate(1.0, 0, 0)) | {"numba-fft": Rate(0, 0, 0)}
    with calibration.held(Calibration(transforms_win)):
        filter_stream(source, f"one-{target}", job, StoreOptions())
        on_cluster(client, source, f"two-{target}", job)
    assert restarted == []
    assert contents(f"two-{target}") == contents(f"one-{target}")


def _counted(ordinary, calls):
    def restart(self, plane):
        calls.append(plane)
        ordinary(self, plane)

    return restart


@pytest.mark.parametrize("target", ["out.tif", "out.zarr"])
def test_smaller_levels_are_made_of_all_blocks(client, target):
    pixels = np.random.default_rng(1).integers(0, 256, (700, 530), np.uint8)
    tifffile.imwrite("in.tif", pixels, metadata=None, tile=(64, 64))
    job, options = job_of("gaussian"), StoreOptions(pyramid=True)
    filter_stream("in.tif", f"one-{target}", job, options)
    on_cluster(client, "in.tif", f"two-{target}", job, options)
    assert contents(f"two-{target}") == contents(f"one-{target}")


def test_every_block_is_told_and_the_cut_is_said(client):
    store()
    said, told = [], []
    on_cluster(
        client, "in.tif", "out.zarr", job_of("box:size=41"),
        planned=lambda plan: said.append(plan.execution.explained()),
        progress=lambda total: told.append(total) or told.append,
    )  # fmt: skip
    assert said == [
        "filtered in 4 blocks of 64 rows by 2 workers, about 40 at a time, with a halo of 40 rows"
    ]
    assert told[0] == sum(told[1:]) == HEIGHT * WIDTH
    assert sorted(told[1:]) == [38 * WIDTH, *[64 * WIDTH] * 3]


def test_blocks_are_cut_by_memory_and_for_a_long_halo():
    store()

    def said(kernel, workers=2, memory=None):
        facts = partial(tuple, (workers, memory))
        with run.divided("in.tif", "out.zarr", job_of(kernel), StoreOptions(), facts) as made:
            return made.plan.execution.explained()

    assert said("box:size=101").startswith("filtered in 2 blocks of 128 rows by 2 workers")
    assert said("box:size=101").endswith("larger, so that the halo is the smaller part")
    assert said("box").startswith("filtered in 4 blocks of 64 rows by 2 workers, about 15 at")
    few = int((execution.WORKER_BYTES + 171_000) / execution.WORKER_SHARE)
    assert "about 9 at a time" in said("box", memory=few)
    with pytest.raises(ImageTooLargeError, match=r"`worker_memory='221M'`, or .* is enough"):
        said("box", memory=execution.WORKER_BYTES)
    assert said("box", memory=221_000_000)


def test_what_was_interrupted_is_gone_on_with(client):
    source, job = store("planes"), job_of("laplacian-8", range="stretch")
    filter_stream(source, "one.zarr", job, StoreOptions())
    reading, writing = os.pipe()
    seen = []

    def stop_after(count):
        def tell(pixels):
            seen.append(pixels)
            if len(seen) == count:
                os.write(writing, b"!")

        return lambda total: tell

    with pytest.raises(Interrupted):
        on_cluster(client, source, "two.zarr", job, progress=stop_after(6), stop=reading)
    assert sorted(path.name for path in Path().glob("two*")) == ["two.zarr.incomplete"]
    with pytest.raises(ConvtoolError, match="other options"):
        on_cluster(client, source, "two.zarr", job_of("box"), StoreOptions(resume=True))
    totals = []
    outcome = on_cluster(
        client, source, "two.zarr", job, StoreOptions(resume=True),
        progress=lambda total: totals.append(total) or (lambda pixels: None),
    )  # fmt: skip
    assert contents("two.zarr") == contents("one.zarr")
    assert sum(totals) < 4 * HEIGHT * WIDTH - sum(seen[4:5])
    assert "went on with" in outcome.warnings[-1]


@pytest.mark.parametrize("first", ["cluster", "process"])
def test_either_goes_on_with_what_the_other_began(client, first, monkeypatch):
    source, job = store(), job_of("gaussian:sigma=2")
    filter_stream(source, "one.zarr", job, StoreOptions())
    resume = StoreOptions(resume=True)
    reading, writing = os.pipe()
    if first == "cluster":
        with pytest.raises(Interrupted):
            on_cluster(
                client, source, "two.zarr", job, stop=reading,
                progress=lambda total: lambda pixels: os.write(writing, b"!"),
            )  # fmt: skip
        filter_stream(source, "two.zarr", job, resume)
    else:
        with pytest.raises(KeyboardInterrupt):
            filter_stream(source, "two.zarr", job, StoreOptions(), progress=_interrupting)
        on_cluster(client, source, "two.zarr", job, resume)
    assert contents("two.zarr") == contents("one.zarr")


def _interrupting(total):
    def tell(pixels):
        raise KeyboardInterrupt

    return tell


@pytest.mark.parametrize("target", ["two.tif", "two.zarr"])
def test_a_worker_that_is_killed_costs_its_blocks_only(target):
    pixels = np.random.default_rng(0).integers(0, 256, (900, 700), np.uint8)
    tifffile.imwrite("in.tif", pixels, metadata=None, tile=(64, 64))
    job = job_of("disk:radius=12", engine="scipy")
    filter_stream("in.tif", target.replace("two", "one"), job, StoreOptions())
    with local_cluster(2) as client:
        victims = iter(list(client.run(os.getpid).values())[:1])

        def tell(pixels):
            for victim in victims:
                os.kill(victim, signal.SIGKILL)

        on_cluster(client, "in.tif", target, job, progress=lambda total: tell)
    assert contents(target) == contents(target.replace("two", "one"))
    assert not list(Path().glob("*.incomplete"))


def test_blocks_are_planned_so_that_they_fit_a_worker():
    made = zarr.create_array("in.zarr", shape=(3000, 3000), chunks=(500, 1000), dtype="f8")
    made[:] = np.add.outer(np.arange(3000.0), np.arange(3000.0) ** 2 % 97)
    job = job_of("box", "laplacian-8", range="abs", engine="separable")
    filter_stream("in.zarr", "one.zarr", job, StoreOptions())
    with local_cluster(1, memory_limit="360MiB") as client:
        on_cluster(client, "in.zarr", "two.zarr", job)
    assert contents("two.zarr") == contents("one.zarr")


def test_fewer_rows_at_once_are_planned_where_the_halo_alone_fills_a_worker():
    sizes = execution.Sizes(9000, 1 << 16, 1 << 14, 1 << 14, 600, 1)
    storage = execution.Storage(band=16)

    def step(memory):
        limit = int((execution.WORKER_BYTES + memory) / execution.WORKER_SHARE)
        machine = Machine(1 << 40, workers=2, worker_memory=limit)
        return execution.execution_of(execution.BLOCKS, sizes, storage, machine).step

    assert step(1 << 30) == 600
    assert 16 <= step(180 << 20) < 60
    with pytest.raises(ImageTooLargeError, match=r"needs \d+ MB of each worker, for 16 rows"):
        step(170 << 20)


def test_workers_without_memory_for_the_smallest_block_are_named(monkeypatch):
    store()
    monkeypatch.setattr(execution, "WORKER_BYTES", 0)
    with local_cluster(1) as client:
        (idle,) = client.run(lambda: psutil.Process().memory_info().rss).values()
    limit = int(idle / 0.95) + (4 << 20)  # it is ended at 95 % of that
    often = dask.config.set({"distributed.worker.memory.monitor-interval": "5ms"})
    with often, local_cluster(1, memory_limit=limit) as client:
        with pytest.raises(WorkerError, match=r"more memory than the \d+ MiB a worker may take"):
            on_cluster(client, "in.tif", "out.tif", job_of("box"))
        monkeypatch.setattr("convtool.distributed.task_pool._SECONDS_WITHOUT_WORKERS", 0)
        client.retire_workers()
        with pytest.raises(ClusterError, match="there is no worker for 0 s"):
            on_cluster(client, "in.tif", "out.tif", job_of("box"))
    assert [path.name for path in Path().iterdir()] == ["in.tif"]


def test_damage_that_a_worker_meets_is_named_and_nothing_is_written(client):
    store("planes")
    Path("in.zarr/c/1/3/1").write_bytes(b"nonsense")
    with pytest.raises(ImageReadError, match=r"in\.zarr: a chunk is damaged"):
        on_cluster(client, "in.zarr", "out.zarr", job_of("box"))
    assert [path.name for path in Path().iterdir()] == ["in.zarr"]


def test_a_picture_that_is_no_store_is_refused():
    Path("in.png").write_bytes(b"")
    with (
        pytest.raises(OptionError, match="can only be decoded as a whole"),
        run.divided("in.png", "out.zarr", job_of("box"), StoreOptions(), lambda: (1, None)),
    ):
        pass


CHANGED = {
    "version": (
        lambda order: replace(order, probe=replace(order.probe, versions={"convtool": "0.0.1"})),
        ClusterError,
        r"worker \d \(tcp://\S+\) has convtool \S+, not 0.0.1 as this machine",
    ),
    "probe": (
        lambda order: replace(order, probe=replace(order.probe, content=b"another")),
        ClusterError,
        r"workers do not share .*: worker \d \(tcp://\S+\) does not see a file",
    ),
    "identity": (lambda order: replace(order, identity="x"), ClusterError, "sees another picture"),
    "journal": (
        lambda order: replace(order, place=replace(order.place, fingerprint="x")),
        ImageWriteError,
        "no longer written by this run",
    ),
}


@pytest.mark.parametrize("case", CHANGED)
@pytest.mark.parametrize("target", ["out.tif", "out.zarr"])
def test_a_worker_refuses_what_it_does_not_find_as_told(client, case, target, monkeypatch):
    changed, error, words = CHANGED[case]
    store()
    ordinary = run._Blocks._order
    monkeypatch.setattr(run._Blocks, "_order", lambda *args: changed(ordinary(*args)))
    with pytest.raises(error, match=words):
        on_cluster(client, "in.tif", target, job_of("box"))
    assert not Path(target).exists()


def test_memory_that_a_block_does_not_get_is_named(client, monkeypatch):
    """The system refuses memory where a picture's blocks have more than 40 rows."""
    source = store()
    monkeypatch.setattr(execution, "BLOCKS_A_WORKER", 1)
    monkeypatch.setattr(run, "make", _make_if_small)
    with pytest.raises(WorkerError, match=r"rows \d+ to \d+ need more memory .* than was planned"):
        on_cluster(client, source, "two.zarr", job_of("gaussian"))


def _make_if_small(order, block):
    if block.first == 0:
        raise MemoryError
    if block.rows > 40:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")
    return work.make(order, block)
