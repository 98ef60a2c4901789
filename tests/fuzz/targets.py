"""What is fuzzed: each target makes an input from a generator and runs it.

An input is bytes, so that one that fails can be kept as a file. A run raises only what is wrong:
errors that convtool raises on purpose are answers.
"""

import io
import json
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

from corpus.case import Shows
from corpus.cases import CASES

from .doors import file_of, make_door, read_door
from .mutate import LARGEST, mutated, mutated_text
from .parsers import PARSERS

MAX_PIXELS = 1_000_000
"""More would only make the inputs slower; the limit itself is tested with the corpus."""


@dataclass(frozen=True)
class Target:
    """Something that takes input from outside.

    ``make`` returns an input; ``run`` takes it, in a folder of its own.
    """

    name: str
    ending: str
    share: int
    make: Callable[[Random], bytes]
    run: Callable[[bytes, Path], None]


# Pictures.

_WHOLE: list[bytes] = []
_BROKEN: list[bytes] = []
_LARGE = ("gigabyte", "thousands", "60000-pages", "200000-frames", "endless-comment", "all-strips")


def _gather():
    """Collect the corpus's files, all but those that are slow to make."""
    for case in CASES.values():
        if not any(word in case.name for word in _LARGE) and 0 < len(case.data) <= LARGEST // 2:
            (_WHOLE if isinstance(case.expect, Shows) else _BROKEN).append(case.data)


def make_picture(rng: Random) -> bytes:
    if not _WHOLE:
        _gather()
    data = rng.choice(_WHOLE if rng.random() < 0.8 else _BROKEN)
    return mutated(rng, data, _WHOLE)


def read_picture(data: bytes, folder: Path) -> None:
    from convtool.errors import ImageReadError
    from convtool.images.read import read

    path = folder / "picture"
    path.write_bytes(data)
    with suppress(ImageReadError):
        read(path, max_pixels=MAX_PIXELS)


# Kernels.

_TEXTS = (
    "identity", "box:size=9", "box:size=3x5", "gaussian:sigma=2,size=15", "disk:radius=9",
    "motion:length=9,angle=30", "cross", "sobel:scale=1/4", "scharr-vertical", "laplacian-8",
    "unsharp:amount=2,sigma=1,size=5", "log:sigma=2", "dog:sigma=1,ratio=1.6,size=9",
    "gabor:wavelength=4,angle=30,sigma=2,aspect=0.5,phase=90,size=9", "emboss:normalize=abs",
    "3x3:0,-1,0,-1,5,-1,0,-1,0", "1x3:1,0,-1,scale=2", "2x2:1/2,1e-3,.5,7,normalize=sum",
    "kernel.csv", "kernel.npy:scale=2", "kernel.json:normalize=abs",
)  # fmt: skip


def make_spec(rng: Random) -> bytes:
    return mutated_text(rng, rng.choice(_TEXTS), _TEXTS).encode("utf-8", "surrogateescape")


def parse_spec(data: bytes, folder: Path) -> None:
    from convtool.errors import KernelError
    from convtool.kernels.spec import parse

    with suppress(KernelError):
        parse(data.decode("utf-8", "surrogateescape"))


_NPY = b"\x93NUMPY\1\0v\0" + (
    b"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }".ljust(117) + b"\n"
) + bytes(range(32))  # fmt: skip
_KERNEL_FILES = (
    (".csv", b"1,2,1\n2,4,2\n1,2,1\n"),
    (".csv", b"# edge\r\n-1;0;1\r\n"),
    (".txt", b"1 0 -1\n2 0 -2\n1 0 -1\n"),
    (".txt", b"1/3 1/3 1/3"),
    (".json", b"[[1, 2], [3, 4.5]]"),
    (".json", b'{"kernel": [[1e3, -2], [0, 1]], "scale": 0.5}'),
    (".npy", _NPY),
)


def make_kernel_file(rng: Random) -> bytes:
    """Return the ending of a kernel file, a line break, and its contents."""
    ending, data = rng.choice(_KERNEL_FILES)
    contents = mutated(rng, data, [other for _, other in _KERNEL_FILES])
    return ending.encode() + b"\n" + contents


def read_kernel_file(data: bytes, folder: Path) -> None:
    from convtool.errors import KernelError
    from convtool.kernels.spec import parse

    path = file_of(data, folder / "kernel")
    with suppress(KernelError):
        parse(str(path))


# Options.

