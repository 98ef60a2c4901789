"""``convtool kernels``: what it prints, where, and its exit codes."""

import json
import shlex
import subprocess
import sys

import numpy as np
import pytest

from convtool.cli import run
from convtool.cli.kernels import command
from convtool.kernels.export import FORMATS
from convtool.kernels.presets import PRESETS
from convtool.kernels.spec import kernel


def test_list_names_every_preset_with_its_source(capsys):
    assert run(["kernels"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    lines = out.splitlines()
    for name, preset in PRESETS.items():
        (line,) = (line for line in lines if line.split()[:1] == [name])
        assert preset.summary in line
        for parameter in preset.parameters:
            assert parameter.name in line
        assert any(line.endswith(f"] {preset.source}") for line in lines)


def test_kernel_is_shown_with_its_facts(capsys):
    assert run(["kernels", "gaussian"]) == 0
    out = capsys.readouterr().out
    assert "  1/16 ·  2  4  2\n" in out
    for line in ("sum        1", "rank       1", "separable  yes", "symmetric  yes"):
        assert line in out.splitlines()
    assert "mind:" not in out


def test_what_one_trips_over_is_said(capsys):
    assert run(["kernels", "2x2:1,2,3,4"]) == 0
    out = capsys.readouterr().out
    assert "anchor     row 1, column 1 (from 0)" in out
    for words in ("not symmetric", "even", "brightens"):
        assert f"mind: {words}" in out or words in out


def test_pair_is_shown_as_both_kernels(capsys):
    assert run(["kernels", "sobel"]) == 0
    out = capsys.readouterr().out
    assert "sobel-horizontal\n" in out
    assert "sobel-vertical\n" in out
    assert "  -1  -2  -1\n   0   0   0\n   1   2   1\n" in out


@pytest.mark.parametrize("form", FORMATS)
def test_form_goes_to_stdout_and_its_note_to_stderr(form, capsys):
    assert run(["kernels", "box:size=2", "--as", form]) == 0
    out, err = capsys.readouterr()
    assert "0.25" in out
    assert err == f"{form}: {FORMATS[form].note}\n"


def test_json_lists_the_presets(capsys):
    assert run(["kernels", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["schema"] == "convtool.kernels/1"
    assert [preset["name"] for preset in report["presets"]] == list(PRESETS)
    gaussian = next(p for p in report["presets"] if p["name"] == "gaussian")
    assert gaussian["parameters"][0]["range"] == "0.01 to 511"


def test_json_report_of_a_kernel_is_itself_a_kernel(tmp_path, capsys):
    file = tmp_path / "report.json"
    assert run(["kernels", "sobel:scale=1/3", "--json", str(file)]) == 0
    assert "sobel-vertical" in capsys.readouterr().out
    report = json.loads(file.read_text(encoding="utf-8"))
    assert report["schema"] == "convtool.kernels/1"
    assert [facts["rank"] for facts in report["facts"]] == [1, 1]
    np.testing.assert_array_equal(kernel(str(file)), kernel("sobel:scale=1/3"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["sobell"], "did you mean sobel"),
        (["3x3:1,2"], "3x3 takes 9 numbers, not 2"),
        (["sobel", "--as", "csv"], "csv holds one kernel"),
        (["--as", "csv"], "--as prints one kernel SPEC"),
        (["sobel", "--as", "json", "--json"], "--as prints one kernel SPEC"),
        (["sobel", "--as", "matlab"], "'matlab' is not one of"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(arguments, says, capsys):
    assert run(["kernels", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("convtool: error: ")
    assert err.count("\n") == 1
    assert says in err


def test_json_takes_only_a_json_file_as_its_own(capsys):
    assert run(["kernels", "--json", "box"]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == "convtool.kernels/1"


def test_report_that_cannot_be_written_is_exit_code_1(tmp_path, capsys):
    assert run(["kernels", "box", "--json", str(tmp_path / "missing" / "x.json")]) == 1
    assert "cannot write the report" in capsys.readouterr().err


def test_examples_of_the_help_run(capsys):
    lines = [line.strip() for line in command.epilog.splitlines()]
    examples = [line for line in lines if line.startswith("convtool ")]
    assert len(examples) >= 4
    for example in examples:
        assert run(shlex.split(example)[1:]) == 0
        assert capsys.readouterr().out


def test_process_gives_the_answer_and_imports_nothing_heavy():
    code = (
        "import sys; from convtool.cli import run; code = run(['kernels', 'sobel']);"
        "heavy = {'scipy', 'numba', 'cv2', 'matplotlib', 'rich', 'PIL'} & set(sys.modules);"
        "sys.exit(code or len(heavy))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "sobel-vertical" in done.stdout


def test_sums_beyond_float64_are_null_in_json(capsys):
    assert run(["kernels", "1x2:1e308,1e308", "--json"]) == 0
    (facts,) = json.loads(capsys.readouterr().out)["facts"]
    assert facts["sum"] is None
    assert facts["output"] == [0.0, None]
