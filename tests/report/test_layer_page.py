"""The pages of a layer and of the convolution theorem, in a real browser."""

import json

import numpy as np
import pytest
from browser import Browser

from convtool.cli import run
from convtool.images.formats import format_for
from convtool.images.options import ReadOptions

BACK = ("--image", "1,2,3;4,5,6;7,8,9", "-k", "3x3:1,0,-1,2,1,0,0,-1,3", "--border", "zero")
BACK += ("--bias", "0.5", "--gradient", "1,0,2;-1,3,0;0,1,-2")
VOLUME = ("--image", "1,2,3,4,1;5,6,7,8,0;9,1,2,3,1", "-k", "emboss")
VOLUME += (
    "--image",
    "0,1,0,1,2;2,2,2,2,1;1,0,1,0,4",
    "-k",
    "box",
    "--bias",
    "-3",
    "--stride",
    "1,2",
)
VOLUME += ("--activation", "leaky:0.1", "--pool", "average:2", "--gradient", "1,0;-1,3")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def page(browser, tmp_path, capsys):
    """Open the page of some options; return the browser and the report of the same."""

    def opened(*options):
        path = tmp_path / "page.html"
        assert run(["explain", *options, "--html", str(path), "--json"]) == 0
        browser.screen(1200, 900)
        browser.open(path.as_uri())
        assert browser.complaints() == []
        assert len(browser.requests()) == 1
        return browser, json.loads(capsys.readouterr().out)

    return opened


@pytest.mark.parametrize(
    "options", [BACK, (*BACK, "--correlate"), VOLUME, (*VOLUME, "--correlate")]
)
def test_gradients_are_those_of_the_report(options, page):
    shown, told = page(*options)
    channels = np.array(told["image"]).reshape(-1, *told["shape"]).shape[0]
    gradient = {k: [v] if channels == 1 else v for k, v in told["gradient"].items()}
    for name, part in (("kernel", "kernel"), ("folded", "image")):
        seen = shown.run(f"backwardOf(state, layerOf(state)).channels.map(c => c.{name})")
        np.testing.assert_allclose(seen, gradient[part], atol=1e-12)
    for i in range(channels):
        shown.run(f"look('image-{i}')")
        np.testing.assert_allclose(
            shown.run("result.output"), gradient["padded_image"][i], atol=1e-12
        )
        shown.run(f"look('weights-{i}')")
        laid = np.array(gradient["kernel"][i])
        laid = laid if "--correlate" in options else laid[::-1, ::-1]
        np.testing.assert_allclose(shown.run("result.output"), laid, atol=1e-12)
    shown.run("look('forward-0')")
    np.testing.assert_allclose(shown.run("result.output"), told["output"], atol=1e-12)


def test_back_propagation_is_gone_through_window_by_window(page):
    shown, _ = page(*BACK)
    shown.click("[data-view='weights-0']")
    shown.run("go(4)")
    assert shown.text("#where") == "Step 5 of 9: dK row 1, column 1 is 8"
    assert shown.text("#sum") == "1 + 0 + 6 − 4 + 15 + 0 + 0 + 8 − 18 = 8"
    tables = shown.run("[...document.querySelectorAll('#tables h2')].map(e => e.textContent)")
    assert tables == [
        "dK, flipped back",
        "db = 1 + 0 + 2 − 1 + 3 + 0 + 0 + 1 − 2",
        "dZ, the gradient of the output",
    ]
    shown.click("[data-view='image-0']")
    shown.run("go(12)")
    assert shown.text("#where") == "Step 13 of 25: dX row 2, column 2 is −7"
    assert shown.text("#tables table").split() == ["11", "−1", "2", "2", "−7", "8", "−3", "0", "3"]
    assert shown.run("document.querySelectorAll('#output .added').length") == 16


def test_bias_activation_and_pooling_follow_the_sums(page):
    shown, told = page(*VOLUME)
    shown.run("go(1)")
    lines = shown.run("[...document.querySelectorAll('#sum .total')].map(e => e.textContent)")
    assert lines[0].startswith("all channels: ")
    assert lines[1].startswith("leaky(")
    shown.click("[data-view='pool']")
    np.testing.assert_allclose(shown.run("result.output"), told["pooled"], atol=1e-12)
    np.testing.assert_allclose(shown.run("result.padded"), told["activated"], atol=1e-12)
    assert shown.text("#where").startswith("Step 1 of 4: pooled row 0, column 0 is ")


