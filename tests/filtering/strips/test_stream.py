"""Pictures filtered strip by strip: the very pixels, reports and metadata of those in memory."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from picture_files import exif

from convtool.cli import run
from convtool.filtering import execution
from convtool.filtering.job import FilterJob
from convtool.filtering.memory import FilterOptions, filter_image
from convtool.filtering.picture import filter_file
from convtool.filtering.plan import PictureKind, plan_filter
from convtool.filtering.strips.chain import Chain, Counts
from convtool.filtering.strips.inputs import opened
from convtool.filtering.strips.job import answer_rows, filter_stream
from convtool.filtering.strips.options import StoreOptions
from convtool.filtering.strips.rows import Kept
from convtool.images.image import Image, Metadata
from convtool.images.options import ReadOptions, WriteOptions
from convtool.images.read import read
from convtool.images.write import write
from convtool.kernels.spec import parse

HEIGHT, WIDTH = 230, 90


@pytest.fixture(autouse=True)
def small_steps(monkeypatch, tmp_path):
    """Some twenty rows at a time, in a folder of its own."""
    monkeypatch.setattr(execution, "STEP_BYTES", 1 << 14)
    monkeypatch.chdir(tmp_path)


def _pixels(kind):
    rng = np.random.default_rng(5)
    shape = (HEIGHT, WIDTH)
    if kind == "gray16":
        return rng.integers(0, 65536, shape, np.uint16)
    if kind == "float32":
        return rng.normal(size=shape).astype(np.float32)
    if kind == "float64":
        return rng.normal(size=(*shape, 3))
    if kind == "nan":
        found = rng.normal(size=shape).astype(np.float32)
        found[200, 5] = np.nan
        return found
    if kind in ("clear", "opaque"):
        found = rng.integers(0, 256, (*shape, 4), np.uint8)
        found[:180, :, 3] = 255
        if kind == "opaque":
            found[:, :, 3] = 255
        return found
    return rng.integers(0, 256, (*shape, 3), np.uint8)


STORED = {
    "rgb": {"tile": (64, 64), "compression": "zlib", "predictor": True},
    "gray16": {"rowsperstrip": 7, "compression": "lzw"},
    "float32": {},
    "float64": {"tile": (32, 48), "compression": "zlib"},
    "nan": {"rowsperstrip": 11},
    "clear": {"tile": (64, 64), "extrasamples": ["unassalpha"]},
    "opaque": {"rowsperstrip": 16, "extrasamples": ["unassalpha"], "compression": "packbits"},
    "zstd": {"tile": (32, 32), "compression": "zstd"},
}
KERNELS = {
    "gaussian": ["gaussian:sigma=2"],
    "chain": ["gaussian:sigma=1", "laplacian-8", "box:size=5"],
    "tall": ["box:size=61"],
    "gradient": ["sobel"],
    "even gradient": ["roberts"],
    "maximum": ["gaussian", "kirsch"],
    "full rank": ["log:sigma=3"],
    "identity": ["identity"],
}
OPTIONS = {
    "plain": {},
    "stretch": {"range": "stretch"},
    "stretch and bias": {"range": "stretch", "bias": 40.0},
    "abs and bias": {"range": "abs", "bias": 3.0},
    "offset": {"range": "offset", "depth": "16"},
    "gray": {"gray": True},
    "linear": {"linear": True, "border": "constant", "cval": 9.0},
    "alpha kept": {"alpha": "keep"},
    "stride": {"stride": (2, 3)},
    "valid": {"mode": "valid"},
    "full": {"mode": "full"},
    "padding": {"padding": (40, 31), "border": "wrap"},
    "wrap": {"border": "wrap"},
    "mirror": {"border": "mirror", "depth": "float"},
    "fft": {"engine": "fft"},
    "separable": {"engine": "separable"},
    "numba": {"engine": "numba"},
    "numba wraps": {"engine": "numba", "border": "wrap"},
    "correlate": {"correlate": True, "border": "nearest"},
}


def _store(kind):
    pixels = _pixels(kind)
    how = {"photometric": "rgb" if pixels.ndim == 3 else "minisblack", "metadata": None}
    tifffile.imwrite("in.tif", pixels, **how, **STORED[kind])


def _both(kernels, options):
    """Filter in memory and strip by strip; return both outcomes."""
    job = FilterJob(tuple(map(parse, kernels)), FilterOptions(**options))
    in_memory = filter_file("in.tif", "memory.tif", job)
    return in_memory, filter_stream("in.tif", "strips.tif", job, StoreOptions())


def _assert_same(first, second):
    a, b = read(first), read(second)
    assert a.pixels.dtype == b.pixels.dtype
    assert a.has_alpha == b.has_alpha
    assert np.array_equal(a.pixels, b.pixels, equal_nan=a.pixels.dtype.kind == "f")


@pytest.mark.parametrize("kernels", KERNELS.values(), ids=KERNELS)
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_every_option_gives_the_same_pixels(kernels, options):
    _store("rgb")
    in_memory, in_strips = _both(kernels, options)
    _assert_same("memory.tif", "strips.tif")
    assert in_strips.clipped_share == pytest.approx(in_memory.clipped_share, abs=1e-12)
    assert in_strips.warnings == in_memory.warnings
    assert in_strips.target == in_memory.target


@pytest.mark.parametrize("kind", sorted(set(STORED) - {"rgb", "zstd"}))
@pytest.mark.parametrize("name", ["plain", "stretch", "gray", "wrap", "valid", "alpha kept"])
@pytest.mark.parametrize("kernels", ["gaussian", "chain", "gradient", "maximum"])
def test_every_kind_of_file_gives_the_same_pixels(kind, name, kernels):
    _store(kind)
    in_memory, in_strips = _both(KERNELS[kernels], OPTIONS[name])
    _assert_same("memory.tif", "strips.tif")
    assert in_strips.warnings == in_memory.warnings


@pytest.mark.parametrize("kernels", [["sobel"], ["gaussian", "scharr"]], ids=["one", "two"])
def test_the_direction_of_a_gradient(kernels):
    _store("rgb")
    _both(kernels, {"direction": True, "depth": "16"})
    _assert_same("memory.tif", "strips.tif")


@pytest.mark.parametrize("ends", [(64, 101), (1, 229)], ids=str)
@pytest.mark.parametrize(
    "options", [{"engine": "fft"}, {"engine": "numba"}, {"bias": 9.0}], ids=str
)
def test_values_that_are_clipped_count_once_however_rows_are_shared_out(ends, options):
    _store("rgb")
    kernels, filtering = (parse("laplacian-8"),), FilterOptions(**options)
    whole = filter_image(read("in.tif"), kernels, filtering)
    counts = Counts()
    with opened("in.tif", ReadOptions(), StoreOptions(), 1) as given:
        picture = given.pictures[0]
        for span in itertools.pairwise((0, *ends, HEIGHT)):
            rows = Kept(lambda span: (span, picture.window(span)))
            kind = PictureKind.of_header(picture.header, "tiff")
            chain = Chain(rows, plan_filter(kind, kernels, filtering).toned_afterwards())
            made = np.concatenate(list(answer_rows(chain, span, 20, None)))
            assert np.array_equal(made, whole.image.pixels[slice(*span)])
            counts += chain.counts
    assert counts.values == whole.image.pixels.size
    assert counts.clipped / counts.values == whole.clipped_share > 0


def test_nan_stays_where_the_kernels_reach():
    _store("nan")
    _both(["gaussian:sigma=2,size=9", "box:size=3"], {})
    _assert_same("memory.tif", "strips.tif")
    assert np.isnan(read("strips.tif").pixels).sum() == 11 * 11


def test_a_compression_that_only_tifffile_knows_is_read_and_kept():
    _store("zstd")
    assert run(["filter", "-k", "box", "in.tif", "out.btf"]) == 0
    write("plain.png", tifffile.imread("in.tif"))
    assert run(["filter", "-k", "box", "plain.png", "plain.tif"]) == 0
    assert np.array_equal(tifffile.imread("out.btf"), read("plain.tif").pixels)
    with tifffile.TiffFile("out.btf") as file:
        assert file.is_bigtiff
        assert file.pages[0].compression.name == "ZSTD"
        assert file.pages[0].tile == (64, 64) or file.pages[0].is_tiled


def test_jpeg_tiles_are_read_and_the_output_loses_no_more(capsys):
    pixels = np.repeat(np.repeat(_pixels("rgb")[::16, ::16], 16, 0), 16, 1)
    tifffile.imwrite("in.tif", pixels, photometric="ycbcr", tile=(64, 64), compression="jpeg")
    decoded = tifffile.imread("in.tif")
    assert run(["filter", "-k", "identity", "in.tif", "out.btf"]) == 0
    assert np.array_equal(tifffile.imread("out.btf"), decoded)
    assert "jpeg would lose more at each step" in capsys.readouterr().err


def test_max_memory_decides_and_explain_says_so(capsys):
    _store("rgb")
    line = ["filter", "-k", "gaussian:sigma=2", "-k", "box:size=41", "--explain", "in.tif"]
    assert run([*line, "out.tif"]) == 0
    assert "strip by strip" not in capsys.readouterr().err
    assert run([*line, "--max-memory", "600K", "out.tif"]) == 0
    said = capsys.readouterr().err
    assert "filtered strip by strip, about 56 rows at a time, with a halo of 56 rows" in said
    assert "strips are as large as these" in said
    assert run([*line, "--max-memory", "600K", "out.png"]) == 1
    assert "--max-memory raises it" in capsys.readouterr().err
    assert run([*line, "--max-memory", "20K", "other.tif"]) == 1
    assert "even strip by strip" in capsys.readouterr().err
    assert not Path("other.tif").exists()


def test_more_pixels_than_are_read_at_once_are_no_reason_to_refuse(capsys, monkeypatch):
    _store("rgb")
    line = ["filter", "-k", "box", "in.tif", "out.tif"]
    assert run([*line, "--max-pixels", "1000"]) == 1
    assert "limit of 1000" in capsys.readouterr().err
    assert not Path("out.tif").exists()
    monkeypatch.setattr("convtool.images.options.ReadOptions.max_pixels", 1000)
    job = FilterJob((parse("box"),), reading=ReadOptions(max_pixels=1000))
    filter_stream("in.tif", "out.tif", job, StoreOptions())
    assert read("out.tif").pixels.shape == (HEIGHT, WIDTH, 3)


def test_a_dry_run_writes_nothing(capsys):
    _store("rgb")
    line = ["filter", "-k", "box", "--max-memory", "500K", "--dry-run", "in.tif", "out.tif"]
    assert run(line) == 0
    assert (
        "would write out.tif: TIFF, 90×230 (width × height), 3 channels, depth 8"
        in capsys.readouterr().err
    )
    assert not Path("out.tif").exists()


def test_the_report_is_that_of_a_picture_in_memory():
    _store("rgb")
    for name, more in (("memory", []), ("strips", ["--max-memory", "500K"])):
        line = ["filter", "-k", "laplacian-8", "--json", f"{name}.json", *more, "in.tif", "o.tif"]
        assert run(line) == 0
    found = [json.loads(Path(f"{name}.json").read_text()) for name in ("memory", "strips")]
    for one in found:
        del one["seconds"], one["steps"][0]["seconds"]
    ways = [one.pop("execution") for one in found]
    assert ways == [{"way": "memory"}, {"way": "strips", "rows_at_once": 15, "halo": 2}]
    assert found[0] == found[1]


@pytest.mark.parametrize("order", ["<", ">"])
def test_metadata_are_carried(order):
    profile = bytes(16) + b"RGB " + bytes(120)
    block = _block(order)
    told = Metadata(icc=profile, exif=block, xmp=b"<x:xmpmeta/>", resolution=(300.0, 150.0))
    write("in.tif", Image(_pixels("rgb"), metadata=told))
    _both(["box"], {})
    a, b = read("memory.tif").metadata, read("strips.tif").metadata
    assert b.icc == profile
    assert b.xmp == told.xmp
    assert b.resolution == (300.0, 150.0)
    assert b.exif == a.exif
    assert len(b.exif) > 60


def _block(order):
    """Return EXIF with a maker, and a directory of its own with an exposure time."""
    from convtool.images.codecs.exif import serialised
    from convtool.images.codecs.ifd import Entry

    whole = "little" if order == "<" else "big"
    time = (1).to_bytes(4, whole) + (60).to_bytes(4, whole)
    inner = {33434: Entry(5, 1, time), 34855: Entry(3, 1, (200).to_bytes(2, whole))}
    entries = {271: Entry(2, 9, b"A maker.\0"), 34665: Entry(4, 1, entries=inner)}
    return exif(1, order)[:8] + serialised(entries, order, 8)


def test_metadata_can_be_left_out():
    write("in.tif", Image(_pixels("rgb"), metadata=Metadata(xmp=b"<x:xmpmeta/>")))
    job = FilterJob((parse("box"),), writing=WriteOptions(metadata="strip"))
    filter_stream("in.tif", "out.tif", job, StoreOptions())
    assert read("out.tif").metadata.xmp == b""


def test_a_background_takes_the_place_of_transparency():
    _store("clear")
    job = FilterJob((parse("box"),), writing=WriteOptions(background="#ff8000"))
    filter_file("in.tif", "memory.tif", job)
    filter_stream("in.tif", "strips.tif", job, StoreOptions())
    _assert_same("memory.tif", "strips.tif")
    assert not read("strips.tif").has_alpha


@pytest.mark.parametrize("kind", ["rgb", "clear", "gray16"])
def test_a_pyramid_is_read_back_by_tifffile(kind):
    rng = np.random.default_rng(2)
    pixels = _pixels(kind)
    pixels = np.concatenate([pixels] * 5)[:1001, :]
    pixels = np.concatenate([pixels] * 8, axis=1)[:, : 601 + int(rng.integers(0, 1))]
    rgb = pixels.ndim == 3
    tifffile.imwrite("in.tif", pixels, photometric="rgb" if rgb else "minisblack", metadata=None)
    assert run(["filter", "-k", "identity", "--pyramid", "in.tif", "out.tif"]) == 0
    with tifffile.TiffFile("out.tif") as file:
        levels = [level.asarray() for level in file.series[0].levels]
        reduced = [page.subfiletype for page in file.pages[0].pages]
    assert [level.shape[:2] for level in levels] == [(1001, 601), (501, 301), (251, 151)]
    assert reduced == [1, 1]
    for above, below in itertools.pairwise(levels):
        padded = np.pad(above, [(0, n % 2) for n in above.shape[:2]] + [(0, 0)] * rgb, "edge")
        parts = padded.astype(float).reshape(below.shape[0], 2, below.shape[1], 2, -1)
        if kind == "clear":
            assert np.array_equal(below[:, :, 3], np.rint(parts[..., 3].mean((1, 3))))
            opaque = (parts[..., 3] == 255).all((1, 3))
            expected = np.rint(parts[..., :3].mean((1, 3)))
            assert np.array_equal(below[opaque][:, :3], expected[opaque])
        else:
            assert np.array_equal(below.reshape(*below.shape[:2], -1), np.rint(parts.mean((1, 3))))


def test_levels_of_the_input_are_left_out_with_a_warning(capsys):
    _store("rgb")
    with tifffile.TiffWriter("in.tif") as file:
        file.write(_pixels("rgb"), photometric="rgb", metadata=None)
        file.write(_pixels("rgb")[::2, ::2], photometric="rgb", subfiletype=1, metadata=None)
    assert run(["filter", "-k", "box", "in.tif", "out.btf"]) == 0
    assert "1 smaller levels or previews are left out" in capsys.readouterr().err
    with tifffile.TiffFile("out.btf") as file:
        assert len(file.pages) == 1


def test_several_pages_are_refused_unless_one_is_picked(capsys):
    with tifffile.TiffWriter("in.tif") as file:
        for _ in range(2):
            file.write(_pixels("rgb"), photometric="rgb", metadata=None)
    assert run(["filter", "-k", "box", "in.tif", "out.btf"]) == 1
    assert "pick it with --page N" in capsys.readouterr().err
    assert run(["filter", "-k", "box", "--page", "2", "in.tif", "out.btf"]) == 0


REFUSED = {
    "turned": ({"extratags": [(274, 3, 1, 6, True)]}, "--orientation keep"),
    "cmyk": ({"photometric": "separated"}, "holds CMYK"),
}


@pytest.mark.parametrize(("how", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_done_in_strips_is_refused(how, words, capsys):
    pixels = np.zeros((HEIGHT, WIDTH, 4 if "photometric" in how else 3), np.uint8)
    tifffile.imwrite("in.tif", pixels, **({"photometric": "rgb"} | how), metadata=None)
    assert run(["filter", "-k", "box", "in.tif", "out.btf"]) == 1
    assert words in capsys.readouterr().err
    assert not Path("out.btf").exists()


def _cut_off(data):
    return data[:-2000]


def _beyond(data):
    """Move the first strip's offset far beyond the end of the file."""
    with tifffile.TiffFile("in.tif") as file:
        place = file.pages[0].tags[273].valueoffset
        size = 8 if file.pages[0].tags[273].dtype == 16 else 4
    return data[:place] + (10**9).to_bytes(size, "little") + data[place + size :]


