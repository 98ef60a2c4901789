"""No name of a file or class commands a terminal or a spreadsheet, in any command."""

import csv
import io
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from corpus.run import convtool

from convtool.cli import COMMANDS
from convtool.images.write import write
from convtool.nn.modelfile import load, save
from convtool.report.csv_table import csv_text
from convtool.report.page import escaped

ROOT = Path(__file__).parents[2]
NAME = "=\x1b[31m\x07\n\x7f\x9b\udc9b\u202e"
"""ESC, BEL, a line feed, DEL, CSI of ISO 6429, a byte that is no UTF-8, right-to-left override."""
SHOWN = "=\\x1b[31m\\x07\\n\\x7f\\x9b\\x9b\\u202e"
WHOLE, DAMAGED, MODEL, ONNX = f"{NAME}.png", f"{NAME}x.png", f"{NAME}.safetensors", f"{NAME}.onnx"
REPORT, FACTORS, MISSING = f"{NAME}.json", f"{NAME}.ctsvd", f"{NAME}-"
LINES = {
    "bench": [["--compare", REPORT], [NAME]],
    "compare": [[WHOLE, DAMAGED], [WHOLE, MISSING]],
    "compile": [[NAME]],
    "completion": [[NAME]],
    "deconvolve": [["-k", NAME, WHOLE, "out.png"], ["-k", "box", DAMAGED, "out.png"]],
    "evaluate": [[MODEL, NAME], [DAMAGED, NAME]],
    "explain": [["--image", WHOLE, "--kernel", NAME], ["--image", DAMAGED]],
    "export": [[MODEL, f"{NAME}/{NAME}"], [DAMAGED, ONNX]],
    "filter": [
        ["-k", "box", WHOLE, f"{NAME}/{NAME}/out.png"],
        ["-k", "box", "--dry-run", WHOLE, f"{NAME}2.png"],
        ["-k", "box", "--jobs", "1", f"{NAME}?.png", f"{NAME}3/"],
        ["-k", "box", "--json", "--jobs", "1", f"{NAME}?.png", f"{NAME}3/"],
        ["-k", NAME, WHOLE, "out.png"],
        ["--debug", "-k", "box", DAMAGED, "out.png"],
    ],
    "gridsearch": [[NAME]],
    "help": [[NAME]],
    "import": [[DAMAGED, f"{NAME}.safetensors"], [MISSING, MODEL]],
    "info": [[WHOLE, DAMAGED, MISSING], ["--json", WHOLE, DAMAGED]],
    "inspect": [[MODEL, "--kernels", f"{NAME}/{NAME}.png"], [DAMAGED]],
    "kernels": [[NAME], [f"{NAME}.csv"]],
    "learn": [[WHOLE, DAMAGED, "--size", "1"]],
    "predict": [
        [MODEL, WHOLE, DAMAGED, MISSING],
        ["--csv", MODEL, WHOLE, DAMAGED],
        ["--json", MODEL, WHOLE, DAMAGED],
    ],
    "show": [[NAME, "-o", f"{NAME}4.png"], [DAMAGED, "-o", "out.png"]],
    "svd": [
        [WHOLE, "--k", "2", "--save", FACTORS, "--plot", "plot.png"],
        [FACTORS, "-o", f"{NAME}/{NAME}/5.png"],
        [WHOLE, "--k", "1", "--html", "-", "--gray"],
        [WHOLE, "--k", "1", "--json"],
    ],
    "view": [[DAMAGED], [WHOLE, "-k", NAME]],
    "train": [[NAME, "--epochs", "1", "--out", f"{MISSING}/{MODEL}"], [DAMAGED]],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of files with a name that is hard to show."""
    folder = tmp_path_factory.mktemp("names")
    picture = np.arange(64, dtype=np.uint8).reshape(8, 8)
    for name in ("one", "two"):
        (folder / NAME / f"{NAME}{name}").mkdir(parents=True)
        for number in range(4):
            write(folder / NAME / f"{NAME}{name}" / f"{NAME}{number}.png", picture + number)
    write(folder / NAME / WHOLE, picture)
    write(folder / WHOLE, picture)
    (folder / DAMAGED).write_bytes((folder / WHOLE).read_bytes()[:-30])
    (folder / REPORT).write_text("[")
    model = load(ROOT / "sample_images/network/zero-one.safetensors")
    model.classes = tuple(f"{sign}1{NAME[1:-3]}" for sign in "=@")
    save(model, folder / "model.safetensors")
    shutil.move(folder / "model.safetensors", folder / MODEL)
    return folder


def test_all_commands_are_here():
    assert set(LINES) == set(COMMANDS)


@pytest.mark.parametrize(
    ("command", "line"),
    [(command, line) for command, lines in LINES.items() for line in lines],
    ids=lambda one: one if isinstance(one, str) else ascii(" ".join(one))[1:-1],
)
def test_nothing_reaches_a_terminal_that_it_obeys(folder, command, line):
    done = convtool([command, *line], folder, fork=True)
    assert not done.hung
    said = (done.printed + done.said).decode()
    assert [one for one in said.split("\n") if not one.isprintable()] == []
    assert ("Traceback" in said) == ("--debug" in line)
    assert "\\x1b" in said or "\\u001b" in said


def test_json_has_the_names_as_they_are(folder):
    done = convtool(["predict", "--json", MODEL, WHOLE], folder, fork=True)
    assert json.loads(done.printed)["results"][0]["image"] == WHOLE


def test_csv_of_predict_has_no_formulas(folder):
    done = convtool(["predict", "--csv", MODEL, WHOLE], folder, fork=True)
    head, row = csv.reader(io.StringIO(done.printed.decode()))
    first, second = head[2:]
    assert head[:2] == ["image", "class"]
    assert (first[:3], second[:3]) == ("'=1", "'@1")
    assert row[0] == f"'{SHOWN}.png"
    assert row[1] in (first, second)
    assert sum(map(float, row[2:])) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("field", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+1+1", "'+1+1"),
        ("-1+1", "'-1+1"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\t=1", "'\\t=1"),
        ("\r=1", "'\\r=1"),
        ("a=1", "a=1"),
        ("-", "'-"),
        ("-1.5", "-1.5"),
        ("+.5e-3", "+.5e-3"),
        ("-inf", "-inf"),
        (-1.5, "-1.5"),
        ("-1.5\n", "'-1.5\\n"),
        ("-1_0", "'-1_0"),
        ("", ""),
    ],
)
def test_a_field_that_begins_like_a_formula_gets_an_apostrophe(field, written):
    assert csv_text([["x", field]]) == f"x,{written}\n"


def test_html_shows_names_written_out():
    assert escaped(f"<{NAME}") == f"&lt;{SHOWN}"


def test_commands_print_in_one_way_only():
    sources = {path.name: path.read_text() for path in (ROOT / "convtool/cli").glob("*.py")}
    printing = {
        name for name, text in sources.items() if re.search(r"\b(click\.s?echo|print)\(", text)
    }
    assert printing == {"_terminal.py", "_progress.py"}
