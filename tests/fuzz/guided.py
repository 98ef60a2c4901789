"""The process that runs a target's inputs for `coverage`, until libFuzzer or an input ends it.

``python -m tests.fuzz.guided TARGET SEED FOLDER OPTIONS…``, the options being libFuzzer's. Changes
are those of `mutate` and those of libFuzzer. It goes on after an exception and leaves a note of it.
Nothing of convtool is imported before atheris can follow its lines.
"""

import hashlib
import resource
import signal
import sys
import traceback
import warnings
from pathlib import Path
from random import Random

SEEDS = 60
ADDRESSES = 4 << 30
SECONDS = 30
"""How long one of the first inputs may take; libFuzzer watches those that come after."""


def main() -> None:
    """Fuzz in this process, which libFuzzer ends."""
    import atheris

    name, seed, place = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    signal.signal(signal.SIGALRM, _hangs)
    folder = place / f"work-{seed}"
    folder.mkdir()
    with atheris.instrument_imports(include=["convtool"]):
        from .mutate import mutated
        from .targets import TARGETS

        target = TARGETS[name]
        seeds = [target.make(Random(seed << 48 | number)) for number in range(SEEDS)]
        for number, data in enumerate(seeds):
            (place / "inputs" / f"seed-{seed}-{number}").write_bytes(data)
            signal.alarm(SECONDS)
            _try(target, data, folder, place)
        signal.alarm(0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # libFuzzer would leave it to another's handler

    def change(data, size, number):
        rng = Random(number)
        if rng.random() < 0.5:
            return atheris.Mutate(data, size)
        return mutated(rng, data, seeds)[:size]

    arguments = [sys.argv[0], *sys.argv[4:]]
    atheris.Setup(arguments, lambda data: _try(target, data, folder, place), custom_mutator=change)
    atheris.Fuzz()


def _hangs(number, frame):
    raise TimeoutError(f"more than {SECONDS} seconds")


def _try(target, data, folder, place):
    """Run an input; leave a note of an exception, with the shortest input of each kind."""
    try:
        target.run(data, folder)
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        kind = f"{type(error).__name__} in {Path(frame.filename).name}:{frame.name}"
        note = place / f"note-{hashlib.sha256(kind.encode()).hexdigest()[:12]}"
        if not note.exists() or len(note.read_bytes()) > len(data):
            note.write_bytes(data)
            words = "".join(traceback.format_exception(error))
            note.with_name(f"trace-{note.name}").write_text(f"{kind}\n{words}", errors="replace")


if __name__ == "__main__":
    main()
