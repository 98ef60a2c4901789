"""Completion in shells: the script of each, and how it asks and is answered.

A script runs ``convtool`` with ``_CONVTOOL_COMPLETE=SHELL_complete`` and the words of the line in
``COMP_WORDS``. Each line of the answer is a kind, a value and perhaps a help text between tabs. A
value of kind ``part`` takes more without a blank; ``file`` and ``dir`` ask for the shell's own.
"""

import os

from click.shell_completion import (
    CompletionItem,
    ShellComplete,
    add_completion_class,
    split_arg_string,
)

from convtool.cli._shell_scripts import BASH, FISH, POWERSHELL, ZSH

_BREAKS = frozenset(":=")
"""What Bash takes for a word of its own, with nothing else."""


class _Shell(ShellComplete):
    """What is the same in all shells."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the one that is completed, and that word."""
        words = split_arg_string(os.environ["COMP_WORDS"])
        place = int(os.environ["COMP_CWORD"])
        return words[1:place], words[place] if place < len(words) else ""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """Return what fits, as whole words; files where nothing is known."""
        head = ""
        if incomplete.startswith("-") and "=" in incomplete:
            head = incomplete.partition("=")[0] + "="
        found = super().get_completions(list(args), incomplete)
        if not found and not (incomplete.startswith("-") and not head):
            return [CompletionItem(incomplete, type="file")]
        return [
            item
            if item.type in ("file", "dir")
            else CompletionItem(head + item.value, type=item.type, help=item.help)
            for item in found
        ]

    def format_completion(self, item: CompletionItem) -> str:
        """Return one line of the answer."""
        text = " ".join((item.help or "").split())
        return f"{item.type}\t{item.value}\t{text}".rstrip("\t")


@add_completion_class
class Bash(_Shell):
    """Bash, which cuts words at colons and equals signs, and takes no help texts."""

    name = "bash"
    source_template = BASH
    _before = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words as they were typed, joined where Bash has cut them."""
        words, place = split_arg_string(os.environ["COMP_WORDS"]), int(os.environ["COMP_CWORD"])
        pieces = [*words[1 : place + 1], *([""] if place >= len(words) else [])]
        joined: list[str] = []
        for number, piece in enumerate(pieces):
            previous = pieces[number - 1] if number else ""
            last = number == len(pieces) - 1
            if joined and (_is_break(piece) or (_is_break(previous) and len(joined) > 1)):
                if last:
                    self._before = joined[-1] + (piece if _is_break(piece) else "")
                joined[-1] += piece
            else:
                joined.append(piece)
        return joined[:-1], joined[-1] if joined else ""

    def format_completion(self, item: CompletionItem) -> str:
        """Return one line of the answer, less what Bash takes for earlier words."""
        value = item.value.removeprefix(self._before)
        return f"{item.type}\t{value}"


def _is_break(piece: str) -> bool:
    return bool(piece) and _BREAKS.issuperset(piece)


@add_completion_class
class Zsh(_Shell):
    """Zsh."""

    name = "zsh"
    source_template = ZSH


@add_completion_class
class Fish(_Shell):
    """Fish, which gives the line up to the cursor, and the word there."""

    name = "fish"
    source_template = FISH

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the one that is completed, and that word."""
        words = split_arg_string(os.environ["COMP_WORDS"])
        incomplete = "".join(split_arg_string(os.environ["COMP_CWORD"])[:1])
        if incomplete and words and words[-1] == incomplete:
            words.pop()
        return words[1:], incomplete


@add_completion_class
class PowerShell(_Shell):
    """PowerShell 5.1 and later."""

    name = "powershell"
    source_template = POWERSHELL


SHELLS: dict[str, type[_Shell]] = {one.name: one for one in (Bash, Zsh, Fish, PowerShell)}


def script(shell: str) -> str:
    """Return the script that makes a shell complete ``convtool``.

    Examples
    --------
    >>> script("bash").splitlines()[-1]
    'complete -o nosort -F _convtool_completion convtool'
    """
    import click

    return SHELLS[shell](click.Group("convtool"), {}, "convtool", "_CONVTOOL_COMPLETE").source()
