"""Kernels in files: what is read, and what is refused without harm."""

import io
import json
import pickle

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from convtool import reading
from convtool.errors import KernelError
from convtool.kernels.files import FILE_TYPES, read_weights
from convtool.kernels.spec import kernel, parse

ROWS = [[1, 2.5, -3], [0.25, 0, 4]]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("k.csv", "1,2.5,-3\n1/4,0,4\n"),
        ("k.csv", "\ufeff# comment\n1, 2.5, -3 # row\r\n\r\n0.25;0;4"),
        ("k.csv", "1\t2.5\t-3\n0.25\t0\t4\n"),
        ("k.txt", "  1 2.5   -3\n.25 0 4"),
        ("K.TXT", "1,2.5,-3\n0.25,0,4"),
        ("k.json", json.dumps(ROWS)),
        ("k.json", json.dumps({"kernel": ROWS, "bias": 3, "schema": "x"})),
        ("k.json", '[[1, 2.5, -3], ["1/4", 0, 4]]'),
    ],
)
def test_text_files_are_read(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    np.testing.assert_array_equal(kernel(str(tmp_path / name)), ROWS)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, ">f8", np.float16])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_files_are_read(tmp_path, dtype, order):
    file = tmp_path / "k.npy"
    np.save(file, np.array(ROWS, dtype, order=order))
    weights = kernel(str(file))
    np.testing.assert_array_equal(weights, ROWS)
    assert weights.dtype == np.float64
    assert weights.flags.c_contiguous


def test_npy_and_json_may_hold_a_pair(tmp_path):
    pair = kernel("sobel")
    np.save(tmp_path / "k.npy", pair)
    (tmp_path / "k.json").write_text(json.dumps(pair.tolist()))
    for name in ("k.npy", "k.json"):
        parsed = parse(str(tmp_path / name))
        assert parsed.is_gradient
        np.testing.assert_array_equal(parsed.weights, pair)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("k.csv", b"", "no numbers"),
        ("k.csv", b"# only\n", "no numbers"),
        ("k.csv", b"1,2\n3\n", "line 2 has 1 numbers where the first row has 2"),
        ("k.csv", b"1,2\n\n3,x\n", "line 3, column 2: 'x' is not a finite number"),
        ("k.csv", b"1,nan\n", "line 1, column 2"),
        ("k.csv", b"1,,2\n", "line 1, column 2: a number is missing"),
        ("k.csv", b"\xff\xfe1\x00", "not text"),
        ("k.txt", b"1 2\x00", "not a finite number"),
        ("k.json", b"", "not JSON"),
        ("k.json", b"{}", 'no "kernel"'),
        ("k.json", b"3", "no list of rows"),
        ("k.json", b'{"kernel": 3}', "no list of rows"),
        ("k.json", b"[]", "no entries"),
        ("k.json", b"[[]]", "no entries"),
        ("k.json", b"[[1, 2], [3]]", "row 2 has 1 numbers"),
        ("k.json", b"[[1, 2], 3]", "row 2 is not a list"),
        ("k.json", b"[1, [2]]", "column 2: a list instead of a number"),
        ("k.json", b"[[NaN]]", "row 1, column 1"),
        ("k.json", b"[[true]]", "a bool instead of a number"),
        ("k.json", b"[[1" + b"0" * 400 + b"]]", "beyond the range"),
        ("k.json", b"[[[1]], [[2, 3]]]", "equal length"),
        ("k.json", b"[[[1]], [[2]], [[3]]]", "a pair"),
        ("k.json", b"[" * 100_000, "not JSON"),
        ("k.npy", b"", "not a NumPy array"),
        ("k.npy", b"\x93NUMPY\x01\x00", "not a NumPy array"),
        ("k.npy", b"PK\x03\x04", "not a NumPy array"),
        ("k.npy", pickle.dumps([[1]]), "not a NumPy array"),
    ],
)
def test_bad_file_says_what_is_wrong(tmp_path, name, content, says):
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(KernelError) as caught:
        kernel(str(file))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "array",
    [
        np.array([[1j]]),
        np.array([["a"]]),
        np.array([[None]]),
        np.zeros((3, 2, 2)),
        np.zeros((0, 2)),
        np.array([[np.nan]]),
    ],
)
def test_bad_array_is_refused(tmp_path, array):
    file = tmp_path / "k.npy"
    np.save(file, array, allow_pickle=True)
    with pytest.raises(KernelError):
        kernel(str(file))


@pytest.mark.parametrize("shape", [(10**6, 10**6), (2, 2**64 - 10**9), (2**32, 2**32)])
def test_npy_header_cannot_claim_more_than_the_file_holds(tmp_path, shape):
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        buffer, {"descr": "<f8", "fortran_order": False, "shape": shape}
    )
    (tmp_path / "k.npy").write_bytes(buffer.getvalue() + bytes(64))
    with pytest.raises(KernelError, match="not a NumPy array"):
        kernel(str(tmp_path / "k.npy"))


def test_large_file_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "LIMITS", {"kernel file": 5})
    (tmp_path / "k.csv").write_text("1,2,3,4")
    with pytest.raises(KernelError, match="it has 7 bytes; a kernel file may have 5"):
        kernel(str(tmp_path / "k.csv"))


@pytest.mark.parametrize("suffix", FILE_TYPES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=60))
def test_any_content_gives_a_kernel_or_a_kernel_error(tmp_path, suffix, content):
    file = tmp_path / f"k{suffix}"
    head = b"\x93NUMPY\x01\x00" if suffix == ".npy" else b""
    file.write_bytes(head + content)
    try:
        weights = kernel(str(file))
    except KernelError:
        return
    assert np.isfinite(weights).all()


def test_a_group_in_json_names_its_combination(tmp_path):
    file = tmp_path / "group.json"
    three = np.arange(12.0).reshape(3, 2, 2)
    file.write_text(json.dumps({"kernel": three.tolist(), "combination": "maximum"}))
    weights, combination = read_weights(str(file))
    np.testing.assert_array_equal(weights, three)
    assert combination == "maximum"
    file.write_text(json.dumps({"kernel": three[:2].tolist()}))
    assert read_weights(str(file))[1] == "magnitude"
    file.write_text(json.dumps({"kernel": three[0].tolist()}))
    assert read_weights(str(file))[1] is None


@pytest.mark.parametrize(
    ("kernel", "combination", "says"),
    [
        (np.ones((3, 2, 2)), None, "shape (3, 2, 2)"),
        (np.ones((3, 2, 2)), "magnitude", "a magnitude is that of (2, KH, KW)"),
        (np.ones((2, 2)), "maximum", "a maximum is that of (N, KH, KW)"),
        (np.ones((2, 2, 2)), "sum", '"combination" is none of magnitude, maximum'),
        (np.ones((2, 2, 2)), ["maximum"], '"combination" is none of'),
    ],
)
def test_a_group_that_cannot_be_combined_is_refused(kernel, combination, says, tmp_path):
    file = tmp_path / "group.json"
    file.write_text(json.dumps({"kernel": kernel.tolist(), "combination": combination}))
    with pytest.raises(KernelError) as caught:
        read_weights(str(file))
    assert says in str(caught.value)
