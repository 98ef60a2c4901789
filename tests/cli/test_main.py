"""The root command: exit codes, error lines, help, and how it ends when it is interrupted."""

import errno
import fcntl
import os
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import click
import pytest

import convtool
from convtool import cli, errors

ROOT = Path(__file__).parents[2]


def start(*arguments, **options):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    command = [sys.executable, "-m", "convtool", *arguments]
    return subprocess.Popen(command, cwd=ROOT, **(pipes | options))


@pytest.fixture
def failing(monkeypatch):
    """Make ``convtool kernels`` fail with an error."""

    def fail_with(error):
        @click.command("kernels")
        def command():
            raise error

        monkeypatch.setattr("convtool.cli.kernels.command", command)

    return fail_with


class TestHelp:
    def test_lists_every_command_and_imports_none(self, capsys):
        assert cli.run(["--help"]) == 0
        shown = capsys.readouterr().out
        names = cli.root.list_commands(click.Context(cli.root))
        assert names
        for name in names:
            assert f"  {name} " in shown
            assert cli.COMMANDS[name] in shown

    @pytest.mark.parametrize("name", sorted(cli.COMMANDS))
    def test_of_each_command_has_examples(self, name, capsys):
        assert cli.run([name, "--help"]) == 0
        shown = capsys.readouterr().out
        assert f"Usage: convtool {name} " in shown
        assert f"  convtool {name} " in shown.partition("Examples:")[2]

    @pytest.mark.parametrize("name", sorted(cli.COMMANDS))
    def test_one_line_help_is_the_commands_own(self, name):
        command = cli.root.get_command(click.Context(cli.root), name)
        assert command.name == name
        assert command.get_short_help_str(200).partition(" ")[0] == cli.COMMANDS[name].partition(
            " "
        )[0].rstrip(".")

    @pytest.mark.parametrize("option", ["--version", "-V"])
    def test_version(self, option, capsys):
        assert cli.run([option]) == 0
        assert capsys.readouterr().out == f"convtool, version {convtool.__version__}\n"


class TestWrongUsage:
    """Exit code 2 and one line on stderr: what, where, what to do."""

    @pytest.mark.parametrize(
        ("arguments", "line"),
        [
            (["--no-such"], "No such option '--no-such' (see 'convtool --help')"),
            (
                ["kernel"],
                "unknown command 'kernel'; did you mean kernels? (see 'convtool --help')",
            ),
            (["blur"], "did you mean filter -k blur?"),
            (["fliter"], "unknown command 'fliter'; did you mean filter? (see 'convtool --help')"),
            (["kernels", "--ass", "csv"], "(see 'convtool kernels --help')"),
            (["kernels", "gausian"], "did you mean gaussian"),
            (["kernels", "3x3:1,2"], "3x3 takes 9 numbers, not 2"),
            (["kernels", "--", "--debug"], "unknown preset '--debug'"),
        ],
    )
    def test_line(self, arguments, line, capsys):
        assert cli.run(arguments) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err.startswith("convtool: error: ")
        assert line in shown.err.replace("'--no-such'.", "'--no-such'")
        assert shown.err.count("\n") == 1

    def test_unknown_command_far_from_any_lists_them(self, capsys):
        assert cli.run(["xyzzy"]) == 2
        shown = capsys.readouterr().err
        assert all(name in shown for name in cli.COMMANDS)


