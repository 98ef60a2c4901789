"""In programs: Ctrl-C, threads of a server, forked and spawned processes."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import ndimage

import convtool
from convtool.convolution import threads
from convtool.convolution.engines import ENGINES

KERNEL = np.array([[1.0, -2.0, 3.0], [4.0, 0.5, -1.0], [2.0, 5.0, 1.0]])

LONG_CALL = """
import os, sys, time
import numpy as np
import convtool
engine, side, taps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = np.random.default_rng(7)
image = rng.integers(0, 256, (side, side), np.uint8)
kernel = rng.normal(size=(taps, taps))
convtool.correlate(image[:400, :400], kernel, engine=engine)
print("begins", flush=True)
try:
    convtool.correlate(image, kernel, engine=engine)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    sys.exit(130)
print("done", flush=True)
"""

SOON = 4.0
"""Seconds in which a call ends that is interrupted: one, and what a busy machine adds."""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for one process")
@pytest.mark.parametrize("engine", ENGINES)
def test_an_interrupt_ends_a_long_call_soon(engine):
    """Each of these calls takes longer than `SOON` by itself; transforms need more pixels."""
    side, taps = {"numba-fft": (14000, 200), "scipy": (9000, 61)}.get(engine, (9000, 121))
    command = [sys.executable, "-c", LONG_CALL, engine, str(side), str(taps)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout.readline() == "begins\n"
        time.sleep(0.7)
        assert child.poll() is None
        sent = time.monotonic()
        child.send_signal(signal.SIGINT)
        assert child.stdout.readline() == "interrupted\n"
        child.wait(timeout=60)
        assert child.returncode == 130
        assert time.monotonic() - sent < SOON
    finally:
        child.kill()
        child.stdout.close()
        child.wait()


class TestInterruptible:
    def test_short_work_stays_in_its_thread(self):
        seen = []
        threads.interruptible(lambda: seen.append(threading.current_thread()), 0.0)
        assert seen == [threading.current_thread()]

    def test_long_work_leaves_the_main_thread(self):
        seen = []
        threads.interruptible(lambda: seen.append(threading.current_thread()), 10.0)
        assert seen != [threading.current_thread()]

    def test_other_threads_do_their_work_themselves(self):
        seen = []

        def other():
            threads.interruptible(lambda: seen.append(threading.current_thread()), 10.0)

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert seen == [thread]

    def test_an_error_surfaces(self):
        def fail():
            raise LookupError("here")

        with pytest.raises(LookupError, match="here"):
            threads.interruptible(fail, 10.0)

    @pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for one process")
    @pytest.mark.parametrize("workers", [1, 3])
    def test_an_interrupt_ends_the_items(self, workers):
        done, begun = [], threading.Event()

        def task(number):
            begun.set()
            time.sleep(0.01)
            done.append(number)

        def interrupt():
            begun.wait()
            os.kill(os.getpid(), signal.SIGINT)

        other = threading.Thread(target=interrupt)
        other.start()
        with pytest.raises(KeyboardInterrupt):
            threads.interruptible(lambda: threads.for_each(task, range(10000), workers), 10.0)
        other.join()
        count = len(done)
        assert count < 10000
        time.sleep(0.1)
        assert len(done) == count

    def test_compiled_work_is_told(self):
        stop, told = threads.Stop(), []
        with stop.telling(lambda: told.append("first")):
            stop.ask()
        with stop.telling(lambda: told.append("second")):
            pass
        stop.ask()
        assert told == ["first", "second"]


class TestServers:
    """Many threads that call at once, each with its own shapes: no answer is another's."""

    def test_many_threads(self, rng):
        images = [rng.normal(size=(20 + n, 30 + n % 7)) for n in range(60)]
        batch = rng.normal(size=(40, 16, 16))
        ready = convtool.prepare(KERNEL, (40, 16, 16), float, axes=(1, 2))
        expected = [ndimage.convolve(image, KERNEL) for image in images]
        of_batch = ndimage.convolve(batch, KERNEL, axes=(1, 2))

        def serve(number):
            answer = convtool.convolve(images[number], KERNEL)
            np.testing.assert_allclose(answer, expected[number], rtol=1e-10, atol=1e-10)
            np.testing.assert_allclose(ready(batch), of_batch, rtol=1e-10, atol=1e-10)

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(serve, [*range(60)] * 5))


@pytest.mark.slow
@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_processes(method):
    code = (
        "import multiprocessing, sys, numpy as np\n"
        "from functools import partial\n"
        "import convtool\n"
        "if __name__ == '__main__':\n"
        f"    kernel = np.array({KERNEL.tolist()})\n"
        "    images = np.random.default_rng(5).normal(size=(30, 64, 64))\n"
        "    work = partial(convtool.convolve, kernel=kernel, axes=(1, 2), border='wrap')\n"
        "    before = work(images)\n"
        f"    with multiprocessing.get_context({method!r}).Pool(3) as pool:\n"
        "        answers = pool.map(work, [images] * 6)\n"
        "    assert all(np.array_equal(answer, before) for answer in answers)\n"
        "    print('equal')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.stdout == "equal\n", done.stderr