def _garbage(data):
    with tifffile.TiffFile("in.tif") as file:
        place = file.pages[0].dataoffsets[20]
    return data[:place] + bytes(range(200)) + data[place + 200 :]


DAMAGE = {
    "cut off": (_cut_off, "cut off"),
    "strips beyond the end": (_beyond, "beyond its end"),
    "a strip of nonsense": (_garbage, "damaged"),
}


@pytest.mark.parametrize(("damage", "words"), DAMAGE.values(), ids=DAMAGE)
def test_damage_is_one_line_and_nothing_is_written(damage, words, capsys):
    _rows = {"rowsperstrip": 4, "compression": "zlib"}
    tifffile.imwrite("in.tif", _pixels("rgb"), photometric="rgb", metadata=None, **_rows)
    Path("in.tif").write_bytes(damage(Path("in.tif").read_bytes()))
    Path("out.tif").write_bytes(b"as it was")
    line = ["filter", "-k", "box", "--max-memory", "500K", "in.tif", "out.tif"]
    assert run(line) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "in.tif" in said
    assert words in said
    assert Path("out.tif").read_bytes() == b"as it was"
    assert not list(Path().glob(".convtool-*"))


def test_a_missing_library_is_named(capsys, monkeypatch):
    _store("rgb")
    monkeypatch.setitem(__import__("sys").modules, "tifffile", None)
    assert run(["filter", "-k", "box", "in.tif", "out.btf"]) == 2
    assert "pip install 'convtool[big]'" in capsys.readouterr().err


