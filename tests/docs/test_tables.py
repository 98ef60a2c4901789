"""Tables that are written by hand hold what the registries hold."""

import re
import tomllib

import numpy as np
import pytest
from pages import PAGES, ROOT, rows

import convtool
from convtool import cli
from convtool.convolution.borders import ALIASES, BORDERS
from convtool.convolution.engines import ENGINES


def test_every_exit_code_is_there() -> None:
    table = "\n".join(rows("docs/reference/command-line.md", "Exit codes"))
    for code in (cli.DONE, cli.FAILED, cli.USAGE, cli.INTERRUPTED):
        assert f"\n| {code} | " in table


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_is_there(name: str) -> None:
    assert any(row.startswith(f"| `{name}` |") for row in rows("docs/reference/engines.md"))


@pytest.mark.parametrize("name", BORDERS)
def test_every_border_is_there_beside_its_rule(name: str) -> None:
    table = rows("docs/reference/borders.md")
    row = next(row for row in table if f"`{ALIASES.get(name, name)}`" in row.split("|")[1])
    assert f"`{name}`" in row.split("|")[1]
    left, image, right = re.search(r"`([\w]{4}) (abcd) ([\w]{4})`", row).groups()
    numbers = np.array([["0abcd".index(letter) for letter in image]], float)
    answer = convtool.convolve(numbers, np.eye(1), border=name, padding=(0, 4))[0]
    assert "".join("0abcd"[int(v)] for v in answer) == left + image + right


def test_every_extra_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    told = re.findall(r"^\| `pip install .*\[(\w+)\]'` \|", PAGES["docs/howto/install.md"], re.M)
    assert {*told, "peers"} == set(project["optional-dependencies"])
