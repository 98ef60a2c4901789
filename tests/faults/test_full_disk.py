"""No room: a clear error, exit code 1, the old file as it was, and no stray file."""

import os
from pathlib import Path

import numpy as np
import pytest
from corpus.run import at_once, convtool

from convtool.images.formats import FORMATS
from convtool.images.read import read
from convtool.images.write import write

OLD = np.arange(48, dtype=np.uint8).reshape(6, 8)
NOISE = np.random.default_rng(5).integers(0, 256, (400, 400, 3), np.uint8)
FILTER = ["filter", "-k", "identity"]
WRITTEN = {
    name: entry.extensions[0] for name, entry in FORMATS.items() if entry.can_hold(3, "uint8")
}


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "in.bmp", NOISE)
    return tmp_path


@pytest.fixture
def small(tmp_path, small_disk):
    """A file system of its own with little room."""
    return small_disk(tmp_path / "small", "size=64k")


def names(folder):
    return sorted(os.listdir(folder))


def refused(ending, target, reason):
    """Check that one line says which file could not be written, and why."""
    assert (ending.code, ending.hung, ending.printed) == (1, False, b"")
    assert ending.said.decode() == f"convtool: error: {target}: cannot be written: {reason}\n"


@pytest.mark.parametrize("ending", WRITTEN.values(), ids=list(WRITTEN))
@pytest.mark.parametrize("room", [900, 5000])
def test_a_limit_on_the_length_of_files(folder, ending, room):
    target = folder / f"out{ending}"
    target.write_bytes(b"old")
    options = ["--quantize"] if ending == ".gif" else []
    command = [*FILTER, *options, "in.bmp", target.name]
    refused(at_once([command], folder, file_bytes=room)[0], target.name, "File too large")
    assert target.read_bytes() == b"old"
    assert names(folder) == sorted(["in.bmp", target.name])


@pytest.mark.parametrize("ending", WRITTEN.values(), ids=list(WRITTEN))
def test_a_full_disk(folder, small, ending):
    write(small / f"out{ending}", NOISE[:6, :8], quantize=True)
    before = (small / f"out{ending}").read_bytes()
    options = ["--quantize"] if ending == ".gif" else []
    done = convtool([*FILTER, *options, "in.bmp", f"small/out{ending}"], folder, fork=True)
    refused(done, f"small/out{ending}", "No space left on device")
    assert (small / f"out{ending}").read_bytes() == before
    assert names(small) == [f"out{ending}"]


def test_a_disk_with_no_room_at_all(folder, small):
    write(small / "out.bmp", OLD)
    fill(small)
    write(folder / "in.bmp", OLD)
    done = convtool([*FILTER, "in.bmp", "small/out.bmp"], folder, fork=True)
    refused(done, "small/out.bmp", "No space left on device")
    np.testing.assert_array_equal(read(small / "out.bmp").pixels, OLD)


def fill(place):
    """Leave not a byte."""
    with open(place / "filler", "wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            return


def test_a_batch_writes_what_there_is_room_for(folder, small):
    (folder / "in").mkdir()
    for number in range(4):
        write(folder / "in" / f"small{number}.png", OLD + number)
    write(folder / "in" / "large.png", NOISE)
    done = convtool([*FILTER, "--jobs", "2", "in", "small"], folder)
    assert done.code == 1
    said = done.said.decode()
    assert said.count("convtool: error: ") == 1
    assert "small/large.png: cannot be written: No space left on device" in said
    assert "5 pictures: 4 done, 1 failed" in said
    assert names(small) == [f"small{number}.png" for number in range(4)]
    for number in range(4):
        np.testing.assert_array_equal(read(small / f"small{number}.png").pixels, OLD + number)


@pytest.mark.parametrize("room", [0, 4096])
def test_a_journal_without_room_stops_the_batch_and_is_still_one(folder, small, room):
    (folder / "in").mkdir()
    for number in range(40):
        write(folder / "in" / f"{number:02}.png", OLD)
    fill(small)
    os.truncate(small / "filler", (small / "filler").stat().st_size - room)
    command = [*FILTER, "--journal", "small/journal", "in", "out/"]
    done = convtool(command, folder)
    assert done.code == 1
    words = "small/journal: the journal cannot be written: No space left on device"
    assert f"convtool: error: {words}" in done.said.decode()
    assert "Traceback" not in done.said.decode()
    (small / "filler").unlink()
    done = convtool(command, folder)
    assert done.code == 0
    assert ("done before" in done.said.decode()) == (room > 0)
    assert names(folder / "out") == names(folder / "in")


@pytest.mark.parametrize(
    "command",
    [
        ["svd", "in.bmp", "--k", "30", "--save", "small/out"],
        ["svd", "in.bmp", "--k", "30", "-o", "small/out.png"],
        ["svd", "in.bmp", "--k", "30", "--html", "small/out.html"],
        ["svd", "in.bmp", "--k", "30", "--plot", "small/out.png"],
        ["compare", "in.bmp", "in.bmp", "--diff", "small/out.bmp"],
        ["learn", "in.bmp", "in.bmp", "--size", "3", "--out", "small/out.csv"],
        ["explain", "--html", "small/out.html"],
        ["info", "in.bmp", "--json", "small/out.json"],
    ],
    ids=lambda command: f"{command[0]} {command[-2]}",
)
def test_every_command_that_writes(folder, small, command):
    target = Path(command[-1])
    (folder / target).write_bytes(b"old")
    fill(small)
    done = convtool(command, folder)
    assert done.code == 1
    said = done.said.decode()
    assert said.count("\n") == 1
    assert said.startswith(f"convtool: error: {target}: ")
    assert "No space left on device" in said
    assert (folder / target).read_bytes() == b"old"
    assert names(small) == sorted(["filler", target.name])
