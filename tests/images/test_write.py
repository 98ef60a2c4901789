"""Writing: refused beforehand, or in place whole."""

import os
import stat

import numpy as np
import pytest

from convtool.errors import (
    ImageFormatError,
    ImageWriteError,
    OptionError,
    PixelTypeError,
    ShapeError,
)
from convtool.images import write as writing
from convtool.images.capabilities import check_holds
from convtool.images.formats import FORMATS, format_for
from convtool.images.image import PIXEL_TYPES, Image, as_image
from convtool.images.read import read
from convtool.images.write import check_writable, place, placer, save_bytes, write

GREY = np.full((3, 4), 9, np.uint8)


def entries(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", FORMATS)
def test_every_ending_names_its_format(name):
    for ending in FORMATS[name].extensions:
        assert format_for(f"some.name{ending.upper()}").name == name


@pytest.mark.parametrize("name", [name for name, entry in FORMATS.items() if entry.extensions])
@pytest.mark.parametrize("dtype", PIXEL_TYPES)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_what_a_format_cannot_hold_is_refused_before_any_work(tmp_path, name, dtype, channels):
    entry = FORMATS[name]
    kind, shape = PIXEL_TYPES[dtype], (40, 40) if channels == 1 else (40, 40, channels)
    picture = Image(np.full(shape, kind.peak, kind.array), channels in (2, 4), bits=kind.bits)
    path = tmp_path / f"a{entry.extensions[0]}"
    if entry.can_hold(channels, dtype):
        write(path, picture)
        assert entries(tmp_path) == [path.name]
        return
    with pytest.raises(ImageFormatError, match=f"{path.name}: {entry.title} ") as caught:
        write(path, picture)
    assert "; write " in str(caught.value)
    assert entries(tmp_path) == []


def test_the_advice_names_formats_that_can():
    with pytest.raises(ImageFormatError, match="TIFF, OpenEXR or PFM, or use `depth='8'` or"):
        check_holds(FORMATS["png"], "a.png", 1, "float32")
    with pytest.raises(ImageFormatError, match="PBM is not written; write JPEG, PNG"):
        check_holds(FORMATS["pbm"], "a.pbm", 1, "uint8")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("picture", "picture: has no ending"),
        ("picture.xyz", "'.xyz' is the ending of no format that convtool writes; use one of .jpg"),
        ("picture.png.gz", "'.gz' is"),
    ],
)
def test_an_unknown_ending_is_refused(path, message):
    with pytest.raises(ImageFormatError, match=message):
        check_writable(path)


def test_a_format_may_be_named(tmp_path):
    write(tmp_path / "picture", GREY, format="png")
    assert read(tmp_path / "picture").format == "png"
    with pytest.raises(ImageFormatError, match="no format is called 'xyz'; there are jpeg, png"):
        write(tmp_path / "other", GREY, format="xyz")


def test_quality_belongs_to_lossy_formats():
    with pytest.raises(OptionError, match="PNG is lossless"):
        check_writable("a.png", quality=90)
    for quality in (0, 101):
        with pytest.raises(OptionError, match="1 to 100"):
            check_writable("a.jpg", quality=quality)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (np.ones(3, np.uint8), ShapeError),
        (np.ones((2, 2, 5), np.uint8), ShapeError),
        (np.ones((0, 2), np.uint8), ShapeError),
        (np.ones((2, 2), np.int64), PixelTypeError),
        (np.ones((2, 2), complex), PixelTypeError),
    ],
)
def test_what_is_no_picture(value, error):
    with pytest.raises(error):
        as_image(value)


def test_an_array_becomes_a_picture():
    assert as_image(np.ones((2, 2, 1), np.uint8)).pixels.shape == (2, 2)
    assert [as_image(np.ones((1, 1, c), np.uint8)).has_alpha for c in (2, 3, 4)] == [
        True,
        False,
        True,
    ]
    image = Image(GREY)
    assert as_image(image) is image


def test_the_mode_is_as_the_umask_says(tmp_path):
    previous = os.umask(0o027)
    try:
        write(tmp_path / "a.png", GREY)
    finally:
        os.umask(previous)
    assert stat.S_IMODE((tmp_path / "a.png").stat().st_mode) == 0o640


