"""What a cluster of worker processes does a second, and what Dask costs for each task.

Run ``python benchmarks/cluster.py`` (``pip install 'convtool[cluster]'``). It draws its own
pictures, filters them with one worker and with two in turns, and prints medians: pictures a second,
seconds of one picture, the scheduler's overhead for a task that does nothing, and the bytes that a
chunk's order and its results are. From these follows how many workers a folder needs.

``--huge SIDE`` filters one RGB picture of that many rows and columns instead, a Zarr array of
chunks of 512×512, block by block: by one process, by one worker and by two in turns.
"""

import argparse
import math
import os
import statistics
import tempfile
import time
from contextlib import ExitStack
from functools import partial

import numpy as np

from convtool.convolution import calibration
from convtool.distributed import filter_files, local_cluster
from convtool.distributed.huge.run import divided
from convtool.distributed.pictures import _Order
from convtool.distributed.task_pool import TaskPool
from convtool.filtering.job import FilterJob
from convtool.filtering.memory import FilterOptions
from convtool.filtering.strips.inputs import StoreOptions
from convtool.filtering.strips.job import filter_stream
from convtool.images.write import write
from convtool.kernels.spec import parse
from convtool.work.naming import Task

IDLE_TASKS = 1000


def nothing(number):
    """Be a task that does nothing."""
    return number


def drawn(folder, count, height, width):
    """Write a few different pictures and name ``count`` of them."""
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 256, (8, height // 8, width // 8, 3), dtype=np.uint8)
    names = []
    for number in range(count):
        name = os.path.join(folder, f"{number}.jpg")
        if number < len(coarse):
            write(name, coarse[number].repeat(8, 0).repeat(8, 1))
        else:
            os.link(names[number % len(coarse)], name)
        names.append(name)
    return names


def seconds_of(client, tasks, job):
    """Return how long it takes to filter these pictures."""
    began = time.perf_counter()
    for task, done in filter_files(tasks, job, client):
        if done.error is not None:
            raise SystemExit(f"{task.source}: {done.error}")
    return time.perf_counter() - began


def overhead(client):
    """Return the seconds that a task costs the scheduler, many at a time."""
    began = time.perf_counter()
    client.gather(client.map(nothing, range(IDLE_TASKS), pure=False))
    return (time.perf_counter() - began) / IDLE_TASKS


def moved(client, job, tasks):
    """Return the bytes of an order and of the results for these pictures."""
    from distributed.protocol import pickle

    from convtool.distributed.pictures import _work

    order = _Order(job, False, calibration.load(), os.getcwd())
    chunk = list(enumerate(tasks))
    results = client.submit(_work, order, chunk, pure=False).result()
    return len(pickle.dumps((order, chunk))), len(pickle.dumps(results))


def huge(side, kernel, rounds):
    """Filter one picture by one process, one worker and two; print the medians."""
    import zarr

    job, taken = FilterJob((parse(kernel),)), {"one process, all threads": [], "1 worker": []}
    taken |= {"one process, 1 thread": [], "2 workers": []}
    single = FilterJob(job.kernels, FilterOptions(threads=1))
    options = StoreOptions(overwrite=True)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        source, target = os.path.join(folder, "in.zarr"), os.path.join(folder, "out.zarr")
        chunks = (512, 512, 3)
        made = zarr.create_array(source, shape=(side, side, 3), chunks=chunks, dtype="u1")
        noise = np.random.default_rng(7).integers(0, 8, (512, side, 3), np.uint8)
        for top in range(0, side, 512):
            made[top : top + 512] = noise[: side - top] + np.uint8(top // 512 % 32 * 7)
        clients = {count: stack.enter_context(local_cluster(count)) for count in (1, 2)}

        def by(count):
            facts = partial(TaskPool.facts, clients[count])
            with divided(source, target, job, options, facts) as work:
                work.over(clients[count])
                work.finish()

        ways = {
            "one process, all threads": lambda: filter_stream(source, target, job, options),
            "one process, 1 thread": lambda: filter_stream(source, target, single, options),
            "1 worker": lambda: by(1),
            "2 workers": lambda: by(2),
        }
        for way in ways.values():
            way()
        for _ in range(rounds):
            for name, way in ways.items():
                began = time.perf_counter()
                way()
                taken[name].append(time.perf_counter() - began)
    print(f"{side}×{side} RGB, {kernel}, {rounds} rounds")
    for name, times in taken.items():
        seconds = statistics.median(times)
        print(f"{name}: {seconds:.2f} s, {seconds / side**2 * 1e9:.1f} ns a pixel")


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--size", default="480x640", help="height x width")
    parser.add_argument("--kernel", default="gaussian:sigma=3")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--huge", type=int, metavar="SIDE")
    asked = parser.parse_args()
    if asked.huge:
        huge(asked.huge, asked.kernel, asked.rounds)
        return
    height, width = map(int, asked.size.split("x"))
    job = FilterJob((parse(asked.kernel),))
    taken = {1: [], 2: []}
    idle = []
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        names = drawn(folder, asked.pictures, height, width)
        tasks = [Task(name, f"{name}.png") for name in names]
        clients = {count: stack.enter_context(local_cluster(count)) for count in taken}
        for client in clients.values():
            seconds_of(client, tasks[:20], job)
        for _ in range(asked.rounds):
            for count, client in clients.items():
                taken[count].append(seconds_of(client, tasks, job))
            idle.append(overhead(clients[2]))
        order, results = moved(clients[1], job, tasks[:10])
    one, two = (statistics.median(taken[count]) for count in taken)
    each = one / asked.pictures
    print(f"{asked.pictures} pictures of {asked.size}, {asked.kernel}, {asked.rounds} rounds")
    for count, times in taken.items():
        rate = asked.pictures / statistics.median(times)
        print(f"{count} workers: {rate:.1f} pictures a second")
    print(f"two are {one / two:.2f} times as fast as one")
    print(f"a picture costs {each * 1e3:.2f} ms of a worker")
    print(f"a task costs the scheduler {statistics.median(idle) * 1e3:.2f} ms")
    print(f"10 pictures move {order} bytes to a worker and {results} back")
    task, day, pictures = statistics.median(idle), 86400, 1e9
    workers, together = pictures * each / day, pictures * task / (day / 2)
    traffic = pictures * (order + results) / 10 / day
    print(
        f"1e9 pictures in a day: {math.ceil(workers)} workers, {math.ceil(together)} pictures a "
        f"task, {traffic / 1e6:.1f} MB/s through the scheduler"
    )


if __name__ == "__main__":
    main()
