"""Completion: the answers to each shell, and the scripts in the shells themselves."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from processes import ENVIRONMENT, finished

from convtool.cli import COMMANDS
from convtool.cli._shells import SHELLS
from convtool.cli.completion import SHELLS as OFFERED
from convtool.convolution.borders import BORDERS
from convtool.convolution.engines import engines
from convtool.images.formats import writable
from convtool.kernels.presets import PRESETS


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a kernel, a picture's name, and convtool on the path."""
    folder = tmp_path_factory.mktemp("completion")
    np.savetxt(folder / "gauss-own.txt", np.eye(3))
    (folder / "photo.png").touch()
    program = folder / "bin" / "convtool"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m convtool "$@"\n')
    program.chmod(0o755)
    return folder


def environment(place, **more):
    paths = os.pathsep.join([str(place / "bin"), os.environ["PATH"]])
    return ENVIRONMENT | {"PATH": paths, "HOME": str(place), "TERM": "dumb", **more}


def answer(place, shell, *words):
    """Return what a shell is told of the last word: lists of kind, value and perhaps a help."""
    asked = {
        "_CONVTOOL_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": "\n".join(map(shlex.quote, words)) if shell != "fish" else shlex.join(words),
        "COMP_CWORD": shlex.quote(words[-1]) if shell == "fish" else str(len(words) - 1),
    }
    if shell == "fish" and not words[-1]:
        asked |= {"COMP_WORDS": shlex.join(words[:-1]) + " ", "COMP_CWORD": ""}
    done = subprocess.run(
        [sys.executable, "-m", "convtool"],
        env=environment(place, **asked),
        cwd=place,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return [line.split("\t") for line in done.stdout.splitlines()]


def values(place, shell, *words):
    return [item[1] for item in answer(place, shell, *words)]


EXPECTED = {
    "commands": (["convtool", ""], sorted(COMMANDS)),
    "a command": (["convtool", "fil"], ["filter"]),
    "an option": (["convtool", "filter", "--pad"], ["--padding"]),
    "borders": (["convtool", "filter", "--border", ""], list(BORDERS)),
    "a border": (["convtool", "filter", "--border=wr"], ["--border=wrap"]),
    "engines": (
        ["convtool", "filter", "--engine", ""],
        ["auto", *engines(), "separable:rank="],
    ),
    "formats": (["convtool", "filter", "--format", ""], writable()),
    "presets": (["convtool", "filter", "-k", "sob"], [n for n in PRESETS if n[:3] == "sob"]),
    "parameters": (
        ["convtool", "deconvolve", "--kernel", "disk:"],
        ["disk:radius=", "disk:normalize=", "disk:scale="],
    ),
    "rules": (
        ["convtool", "kernels", "box:size=3,normalize="],
        [f"box:size=3,normalize={rule}" for rule in ("none", "sum", "abs")],
    ),
    "kernel files": (["convtool", "filter", "-k", "gauss-o"], ["gauss-own.txt"]),
    "parameters of a file": (
        ["convtool", "filter", "-k", "gauss-own.txt:n"],
        ["gauss-own.txt:normalize="],
    ),
    "help": (["convtool", "help", "co"], ["compare", "compile", "completion"]),
    "shells": (["convtool", "completion", ""], list(OFFERED)),
}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name", EXPECTED)
def test_answer(place, shell, name):
    words, expected = EXPECTED[name]
    assert values(place, shell, *words) == list(expected)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("words", [["filter", "-k", "box", "ph"], ["info", ""], ["svd", "ph"]])
def test_where_nothing_is_known_files_are_offered(place, shell, words):
    assert [item[0] for item in answer(place, shell, "convtool", *words)] == ["file"]


def test_values_that_go_on_are_told_apart(place):
    kinds = {item[1]: item[0] for item in answer(place, "zsh", "convtool", "kernels", "gaussian")}
    assert kinds["gaussian"] == "plain"
    assert kinds["gaussian:"] == "part"


def test_every_shell_has_a_script():
    assert tuple(SHELLS) == OFFERED
    for shell in SHELLS:
        done = finished("completion", shell)
        assert done.returncode == 0
        assert f"_CONVTOOL_COMPLETE={shell}_complete".encode() in done.stdout.replace(
            b" = '", b"="
        ).replace(b"$env:", b"")
    assert finished("completion", "tcsh").returncode == 2


def shell_program(name):
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"{name} is not installed")
    return program