def test_a_full_disk_leaves_what_was_there(capsys, monkeypatch):
    _store("rgb")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tifffile.TiffWriter, "write", full)
    Path("out.tif").write_bytes(b"as it was")
    assert run(["filter", "-k", "box", "--max-memory", "500K", "in.tif", "out.tif"]) == 1
    assert "out.tif: cannot be written: No space left on device" in capsys.readouterr().err
    assert Path("out.tif").read_bytes() == b"as it was"
    assert not list(Path().glob(".convtool-*"))


def test_standard_input_is_not_filtered_in_strips(capsys):
    assert run(["filter", "-k", "box", "-", "out.btf"]) == 2
    assert "name a file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--resume", "--resume is for many pictures and Zarr outputs"),
        ("--overwrite", "--overwrite is for Zarr outputs"),
    ],
)
def test_options_of_zarr_are_refused_for_files(option, words, capsys):
    _store("rgb")
    assert run(["filter", "-k", "box", option, "in.tif", "out.tif"]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--region=1,1,2,2", "--channels=R", "--nan=fill"])
def test_what_looks_at_more_than_strips_is_refused(option, capsys):
    _store("rgb")
    assert run(["filter", "-k", "box", option, "in.tif", "out.zarr"]) == 2
    name = option.partition("=")[0]
    assert f"is filtered strip by strip, which {name} cannot be" in capsys.readouterr().err
    assert not Path("out.zarr").exists()