def test_what_follows_is_chosen_on_the_page(page):
    shown, _ = page("--image", "1,2,1;0,2,0;1,2,1", "-k", "identity")
    for name, value in (("pool", "max"), ("bias", "-1"), ("activation", "relu")):
        shown.run(
            f"(() => {{ get('{name}').value = '{value}'; get('{name}').dispatchEvent("
            "new Event('input')); })()"
        )
    assert shown.run("views.find(v => v.id === 'pool').output") == [[1, 0], [1, 0]]
    shown.click("#backward")
    assert shown.run("state.gradient") == [[1, 1], [1, 1]]
    assert shown.run("views.map(v => v.id)") == ["forward-0", "pool", "weights-0", "image-0"]


def test_pair_shows_both_derivatives_and_the_magnitude(page):
    shown, told = page("--image", "94,50,221;98,109,50;49,213,91", "-k", "sobel")
    assert shown.run("views.map(v => v.name)") == ["sobel-horizontal", "sobel-vertical"]
    np.testing.assert_allclose(shown.run("result.output"), told["output"], rtol=1e-12)
    shown.run("look('forward-1'); go(8)")
    assert shown.text("#sum .total") == "magnitude: √(227² + (−425)²) = 481.824"
    assert shown.run("get('preset').value") == "sobel-vertical"


@pytest.mark.parametrize("options", [BACK, VOLUME, (*BACK[:4], "--spectrum")])
def test_pages_fit_a_phone(options, page):
    shown, _ = page(*options)
    shown.screen(360, 740, phone=True)
    assert shown.run("document.documentElement.scrollWidth") <= 360


def test_theorem_shows_the_numbers_of_the_report(page):
    shown, told = page("--image", "1,2,3,0;4,5,6,1;7,8,9,2", "-k", "gaussian", "--spectrum")
    assert shown.text("h1") == "The convolution theorem"
    for name in ("image", "kernel", "product"):
        assert shown.run(f"data.spectra.{name}") == told["spectrum"][name]
    assert shown.run("data.linear") == told["spectrum"]["linear"]
    np.testing.assert_allclose(shown.run("data.circular"), told["spectrum"]["circular"], atol=1e-12)
    shown.click("#image-spectrum [aria-label^='frequency 1,1:']")
    assert shown.text("#equation") == "Frequency 1,1: (1.732 + 3i) × (0.125) = 0.2165 + 0.375i"
    assert shown.text("#effect") == (
        "The kernel makes this wave 0.125 times as high and shifts it by 0° of a period."
    )


def test_spectrum_of_a_picture_is_drawn(page):
    crop = ("--image", "sample_images/zone-plate.png", "--crop", "0,0,41x51")
    shown, _ = page(*crop, "-k", "box", "--spectrum")
    assert shown.run("document.querySelectorAll('canvas').length") == 10
    shown.click("#product canvas")
    assert shown.text("#equation").startswith("Frequency 0,0: ")


def test_wide_tables_show_that_they_go_on(page):
    crop = ("--image", "sample_images/photograph.jpg", "--crop", "100,100,16x16")
    shown, _ = page(*crop, "-k", "log:sigma=1", "--activation", "relu")
    shown.screen(390, 844, phone=True)
    decoder = format_for("a.png").load()

    def edge():
        """Return how the brightness of the right edge differs from that of the card."""
        box = shown.run(
            "(() => { const s = get('laid').parentElement; s.scrollIntoView({block: 'center'});"
            " const r = s.getBoundingClientRect(); return [r.right, r.bottom]; })()"
        )
        png = shown.picture()
        pixels = decoder.decode(png, decoder.inspect(png), ReadOptions()).pixels[:, :, :3]
        right, bottom = map(int, box)
        inside, outside = pixels[bottom - 3, right - 2], pixels[bottom + 3, right - 2]
        return int(np.abs(inside.astype(int) - outside).max())

    assert shown.run("get('laid').scrollWidth > get('laid').parentElement.clientWidth")
    assert edge() > 30
    shown.run("get('laid').parentElement.scrollTo(9999, 0)")
    assert edge() < 10