IN_SHELLS = {
    "convtool comple": ["completion"],
    "convtool filter --border ref": ["reflect", "reflect-101"],
    "convtool filter -k gaussian:si": ["gaussian:sigma=", "gaussian:size="],
    "convtool filter -k box:size=3,norm": ["box:size=3,normalize="],
    "convtool filter -k box photo": ["photo.png"],
}
"""Lines, and how their last words can end."""

BASH = """
eval "$(convtool completion bash)"
cd "$1"
while read -r line; do
    COMP_WORDS=(); COMPREPLY=()
    # Bash makes words of their own of : and =
    for word in $line; do
        while [[ $word == *[:=]* ]]; do
            head=${word%%[:=]*}
            [[ -n $head ]] && COMP_WORDS+=("$head")
            word=${word#"$head"}; COMP_WORDS+=("${word:0:1}"); word=${word:1}
        done
        COMP_WORDS+=("$word")
    done
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _convtool_completion convtool
    [[ ${#COMPREPLY[@]} == 0 ]] && COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"))
    echo "${COMPREPLY[*]}"
done
complete -p convtool
"""


def test_in_bash(place):
    program = shell_program("bash")
    done = subprocess.run(
        [program, "--norc", "-c", BASH, "bash", str(place)],
        input="\n".join(IN_SHELLS) + "\n",
        env=environment(place),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    *replies, registered = done.stdout.splitlines()
    assert registered == "complete -o nosort -F _convtool_completion convtool"
    for line, reply in zip(IN_SHELLS, replies, strict=True):
        cut = max(line.rfind(mark) for mark in " :=") + 1
        whole = line.rpartition(" ")[0] + " "
        assert [line[len(whole) : cut] + value for value in reply.split()] == IN_SHELLS[line]


def test_in_fish(place):
    program = shell_program("fish")
    asked = "\n".join(f"complete -C {shlex.quote(line)}; echo" for line in IN_SHELLS)
    done = subprocess.run(
        [program, "--no-config", "-c", f"convtool completion fish | source\ncd {place}\n{asked}"],
        env=environment(place),
        capture_output=True,
        text=True,
        check=True,
    )
    replies = done.stdout.split("\n\n")[: len(IN_SHELLS)]
    for line, reply in zip(IN_SHELLS, replies, strict=True):
        assert [one.split("\t")[0] for one in reply.split("\n") if one] == IN_SHELLS[line]


ZSH = r"""
zmodload zsh/zpty
zpty -b shell "TERM=dumb zsh -f -i"
zpty -w shell 'PROMPT=; autoload -U compinit; compinit -D -u; bindkey -e; cd '$1
zpty -w shell 'setopt no_beep; zstyle ":completion:*" list-colors'
zpty -w shell 'eval "$(convtool completion zsh)"'
zpty -w shell 'function show() { print -r "<<$BUFFER>>"; BUFFER= }'
zpty -w shell 'zle -N show; bindkey "^X" show; print READY'
zpty -r shell text $'*READY\r\n*' || exit 3
while read -r line; do
    zpty -n -w shell "$line"$'\t\x18'
    zpty -r shell text $'*<<*>>*' || exit 4
    print -r -- ${${text##*<<}%%>>*}
done
zpty -d shell
"""

IN_ZSH = {
    "convtool comple": "convtool completion ",
    "convtool filter --border mirr": "convtool filter --border mirror ",
    "convtool filter --border=mirr": "convtool filter --border=mirror ",
    "convtool filter -k disk:ra": "convtool filter -k disk:radius=",
    "convtool filter -k box:size=3,norm": "convtool filter -k box:size=3,normalize=",
    "convtool filter -k box phot": "convtool filter -k box photo.png ",
}
"""Lines, and what they become by one press of the tabulator."""


def test_in_zsh(place):
    program = shell_program("zsh")
    done = subprocess.run(
        [program, "-f", "-c", ZSH, "zsh", str(place)],
        input="\n".join(IN_ZSH) + "\n",
        env=environment(place),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[: len(IN_ZSH)] == list(IN_ZSH.values())


def test_in_powershell(place):
    program = shell_program("pwsh")
    line = "convtool filter --border mir"
    ask = "convtool completion powershell | Out-String | Invoke-Expression; "
    ask += f"(TabExpansion2 '{line}' {len(line)}).CompletionMatches.CompletionText"
    done = subprocess.run(
        [
            program,
            "-NoProfile",
            "-Command",
            ask,
        ],
        env=environment(place),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["mirror"]


def test_scripts_are_valid(place):
    for shell in ("bash", "zsh", "fish"):
        program = shutil.which(shell)
        if program is None:
            continue
        script = Path(place / f"script.{shell}")
        script.write_bytes(finished("completion", shell).stdout)
        done = subprocess.run([program, "-n", str(script)], capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
