"""Damaged files beside pictures, which the fuzzer found: the words of their refusals."""

import pytest

from convtool.convolution.calibration import SCHEMA, fingerprint, parse
from convtool.convolution.planner import DEFAULT_RATES
from convtool.errors import DatasetError, JournalError, OptionError
from convtool.images.stores.progress import ENDING, JOURNAL, Unfinished
from convtool.nn.architectures import build_layers
from convtool.nn.datasets.idx import read_idx
from convtool.nn.datasets.limits import Limits
from convtool.nn.datasets.npz import read_npz
from convtool.nn.gridsearch.journal import SearchJournal


@pytest.mark.parametrize("entry", ["{}", '{"plane": 0}', '{"plane": 0, "block": [4, 2]}'])
def test_a_store_journal_line_that_is_no_entry(tmp_path, entry):
    (tmp_path / f"out{ENDING}").mkdir()
    journal = tmp_path / f"out{ENDING}" / JOURNAL
    journal.write_text(f'{{"schema": "convtool.progress/1", "fingerprint": "f"}}\n{entry}\n')
    with pytest.raises(
        JournalError, match="line 2 is damaged; without `resume=True` it starts again"
    ):
        Unfinished(str(tmp_path / "out"), "f", resume=True)


@pytest.mark.parametrize("search", ["1", "{}"])
def test_a_search_journal_of_other_values(tmp_path, search):
    path = tmp_path / "journal"
    header = f'{{"format": "convtool.gridsearch.journal/1", "search": {search}}}'
    path.write_text(header + '\n{"choice": 1}\n')
    with pytest.raises(JournalError, match=r"is not a journal of this kind|line 2 is damaged"):
        SearchJournal(path, {}, resume=True)


@pytest.mark.parametrize(
    ("arch", "words"),
    [
        ("conv nan", "nan is not a whole number above 0"),
        ("conv 1e309", "1e309 is not a whole number above 0"),
        ("conv 2 184467440737095", "from 1 to 65536"),
        ("conv 9999 60000", r"Conv2D would hold 3\.6e\+13|more than 268435456"),
        ("avgpool 2 stride 18446744073709551616", "from 1 to 65536"),
    ],
)
def test_layers_of_impossible_sizes(arch, words):
    with pytest.raises(OptionError, match=words):
        build_layers(arch, (1, 12, 12), 3, 0)


def test_an_idx_file_that_promises_nothing(tmp_path):
    path = tmp_path / "images"
    path.write_bytes(b"\0\0\x08\3" + bytes(4) + b"\xff" * 8)
    with pytest.raises(DatasetError, match="its header promises no data: damaged"):
        read_idx(path, 3, Limits())


def test_an_archive_that_is_none(tmp_path):
    path = tmp_path / "data.npz"
    path.write_bytes(b"PK")
    with pytest.raises(DatasetError, match="cannot be read, or is damaged"):
        read_npz(path, Limits())


def test_a_rate_beyond_floats():
    import json

    rates = {name: rate._asdict() | {"parallel": 10**400} for name, rate in DEFAULT_RATES.items()}
    text = json.dumps({"schema": SCHEMA, "machine": fingerprint(), "rates": rates})
    with pytest.raises(ValueError, match="a rate is negative or not finite"):
        parse(text)
