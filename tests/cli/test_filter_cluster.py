"""``convtool filter`` with workers or a scheduler, and going on with a batch."""

import signal
from pathlib import Path

import numpy as np
import pytest
from processes import finished, interrupted, started

from convtool.cli import run
from convtool.distributed import local_cluster
from convtool.images.read import read
from convtool.images.write import write

GREY = np.arange(48, dtype=np.uint8).reshape(6, 8)


def made(place):
    return {str(path.relative_to(place)): path.read_bytes() for path in files(place)}


def files(place):
    return sorted(path for path in Path(place).rglob("*") if path.is_file())


def filtered(*arguments):
    return finished("filter", *arguments)


def test_workers_write_what_one_process_writes_and_name_what_fails(folder):
    Path("in/bad.png").write_bytes(b"no picture")
    options = ["-k", "unsharp", "-r", "in"]
    assert filtered(*options, "one", "--jobs", "1").returncode == 1
    done = filtered(*options, "two", "--workers", "2", "--json", "report.json")
    assert done.returncode == 1
    *_, failed, summary = done.stderr.decode().splitlines()
    assert failed == "failed: in/bad.png"
    assert summary.startswith("4 pictures: 3 done, 1 failed;")
    assert done.stderr.count(b"convtool: error: in/bad.png") == 1
    assert made("two") == made("one")
    assert sorted(made("two")) == ["a.png", "b.png", "deep/c.png"]


def test_a_scheduler_takes_relative_names(folder, capsys, monkeypatch):
    with local_cluster(1) as client:
        address = client.scheduler.address
        monkeypatch.chdir(folder / "in")
        arguments = ["filter", "-k", "identity", ".", "../out", "--scheduler", address]
        assert run(arguments) == 0
    assert "2 pictures: 2 done;" in capsys.readouterr().err
    np.testing.assert_array_equal(read("../out/b.png").pixels, GREY + 1)


def test_resume_leaves_out_what_is_done_unless_it_changed(folder, capsys):
    arguments = ["filter", "-k", "identity", "--resume", "-r", "in", "out"]

    def outcome(*more):
        assert run([*arguments, *more]) == 0
        return capsys.readouterr().err

    assert "3 done;" in outcome()
    assert "3 done before;" in outcome()
    assert "3 done before;" in outcome("--workers", "1")
    assert sorted(made("out")) == [".convtool-journal", "a.png", "b.png", "deep/c.png"]
    write("in/a.png", GREY + 9)
    Path("out/b.png").unlink()
    assert "2 done, 1 done before;" in outcome("--workers", "1")
    np.testing.assert_array_equal(read("out/a.png").pixels, GREY + 9)
    assert "3 done;" in outcome("--bias", "1")
    assert "3 done before;" in outcome("--bias", "1", "--jobs", "1")


REFUSED = {
    "both": (["--workers", "1", "--scheduler", "a:1", "in", "out/"], "give one of them"),
    "jobs": (["--workers", "1", "--jobs", "1", "in", "out/"], "--workers takes its place"),
    "timeout": (["--workers", "1", "--timeout", "1", "in", "out/"], "not kept by a cluster"),
    "memory": (["--worker-memory", "1G", "in", "out/"], "is for the processes of --workers"),
    "journals": (["--resume", "--journal", "x", "in", "out/"], "and so does --journal"),
    "address": (["--scheduler", "here", "in", "out/"], "is not a scheduler's address"),
    "one picture": (["--workers", "1", "in/a.png", "out.png"], "--workers is for many pictures"),
    "no store": (["--scheduler", "a:1", "in/a.png", "out.zarr"], "can only be decoded as a whole"),
    "one and jobs": (["--workers", "1", "--jobs", "1", "in/a.png", "o.zarr"], "--jobs is for"),
    "resume one": (["--resume", "in/a.png", "out.png"], "--resume is for many pictures"),
    "collision": (
        ["--workers", "1", "--format", "png", "-r", "in", "out/"],
        "would both become out/deep/c.png",
    ),
    "link": (["--workers", "1", "in", "out/"], "is a link to a file among the outputs"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_before_anything_is_written(folder, capsys, case):
    write("in/deep/c.jpg", GREY)
    if case == "link":
        Path("out").mkdir()
        write("out/x.png", GREY)
        Path("in/x.png").symlink_to(folder / "out" / "x.png")
    before = made(folder)
    arguments, message = REFUSED[case]
    assert run(["filter", "-k", "identity", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert made(folder) == before


def test_a_scheduler_that_is_not_there_is_said_in_one_line(folder):
    done = filtered("-k", "identity", "in", "out/", "--scheduler", "tcp://127.0.0.1:1")
    assert done.returncode == 1
    first, summary = done.stderr.decode().splitlines()
    assert first.startswith("2 pictures: 2 not done;")
    assert summary.startswith("convtool: error: tcp://127.0.0.1:1: no Dask scheduler answers")


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_ctrl_c_while_workers_start_leaves_one_line(folder, processes):
    """A terminal sends it to the workers, too, which are importing then."""
    command = ["filter", "-k", "box", "in", "out", "--workers", "2"]
    running = started(*command, start_new_session=True)
    said = interrupted(running, signal.SIGINT, lambda: True, least=processes, all_at_once=True)
    assert said == b"convtool: error: interrupted\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("working", [False, True])
def test_an_interrupt_ends_workers_too_and_leaves_no_file(folder, number, working):
    big = np.zeros((1500, 1500), np.uint8)
    for name in range(30):
        write(f"in/big{name}.png", big)
    slow = ["filter", "-k", "disk:radius=20", "--engine", "direct", "in", "out", "--workers", "2"]
    interrupted(started(*slow), number, lambda: files("out") or not working)
    assert not [path for path in files("out") if path.name.startswith(".")]