COMMANDS = ("filter", "kernels", "svd", "compare")
_NOT_HERE = {"--plot", "--html", "--compare", "--help", "--jobs", "--timeout"}
"""What starts a browser's page, a plot or processes: too slow to be tried a thousand times."""
_FILES = ("grey.pgm", "colour.ppm", "alpha.pam", "wide.pgm", "broken.png", "missing.png", "-")
_TARGETS = ("out.png", "out.tif", "out.jpg", "out.xyz", "out", "-", "grey.pgm", "sub/out.png")
_VALUES = (
    "0", "1", "2", "3", "-1", "1,2", "0,0", "2,", "1e9", "nan", "inf", "99999999999999999999", "",
    "8", "16", "float", "keep", "auto", "direct", "separable:rank=2", "fft", "opencv", "scipy",
    "reflect", "wrap", "constant", "full", "valid", "abs", "stretch", "offset", "out.json", "-",
    "5,20", "50%", "0.5", "1/3", "١", "a\tb", "📷",
    "1,1,3,2", "-2,0,5,9", "0,0,99,99", "R,G", "L", "A", "grey.pgm", "wide.pgm", "colour.ppm",
)  # fmt: skip


def _options(command):
    """Return the (names, takes a value, choices) of each option of a command."""
    import click

    from convtool.cli import root

    found = root.get_command(click.Context(root), command)
    return [
        (option.opts[0], not option.is_flag, getattr(option.type, "choices", ()))
        for option in found.params
        if isinstance(option, click.Option) and not _NOT_HERE & set(option.opts)
    ]


def make_arguments(rng: Random) -> bytes:
    command = rng.choice(COMMANDS)
    arguments = ["--kernel", rng.choice(_TEXTS[:15])] if command == "filter" else []
    for name, takes_value, choices in rng.choices(_options(command), k=rng.randrange(5)):
        arguments.append(name)
        if takes_value:
            values = choices if choices and rng.random() < 0.7 else _VALUES
            arguments.append(str(rng.choice(list(values))))
    for _ in range(rng.choice((1, 2, 2, 2, 2, 3))):
        arguments.append(rng.choice(_FILES))
    if rng.random() < 0.7:
        arguments[-1] = rng.choice(_TARGETS)
    if rng.random() < 0.3:
        place = rng.randrange(len(arguments))
        changed = mutated_text(rng, arguments[place], _VALUES)
        arguments[place] = changed.replace("/", "").replace("numba", "").replace("~", "")
    return json.dumps([command, *arguments]).encode()


def _files_for_arguments(folder):
    files = {
        "grey.pgm": b"P5 9 7 255\n" + bytes(range(63)),
        "colour.ppm": b"P6 4 5 255\n" + bytes(range(60)),
        "alpha.pam": b"P7\nWIDTH 3\nHEIGHT 2\nDEPTH 4\nMAXVAL 255\nENDHDR\n" + bytes(range(24)),
        "wide.pgm": b"P5 40 1 65535\n" + bytes(80),
        "broken.png": b"\x89PNG\r\n\x1a\n\0\0",
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)


def run_arguments(data: bytes, folder: Path) -> None:
    from convtool.cli import run

    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    _files_for_arguments(folder)
    os.chdir(folder)
    printed, said = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
    stdin, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(b"P5 2 1 255\n\1\2"))
    try:
        with redirect_stdout(printed), redirect_stderr(said):
            code = run(json.loads(data))
            said.flush()
            words = said.buffer.getvalue().decode()
    finally:
        sys.stdin = stdin
    if code not in (0, 1, 2):
        raise AssertionError(f"ends with {code}")
    # A batch has a line for each picture that failed.
    if code and "convtool: error: " not in words and "convtool: differs: " not in words:
        raise AssertionError(f"ends with {code} and says {words!r}")


TARGETS = {
    target.name: target
    for target in (
        Target("picture", ".bin", 16, make_picture, read_picture),
        Target("door", ".bin", 4, make_door, read_door),
        Target("spec", ".txt", 4, make_spec, parse_spec),
        Target("kernel-file", ".bin", 3, make_kernel_file, read_kernel_file),
        Target("arguments", ".json", 1, make_arguments, run_arguments),
        *(Target(one.name, ".bin", 1, one.make, one.run) for one in PARSERS),
    )
}


def input_of(seed: int, number: int) -> tuple[Target, bytes]:
    """Return what is the input of a number; a function of the two alone."""
    rng = Random(seed << 48 | number)
    shares = [target.share for target in TARGETS.values()]
    (target,) = rng.choices(list(TARGETS.values()), shares)
    return target, target.make(rng)
