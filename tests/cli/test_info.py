"""``convtool info``: what it says, as lines and as JSON, and what it does where it cannot."""

import json
import os

import numpy as np
import profiles
import pytest

from convtool.cli import run
from convtool.images.codecs.icc import description
from convtool.images.formats import FORMATS
from convtool.images.image import Coding, Document, Image, Metadata
from convtool.images.write import write

PICTURE = np.random.default_rng(2).integers(0, 256, (20, 30, 3)).astype(np.uint8)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_photograph(folder, capsys):
    coding = Coding("", 84, 84, "4:2:0", True)
    metadata = Metadata(
        icc=profiles.named("Test colours"),
        xmp=b"<x/>",
        resolution=(300.0, 300.0),
        text=(("Comment", "two\nlines \x1b and " + "m" * 60),),
        coding=coding,
    )
    write("a.jpg", Image(PICTURE, metadata=metadata))
    assert run(["info", "a.jpg"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "a.jpg: JPEG, 30×20, colour, 8 bits",
        "  compression: quality 84, 4:2:0, progressive",
        "  resolution: 300",
        "  profile: Test colours, 248 bytes",
        "  XMP: 4 bytes",
        f"  text Comment: two lines and {'m' * 45}…",
    ]


def test_pages_and_frames(folder, capsys):
    pages = Document((Image(PICTURE), Image(PICTURE[:, :, 0]), Image(PICTURE.astype(np.float32))))
    write("a.tif", pages)
    write("b.png", Document((Image(PICTURE),) * 2, (500.0, 1000.0), 3))
    write("c.gif", Document((Image(PICTURE // 64),) * 2, (500.0, 1000.0), 0))
    assert run(["info", "a.tif", "b.png", "c.gif"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "a.tif: TIFF, 30×20, colour, 8 bits",
        "  pages: 3, the others 30×20, grey, 8 bits; 30×20, colour, float32",
        "  compression: deflate",
    ]
    assert lines[4] == "  pages: 2 frames in 1.5 s, 3 times"
    assert lines[6] == "  pages: 2 frames in 1.5 s, for ever"


def test_as_json(folder, capsys):
    write("a.png", Image(np.zeros((2, 3, 4), np.uint16), True))
    write("b.webp", Document((Image(PICTURE),) * 2, (500.0, 1000.0), 3))
    assert run(["info", "--json", "a.png", "b.webp"]) == 0
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert (report["schema"], report["failures"], err) == ("convtool.info/1", [], "")
    first, second = report["files"]
    assert first == {
        "path": "a.png",
        "format": "png",
        "pages": 1,
        "width": 3,
        "height": 2,
        "channels": 4,
        "depth": "16",
        "type": "uint16",
        "alpha": True,
        "inks": False,
        "orientation": 1,
        "icc": None,
        "exif": None,
        "xmp": None,
        "resolution": None,
        "text": [],
        "coding": {
            "compression": "",
            "quality": None,
            "chroma_quality": None,
            "subsampling": "",
            "progressive": False,
        },
        "remarks": [],
    }
    assert (second["durations"], second["loop"]) == ([500, 1000], 3)


def test_one_that_fails_does_not_stop_the_others(folder, capsys):
    write("a.png", PICTURE)
    (folder / "b.png").write_text("no picture")
    os.mkfifo(folder / "pipe")
    assert run(["info", "b.png", "a.png", "missing.png", "pipe", "."]) == 1
    out, err = capsys.readouterr()
    assert out == "a.png: PNG, 30×20, colour, 8 bits\n"
    names = [line.split(": ")[2] for line in err.splitlines()]
    assert names == ["b.png", "missing.png", "pipe", "."]
    assert run(["info", "--json", "report.json", "missing.png"]) == 1
    assert "no such file" in json.loads((folder / "report.json").read_text())["failures"][0]


def test_size_and_cmyk_are_no_reason_to_refuse(folder, capsys):
    header = b"P5 30000 30000 255\n"
    (folder / "large.pgm").write_bytes(header)
    assert run(["info", "large.pgm"]) == 0
    assert "30000×30000, grey, 8 bits" in capsys.readouterr().out


def test_a_name_that_is_not_utf8(folder, capsys):
    name = os.fsdecode(b"caf\xe9.png")
    write(name, PICTURE)
    assert run(["info", name]) == 0
    assert capsys.readouterr().out.startswith("caf\\xe9.png: PNG")


def test_profiles_of_both_versions_and_broken_ones():
    text = "Größe".encode("utf-16-be")
    localized = b"mluc\0\0\0\0\0\0\0\1\0\0\0\x0cdeDE"
    localized += len(text).to_bytes(4, "big") + (28).to_bytes(4, "big") + text
    assert description(profiles.profile(b"RGB ", {b"desc": localized})) == "Größe"
    assert description(profiles.profile(b"RGB ", {b"wtpt": bytes(8)})) == ""
    assert description(profiles.profile(b"RGB ", {b"desc": b"desc"})) == ""


def test_the_table_of_formats(capsys):
    assert run(["info", "--formats", "--json"]) == 0
    table = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert set(table) == set(FORMATS)
    assert table["png"] == {
        "name": "png",
        "extensions": [".png"],
        "reads": True,
        "writes": True,
        "depths": ["8", "16"],
        "library": "OpenCV",
        "installed": True,
    }
    assert (table["pbm"]["writes"], table["pbm"]["depths"]) == (False, ["8"])
    assert table["heic"]["library"] == "pillow-heif"
    assert run(["info", "--formats"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(FORMATS) + 1
    assert lines[2].split() == ["png", "yes", "yes", "8,", "16", "OpenCV", ".png"]


def test_the_table_names_what_to_install(capsys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert run(["info", "--formats"]) == 0
    said = capsys.readouterr().out
    assert "pillow-heif (pip install 'convtool[heif]')" in said
    assert "pydicom (pip install 'convtool[science]')" in said


@pytest.mark.parametrize("arguments", [["info"], ["info", "--formats", "a.png"]])
def test_the_table_or_files(arguments, capsys):
    assert run(arguments) == 2
    assert "either picture files or --formats" in capsys.readouterr().err