class TestExitCodes:
    @pytest.mark.parametrize(
        ("error", "code", "words"),
        [
            (errors.OptionError("stride is 0"), 2, "stride is 0"),
            (errors.KernelError("ragged\nrows"), 2, "ragged rows"),
            (errors.EngineError("no"), 2, "no"),
            (errors.ImageFormatError("no"), 2, "no"),
            (errors.ShapeError("no output"), 1, "no output"),
            (errors.PixelTypeError("complex"), 1, "complex"),
            (errors.ImageReadError("a.png: empty"), 1, "a.png: empty"),
            (errors.ImageTooLargeError("a.png: too large"), 1, "a.png: too large"),
            (errors.ImageWriteError("b.png: no"), 1, "b.png: no"),
            (click.ClickException("odd"), 1, "odd"),
            (
                MemoryError("Unable to allocate 9 TiB"),
                1,
                "out of memory (Unable to allocate 9 TiB); use a smaller picture or fewer threads",
            ),
            (MemoryError(), 1, "out of memory; use a smaller picture or fewer threads"),
            (
                PermissionError(errno.EACCES, "Permission denied", "out.json"),
                1,
                "out.json: Permission denied",
            ),
            (OSError(errno.ENOSPC, "No space left on device"), 1, "No space left on device"),
            (OSError("odd"), 1, "odd"),
            (KeyboardInterrupt(), 130, "interrupted"),
        ],
    )
    def test_error_becomes_one_line(self, failing, error, code, words, capsys):
        failing(error)
        assert cli.run(["kernels"]) == code
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err.lstrip("\n") == f"convtool: error: {words}\n"

    def test_every_error_has_a_code(self, failing, capsys):
        for name in vars(errors):
            if name.endswith("Error"):
                failing(getattr(errors, name)("what, where, what to do"))
                assert cli.run(["kernels"]) in (cli.FAILED, cli.USAGE)
                assert capsys.readouterr().err == "convtool: error: what, where, what to do\n"

    @pytest.mark.parametrize(("answer", "code"), [(None, 0), (0, 0), (1, 1)])
    def test_of_a_command_is_what_it_returns(self, answer, code, monkeypatch):
        monkeypatch.setattr(
            "convtool.cli.kernels.command", click.Command("kernels", callback=lambda: answer)
        )
        assert cli.run(["kernels"]) == code

    def test_a_mistake_of_ours_is_not_hidden(self, failing):
        failing(ZeroDivisionError("a bug"))
        with pytest.raises(ZeroDivisionError):
            cli.run(["kernels"])


def test_what_a_terminal_would_obey_is_written_out(failing, capsys):
    failing(errors.ImageReadError("is damaged: chunk \0\0ND,\n\x1b[2J \x9b1m"))
    assert cli.run(["kernels"]) == 1
    expected = "convtool: error: is damaged: chunk \\x00\\x00ND, \\x1b[2J \\x9b1m\n"
    assert capsys.readouterr().err == expected


class TestDebug:
    @pytest.mark.parametrize(
        "arguments", [["--debug", "kernels"], ["kernels", "--debug"], ["--debug", "kernels", "--"]]
    )
    def test_shows_the_traceback_and_keeps_line_and_code(self, failing, arguments, capsys):
        failing(errors.KernelError("bad"))
        assert cli.run(arguments) == 2
        shown = capsys.readouterr().err
        assert shown.startswith("Traceback (most recent call last):")
        assert shown.endswith("convtool: error: bad\n")

    def test_no_traceback_without(self, failing, capsys):
        failing(errors.KernelError("bad"))
        cli.run(["kernels"])
        assert "Traceback" not in capsys.readouterr().err


class TestProcess:
    """What only a real process shows."""

    def test_is_started_as_a_module_and_ends_with_the_code(self):
        done = start("kernels", "nope")
        out, err = done.communicate(timeout=120)
        assert (done.returncode, out) == (2, b"")
        assert err.startswith(b"convtool: error: kernel 'nope': ")

    @pytest.mark.parametrize("buffering", ["", "1"])
    def test_a_reader_that_goes_is_no_traceback(self, buffering):
        with start("kernels", env=os.environ | {"PYTHONUNBUFFERED": buffering}) as process:
            process.stdout.close()
            assert process.stderr.read() == b""
        assert process.returncode == 1

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    def test_a_full_disk_is_one_line(self):
        with open("/dev/full", "w") as full, start("kernels", stdout=full) as process:
            complaint = process.stderr.read()
        assert process.returncode == 1
        assert complaint == b"convtool: error: standard output: No space left on device\n"

    @pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
    def test_interrupt_ends_with_130_and_leaves_nothing(self, tmp_path):
        target = tmp_path / "out.png"
        with start("filter", "--kernel", "box", "-", str(target)) as process:
            process.stdin.write(b"\x89PNG\r\n\x1a\n")
            process.stdin.flush()
            while unread(process.stdin) and process.poll() is None:
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            process.wait(timeout=120)  # its input stays open: the signal alone ends it
            _, complaint = process.communicate()
        assert process.returncode == 130
        assert complaint.decode().strip() == "convtool: error: interrupted"
        assert not list(tmp_path.iterdir())


def unread(pipe):
    """Return how many bytes lie in a pipe: none once its reader waits for more."""
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0]