def test_a_link_is_written_through(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.png").symlink_to("folder/real.png")
    write(tmp_path / "link.png", GREY)
    assert (tmp_path / "link.png").is_symlink()
    assert entries(tmp_path / "folder") == ["real.png"]
    np.testing.assert_array_equal(read(tmp_path / "link.png").pixels, GREY)


def test_where_nothing_can_be_written(tmp_path):
    (tmp_path / "a.png").mkdir()
    (tmp_path / "loop.png").symlink_to("loop.png")
    for path, message in (
        (tmp_path / "missing" / "b.png", "there is no folder"),
        (tmp_path / "a.png", "is a folder"),
        (tmp_path / ("n" * 300 + ".png"), "cannot be written"),
        ("/dev/null.png/x.png", "there is no folder"),
        (tmp_path / "loop.png", "cannot be written|not a regular file"),
    ):
        with pytest.raises(ImageWriteError, match=message):
            write(path, GREY)
    with pytest.raises(ImageWriteError, match="not a regular file"):
        write("/dev/null", GREY, format="png")
    assert entries(tmp_path) == ["a.png", "loop.png"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_without_permission(tmp_path):
    write(tmp_path / "old.png", GREY)
    (tmp_path / "old.png").chmod(0o444)
    with pytest.raises(ImageWriteError, match="write-protected"):
        write(tmp_path / "old.png", GREY + 1)
    tmp_path.chmod(0o555)
    with pytest.raises(ImageWriteError, match="cannot be written to"):
        write(tmp_path / "new.png", GREY)
    tmp_path.chmod(0o755)
    np.testing.assert_array_equal(read(tmp_path / "old.png").pixels, GREY)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, step):
    path = tmp_path / "a.png"
    write(path, GREY)

    def fail(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing.os, step, fail)
    with pytest.raises(ImageWriteError, match=r"a\.png: cannot be written: No space left"):
        write(path, GREY + 1)
    assert entries(tmp_path) == ["a.png"]
    np.testing.assert_array_equal(read(path).pixels, GREY)


def test_an_interrupt_leaves_no_temporary_file(tmp_path, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(writing.os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save_bytes(tmp_path / "a.png", b"x")
    assert entries(tmp_path) == []


def test_webp_has_a_largest_side(tmp_path):
    with pytest.raises(ImageFormatError, match=r"a\.webp: WebP holds at most 16383"):
        write(tmp_path / "a.webp", np.zeros((1, 16384), np.uint8))
    with pytest.raises(ImageFormatError, match=r"a\.jpg: "):
        write(tmp_path / "a.jpg", np.zeros((1, 65536), np.uint8))
    assert entries(tmp_path) == []


def test_names_that_are_not_utf8(tmp_path):
    path = os.fsencode(tmp_path) + b"/caf\xe9.png"
    write(os.fsdecode(path), GREY)
    np.testing.assert_array_equal(read(os.fsdecode(path)).pixels, GREY)


@pytest.mark.parametrize(
    "name",
    [
        "new.png",
        "there.png",
        "link.png",
        "broken-link.png",
        "folder",
        "folder/.",
        "folder/..",
        "pipe",
        "missing/a.png",
        "there.png/a.png",
        "linked-folder/a.png",
        "link-to-folder-that-is-not.png",
        "x" * 300,
        "nul\0byte",
    ],
)
def test_a_placer_places_as_place_does(tmp_path, name):
    write(tmp_path / "there.png", GREY)
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.png").symlink_to("there.png")
    (tmp_path / "broken-link.png").symlink_to("folder/later.png")
    (tmp_path / "linked-folder").symlink_to("folder")
    (tmp_path / "link-to-folder-that-is-not.png").symlink_to("missing/a.png")
    os.mkfifo(tmp_path / "pipe")
    path, quick = os.path.join(tmp_path, name), placer()

    def answer(placed):
        try:
            return placed(path)
        except ImageWriteError as error:
            return str(error)

    expected = answer(place)
    assert [answer(quick), answer(quick)] == [expected, expected]
    if os.path.lexists(path) and "folder" not in name and name != "pipe":
        assert expected == os.path.realpath(path)
