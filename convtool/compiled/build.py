"""Build the library of compiled functions: Numba's optimised code, linked by the C compiler.

`build` is what the installation calls. Each family of processors is compiled in processes of its
own, since the sources write vectors for one family; a process takes a share of the functions. Their
objects are linked with a stub for the few symbols of Numba's runtime that are left, which no
function reaches. Run as a module, this is one such process.

References
----------
The LLVM target machine with position-independent code makes objects that any loader can place:
LLVM Language Reference and https://llvmlite.readthedocs.io, "Target machine".
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

from convtool.compiled import library
from convtool.compiled.families import FAMILIES
from convtool.compiled.functions import FUNCTIONS, Types, all_functions, symbol
from convtool.compiled.target import host

STUB = """\
/* Numba's reference counts: nothing here is counted, so that none reaches zero. */
void NRT_MemInfo_call_dtor(void *memory) { (void)memory; }
"""

PROBE = """\
/* The x86-64 level of the processor: 4, 3, or 1 for any below. */
int convtool_level(void) {
    __builtin_cpu_init();
    int three = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
        && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    int four = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vl");
    return three ? (four ? 4 : 3) : 1;
}
"""

TIMEOUT = 1800
"""Seconds after which a process that compiles is given up."""


class BuildError(Exception):
    """Why no library was built."""


def families() -> tuple[str, ...]:
    """Return the families that are built on this machine."""
    is_x86 = platform.machine().lower() in ("x86_64", "amd64")
    return tuple(FAMILIES) if is_x86 else ("native",)


def compiler() -> list[str]:
    """Return the command of the C compiler.

    Raises
    ------
    BuildError
        If there is none.
    """
    for name in (*os.environ.get("CC", "").split()[:1], "cc", "gcc", "clang"):
        found = shutil.which(name)
        if found:
            return [found, *os.environ.get("CC", "").split()[1:]]
    raise BuildError("there is no C compiler; install one, such as gcc")


def _run(command: Sequence[str | Path]) -> None:
    try:
        done = subprocess.run(
            [str(part) for part in command],
            capture_output=True,
            check=False,
            text=True,
            timeout=TIMEOUT,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(f"{command[0]}: {error}") from error
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()[-8:]
        raise BuildError("\n".join([f"{command[0]} ended with {done.returncode}:", *lines]))


def _compile_all(
    place: Path, names: Sequence[str], workers: int, say: Callable[[str], None]
) -> None:
    """Compile the functions for each family, in ``workers`` processes at once."""
    shares = max(1, workers // len(names))
    waiting = [(name, share) for share in range(shares) for name in names]
    path = [str(Path(__file__).parents[2]), *(entry for entry in sys.path if entry)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
    running: list[tuple[str, subprocess.Popen[str]]] = []

    def finish(name: str, process: subprocess.Popen[str]) -> None:
        _, errors = process.communicate(timeout=TIMEOUT)
        if process.returncode:
            lines = errors.strip().splitlines()[-8:]
            raise BuildError("\n".join([f"compiling for {name} failed:", *lines]))

    try:
        while waiting or running:
            while waiting and len(running) < workers:
                name, share = waiting.pop(0)
                count = f"{share + 1} of {shares}" if shares > 1 else "all"
                say(f"compiling for {name} ({count})")
                command = [sys.executable, "-m", __name__, str(place), name]
                process = subprocess.Popen(
                    [*command, str(share), str(shares)],
                    env=environment,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    text=True,
                )
                running.append((name, process))
            finish(*running[0])
            running.pop(0)
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"compiling took more than {TIMEOUT} s") from error
    finally:
        for _, process in running:
            process.kill()
            process.communicate()


def build(target: Path, say: Callable[[str], None] = print, workers: int | None = None) -> None:
    """Build the library into a folder, which is replaced by a whole one or stays as it is.

    Parameters
    ----------
    target : Path
        The folder; see :data:`~.library.FOLDER`.
    say : callable
        Is told what is done.
    workers : int, optional
        Processes at once; as many as cores by default.

    Raises
    ------
    BuildError
        If it cannot be built; the folder is then not changed.
    """
    names = families()
    command = [*compiler(), "-shared", "-fPIC", "-O2", "-s"]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".build-", dir=target.parent) as temporary:
        place = Path(temporary)
        made = place / "built"
        made.mkdir()
        _compile_all(place, names, workers or cores or 1, say)
        (place / "stub.c").write_text(STUB)
        (place / "probe.c").write_text(PROBE)
        files = []
        if names != ("native",):
            files.append(made / library.file_name(library.PROBE))
            _run([*command, "-o", files[0], place / "probe.c"])
        for name in names:
            say(f"linking {library.file_name(name)}")
            files.append(made / library.file_name(name))
            objects = sorted((place / name).glob("*.o"))
            _run([*command, "-o", files[-1], *objects, place / "stub.c", "-lm", "-lpthread"])
            _check(files[-1], name)
        sums = [_sum_line(file.name, file.read_bytes()) for file in files]
        (made / library.SUMS).write_text(
            "\n".join([f"# sources {library.sources_digest()}", *sums, ""]), encoding="ascii"
        )
        old = place / "old"
        if target.exists():
            target.rename(old)
        made.rename(target)


def take(source: Path, target: Path) -> None:
    """Copy a library that was built from the present sources, instead of building it once more.

    Parameters
    ----------
    source, target : Path
        The folder that it was built into, and the one that it is copied to.

    Raises
    ------
    BuildError
        If there is none, if it was built from other sources, or if a file is damaged.
    """
    try:
        first, *lines = (source / library.SUMS).read_text(encoding="ascii").splitlines()
        files = {name: (source / name).read_bytes() for name in (line[66:] for line in lines)}
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise BuildError(f"{source} holds no built library: {error}") from error
    if first != f"# sources {library.sources_digest()}":
        raise BuildError(f"the library in {source} was built from other sources")
    damaged = [name for name, data in files.items() if _sum_line(name, data) not in lines]
    if damaged or not files:
        raise BuildError(f"the library in {source} is damaged: {', '.join(damaged) or 'no files'}")
    shutil.copytree(source, target, dirs_exist_ok=True)


def _sum_line(name: str, data: bytes) -> str:
    return f"{sha256(data).hexdigest()}  {name}"


def _check(file: Path, family: str) -> None:
    """Raise an error if a library does not load, or lacks a function."""
    names = [symbol(*function) for function in all_functions(FAMILIES.get(family) or host())]
    code = (
        "import ctypes, os, sys\n"
        "handle = ctypes.CDLL(sys.argv[1], mode=os.RTLD_NOW)\n"
        "for name in sys.argv[2:]: getattr(handle, name)\n"
    )
    _run([sys.executable, "-c", code, file, *names])


def write_objects(place: Path, family: str, share: int, shares: int) -> None:
    """Compile every ``shares``-th function for a family and write its object."""
    from convtool.compiled import target

    target.build_for(family)
    from convtool.compiled.objects import Objects

    folder = place / family
    folder.mkdir(exist_ok=True)
    objects = Objects(target.current())
    for name, types in _share(family, share, shares):
        data = objects.compile(name, types)
        (folder / f"{symbol(name, types)}.o").write_bytes(data)


def _share(family: str, share: int, shares: int) -> list[tuple[str, Types]]:
    """Return the functions of a share; those of one module stay together, for their helpers."""
    modules = sorted(
        {FUNCTIONS[name].module for name, _ in all_functions(FAMILIES.get(family) or host())}
    )
    mine = set(modules[share::shares])
    return [
        each
        for each in all_functions(FAMILIES.get(family) or host())
        if FUNCTIONS[each[0]].module in mine
    ]


if __name__ == "__main__":
    write_objects(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
