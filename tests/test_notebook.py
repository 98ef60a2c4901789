"""What notebooks show: PNG pictures with the right pixels, tables with escaped text."""

import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image as Pillow

import convtool
from convtool import notebook
from convtool.filtering.options import FilterOptions
from convtool.filtering.plan import PictureKind, plan_filter
from convtool.images.image import Document, Image, Metadata
from convtool.images.kernels import kernel_spec
from convtool.svd import planner
from convtool.svd.study import study

RANDOM = np.random.default_rng(3)


def decoded(png):
    with Pillow.open(io.BytesIO(png)) as picture:
        picture.load()
        return np.asarray(picture)


class Cells(HTMLParser):
    """Collects the rows of all tables, and checks that tags are closed in order."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.open, self.sources, self.captions = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.sources.append(dict(attrs)["src"])
            return
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1] == "caption":
            self.captions.append(data)
        else:
            self.rows[-1].append(data)


class TestImages:
    @pytest.mark.parametrize(
        ("shape", "alpha", "mode"),
        [
            ((5, 7), False, "L"),
            ((5, 7, 2), True, "LA"),
            ((5, 7, 3), False, "RGB"),
            ((5, 7, 4), True, "RGBA"),
        ],
    )
    def test_small_ones_of_8_bits_are_shown_as_they_are(self, shape, alpha, mode):
        pixels = RANDOM.integers(0, 256, shape, np.uint8)
        png = Image(pixels, alpha)._repr_png_()
        with Pillow.open(io.BytesIO(png)) as picture:
            assert picture.mode == mode
        assert (decoded(png) == pixels).all()

    def test_of_16_and_of_12_bits(self):
        pixels = np.array([[0, 2048, 4095]], np.uint16)
        assert decoded(Image(pixels, bits=12)._repr_png_()).tolist() == [[0, 128, 255]]
        assert decoded(Image(pixels * 16)._repr_png_()).tolist() == [[0, 128, 255]]

    @pytest.mark.parametrize(
        ("values", "shown"),
        [
            ([0.0, 0.25, 1.0], [0, 64, 255]),
            ([0.25, 0.5, 0.75], [64, 128, 191]),
            ([-2.0, 0.0, 2.0], [0, 128, 255]),
            ([np.nan, 0.0, 4.0], [0, 0, 255]),
            ([np.inf, 0.0, 4.0], [255, 0, 255]),
            ([7.0, 7.0, 7.0], [255, 255, 255]),
            ([np.nan] * 3, [0, 0, 0]),
        ],
    )
    def test_floats(self, values, shown):
        assert decoded(Image(np.array([values], np.float32))._repr_png_()).tolist() == [shown]

    def test_alpha_of_floats_is_not_stretched(self):
        pixels = np.array([[[-1.0, 0.5], [3.0, 1.0]]])
        assert decoded(Image(pixels, True)._repr_png_()).tolist() == [[[0, 128], [255, 255]]]

    def test_signed_and_long_integers_are_stretched(self):
        assert decoded(Image(np.array([[-100, 100]], np.int16))._repr_png_()).tolist() == [[0, 255]]
        assert decoded(Image(np.array([[5, 10]], np.uint32))._repr_png_()).tolist() == [[0, 255]]

    def test_missing_pixels_do_not_count(self):
        image = Image(np.array([[-9999.0, 10.0, 30.0]]), metadata=Metadata(nodata=-9999.0))
        assert decoded(image._repr_png_()).tolist() == [[0, 0, 255]]

    def test_of_bands_the_first_is_shown(self):
        pixels = RANDOM.integers(0, 256, (4, 5, 6), np.uint8)
        assert (decoded(Image(pixels)._repr_png_()) == pixels[:, :, 0]).all()

    @pytest.mark.parametrize("shape", [(1300, 2000), (3, 5000), (5000, 1)])
    def test_large_ones_are_reduced_to_means(self, shape):
        pixels = np.full(shape, 100, np.uint8)
        pixels[: shape[0] // 2] = 200
        shown = decoded(Image(pixels)._repr_png_())
        assert max(shown.shape) <= notebook.LONGEST_SIDE
        assert set(np.unique(shown)) <= {100, 200} | set(range(100, 201))
        assert abs(shown.mean() - pixels.mean()) < 1

    def test_documents_show_their_first_page(self):
        pages = Image(np.zeros((2, 2), np.uint8)), Image(np.ones((2, 2), np.uint8))
        assert Document(pages)._repr_png_() == pages[0]._repr_png_()


class TestRepr:
    @pytest.mark.parametrize(
        ("image", "text"),
        [
            (Image(np.zeros((480, 640, 3), np.uint8), format="jpeg"), "480×640, RGB, uint8, JPEG"),
            (Image(np.zeros((2, 3), np.uint16), bits=12), "2×3, grey, uint12"),
            (Image(np.zeros((2, 3, 2)), True), "2×3, grey and alpha, float64"),
            (Image(np.zeros((2, 3, 4), ">u2"), True), "2×3, RGBA, uint16"),
            (Image(np.zeros((2, 3, 5), np.int8)), "2×3, 5 bands, int8"),
            (Image(np.zeros((2, 3, 4), np.int64)), "2×3, 4 bands, int64"),
        ],
    )
    def test_images_in_one_line(self, image, text):
        assert repr(image) == f"Image({text})"

    def test_documents_in_one_line(self):
        page = Image(np.zeros((2, 3), np.uint8), format="gif")
        assert repr(Document((page,))) == "Document(1 page, 2×3, grey, uint8, GIF)"
        frames = Document((page,) * 3, (40.0,) * 3)
        assert repr(frames) == "Document(3 frames, 2×3, grey, uint8, GIF)"


class TestArrayProtocol:
    def test_pixels_without_a_copy(self):
        image = Image(np.arange(6, dtype=np.uint16).reshape(2, 3))
        assert np.asarray(image) is image.pixels
        assert (image.shape, image.dtype) == ((2, 3), np.uint16)

    def test_copies_and_types_as_numpy_asks(self):
        image = Image(np.arange(6, dtype=np.uint16).reshape(2, 3))
        copied = np.array(image)
        assert not np.shares_memory(copied, image.pixels)
        assert np.asarray(image, np.float32).dtype == np.float32
        with pytest.raises(ValueError, match="copy"):
            np.array(image, np.float32, copy=False)


class TestTables:
    def test_plans(self):
        plan = convtool.plan((480, 640), "uint8", "gaussian:sigma=2")
        cells = Cells(plan._repr_html_())
        assert cells.rows[0] == ["engine", "estimate", "chosen"]
        assert {row[0] for row in cells.rows[1:]} == set(plan.costs)
        assert [row[0] for row in cells.rows if row[-1] == "✓"] == [plan.engine]
        assert cells.captions[0].startswith(plan.engine)

    def test_plans_of_the_decomposition(self):
        plan = planner.plan(100, 80, 5)
        assert {row[0] for row in Cells(plan._repr_html_()).rows[1:]} == set(plan.costs)

    def test_plans_of_a_filter(self):
        specs = [kernel_spec("gaussian"), kernel_spec("sobel")]
        plan = plan_filter(PictureKind((40, 60), np.dtype("uint8")), specs, FilterOptions())
        cells = Cells(plan._repr_html_())
        assert [row[:2] for row in cells.rows[1:]] == [
            [step.kernel, step.plan.engine] for step in plan.steps
        ]
        assert cells.captions == ["40×60 pixels"]

    def test_kernels(self):
        cells = Cells(kernel_spec("sobel")._repr_html_())
        weights = convtool.kernel("sobel").reshape(6, 3)
        assert [[float(cell) for cell in row] for row in cells.rows] == weights.tolist()
        large = Cells(kernel_spec("gaussian:sigma=20")._repr_html_())
        assert not large.rows
        assert len(large.sources) == 1

    def test_compressed_pictures_and_their_reports(self):
        image = Image(RANDOM.integers(0, 256, (32, 40), np.uint8))
        small = convtool.svd.compress(image, 4)
        assert (decoded(small._repr_png_()) == small.reconstruct()).all()
        cells = Cells(small._repr_html_())
        assert cells.rows[1][:2] == ["4", str(small.stored)]
        assert len(cells.sources) == 1
        found = study(image, [2, 4], method="auto", color="channels", block=None, precision="auto")
        cells = Cells(found._repr_html_())
        assert [row[0] for row in cells.rows] == ["k", "2", "4"]
        assert all(len(row) == len(cells.rows[0]) for row in cells.rows)

    def test_text_is_escaped(self):
        text = notebook.table_html(["<a>"], [["<script>&"]], '"<b>')
        assert re.findall(r"<(\w+)", text) == [
            "table",
            "caption",
            "thead",
            "tr",
            "th",
            "tbody",
            "tr",
            "td",
        ]
        cells = Cells(text)
        assert cells.rows == [["<a>"], ["<script>&"]]
        assert cells.captions == ['"<b>']
        spec = kernel_spec("3x3:0,-1,0,-1,5,-1,0,-1,0")
        assert Cells(spec._repr_html_()).captions == [spec.text]

    def test_ipython_finds_them(self):
        formatters = pytest.importorskip("IPython.core.formatters", reason="IPython is missing")
        shown, _ = formatters.DisplayFormatter().format(Image(np.zeros((2, 2), np.uint8)))
        assert set(shown) == {"text/plain", "image/png"}
        shown, _ = formatters.DisplayFormatter().format(convtool.plan((9, 9), "uint8", "box"))
        assert set(shown) == {"text/plain", "text/html"}
