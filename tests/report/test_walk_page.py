"""The page of ``convtool explain --html``, in a real browser: its numbers are convtool's."""

import json
import re
from itertools import product

import numpy as np
import pytest
from browser import Browser

import convtool
from convtool.cli import run
from convtool.convolution.borders import RULES
from convtool.explain import walk

IMAGE = [[94, 50, 221, 7], [98, 109, 50, 31], [49, 213, 91, 240]]
KERNELS = {
    "3x3": [[2, 2, 1], [1, 0, -2], [-2, 2, 2]],
    "even": [[1, -2], [3, 0.5]],
    "column": [[1], [-4], [2], [0.25]],
    "row": [[1, 2, 3, 4, 5]],
    "box": (np.ones((3, 3)) / 9).tolist(),
}


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def _written(folder, *options):
    path = folder / "page.html"
    assert run(["explain", "--html", str(path), *options]) == 0
    return path


@pytest.fixture
def page(browser, tmp_path):
    path = _written(tmp_path, "--image", ";".join(",".join(map(str, r)) for r in IMAGE))
    browser.screen(1200, 900)
    browser.open(path.as_uri())
    return browser


def _choose(page, name, value):
    script = (
        f"(() => {{ const e = get({json.dumps(name)}); e.value = {json.dumps(value)};"
        " e.dispatchEvent(new Event('input')); e.dispatchEvent(new Event('change')); })()"
    )
    page.run(script)


def test_page_has_no_outside_links(tmp_path):
    text = _written(tmp_path).read_text(encoding="utf-8")
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", text)
    assert "http" not in text
    assert "@" not in re.sub(r"@media", "", text)


def test_page_loads_alone_and_without_complaints(page):
    assert page.complaints() == []
    assert len(page.requests()) == 1
    assert page.text("h1") == "Convolution, step by step"


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("operation", ["convolution", "correlation"])
def test_arithmetic_is_that_of_convtool(page, kernel, operation):
    """Every border, mode, padding and stride, in one go for each kernel."""
    weights = np.array(KERNELS[kernel], float)
    cases = []
    for border in RULES:
        for stride in product((1, 2, 3), (1, 2)):
            modes = [("same", None), ("valid", None), ("full", None)]
            modes += [("padding", pad) for pad in product((0, 1, 4), (0, 2))]
            for mode, padding in modes:
                cases.append(
                    {
                        "image": IMAGE,
                        "kernel": weights.tolist(),
                        "operation": operation,
                        "mode": mode,
                        "padding": padding or (0, 0),
                        "stride": stride,
                        "border": border,
                        "cval": 17.5,
                    }
                )
    answers = page.run(
        f"{json.dumps(cases)}.map(s => {{ const r = convolve(s); return"
        " [r.output, r.rows.formula, r.columns.formula, r.padded || null]; })"
    )
    left = 0
    for case, (output, rows, columns, padded) in zip(cases, answers, strict=True):
        how = {name: case[name] for name in ("border", "cval")} | {"stride": tuple(case["stride"])}
        if case["mode"] == "padding":
            how["padding"] = tuple(case["padding"])
        else:
            how["mode"] = case["mode"]
        function = convtool.convolve if operation == "convolution" else convtool.correlate
        try:
            expected = function(np.array(IMAGE, float), weights, **how)
        except convtool.ConvtoolError:
            assert output is None
            continue
        left += 1
        np.testing.assert_allclose(output, expected, rtol=1e-12, atol=1e-9)
        shown = walk(IMAGE, weights, correlate=operation == "correlation", **how)
        assert [rows, columns] == [one.text for one in shown.formulas]
        np.testing.assert_array_equal(padded, shown.padded)
    assert left > 100


def test_what_is_shown_is_what_was_computed(page):
    page.run("go(5)")
    shown = walk(IMAGE, "emboss")
    step = shown.step(1, 1)
    total = f"{step.sum:g}".replace("-", "−")
    assert page.text("#where") == f"Step 6 of 12: output row 1, column 1 is {total}"
    assert page.text("#sum strong") == total
    products = page.run("[...document.querySelectorAll('#window b')].map(e => e.textContent)")
    assert [float(p.replace("−", "-")) for p in products] == step.products.ravel().tolist()
    cells = page.run("[...document.querySelectorAll('#output .cell')].map(e => e.textContent)")
    assert [float(c.replace("−", "-")) for c in cells[:6]] == shown.output.ravel()[:6].tolist()
    assert set(cells[6:]) == {"·"}
    laid = page.run("[...document.querySelectorAll('#laid td')].map(e => e.textContent)")
    assert [float(v.replace("−", "-")) for v in laid] == shown.laid.ravel().tolist()
    padded = page.run("[...document.querySelectorAll('#padded .cell')].map(e => e.textContent)")
    assert [float(v) for v in padded] == shown.padded.ravel().tolist()


def test_every_choice_is_followed(page):
    page.click("#correlation")
    for name, value in (("mode", "padding"), ("border", "wrap"), ("pad-y", 2), ("pad-x", 1)):
        _choose(page, name, value)
    _choose(page, "stride-y", 2)
    _choose(page, "preset", "sobel-vertical")
    expected = convtool.correlate(
        np.array(IMAGE, float), "sobel-vertical", border="wrap", padding=(2, 1), stride=(2, 1)
    )
    assert page.run("result.output") == expected.tolist()
    assert page.text("#rows-formula") == "floor((3 + 2·2 − 3) / 2) + 1 = 3"
    assert "horizontal" in page.text("#about") or "vertical" in page.text("#about")


def test_weights_are_edited(page):
    page.run(
        "(() => { const e = document.querySelector('#kernel input'); e.value = '1/4';"
        " e.dispatchEvent(new Event('input')); })()"
    )
    kernel = convtool.kernel("emboss")
    kernel[0, 0] = 0.25
    np.testing.assert_allclose(
        page.run("result.output"), convtool.convolve(np.array(IMAGE, float), kernel)
    )
    assert page.run("get('preset').value") == "your weights"
    page.run(
        "(() => { const e = document.querySelector('#kernel input'); e.value = 'x';"
        " e.dispatchEvent(new Event('input')); })()"
    )
    assert (
        page.run("document.querySelector('#kernel input').getAttribute('aria-invalid')") == "true"
    )
    assert page.run("state.kernel[0][0]") == 0.25


def test_picture_is_drawn_on_by_mouse_and_keyboard(page):
    page.click("#padded [data-y='1'][data-x='2']")
    assert page.run("state.image[1][2]") == 255
    page.run("focusCell(1, 2)")
    page.key("ArrowDown")
    page.key("Enter")
    assert page.run("state.image[2][2]") == 255
    assert page.run("get('picture').value") == "your drawing"
    image = np.array(IMAGE, float)
    image[1:, 2] = 255
    np.testing.assert_allclose(page.run("result.output"), convtool.convolve(image, "emboss"))


def test_pictures_and_sizes_are_chosen(page):
    for name in page.run("Object.keys(PICTURES)"):
        _choose(page, "picture", name)
        values = np.array(page.run("state.image"))
        assert values.min() >= 0
        assert values.max() <= 255
    _choose(page, "picture", "checkerboard")
    _choose(page, "height", 6)
    _choose(page, "width", 5)
    image = np.array(page.run("state.image"), float)
    assert image.shape == (6, 5)
    np.testing.assert_allclose(page.run("result.output"), convtool.convolve(image, "emboss"))


def test_keys_step_and_play(page):
    page.run("document.activeElement.blur(); go(0)")
    for key, place in (("ArrowRight", 1), ("ArrowDown", 5), ("ArrowUp", 1), ("ArrowLeft", 0)):
        page.key(key)
        assert page.run("at") == place
    page.key("End")
    assert page.run("at") == 11
    page.key("Home")
    assert page.run("at") == 0
    page.key(" ")
    assert page.run("timer !== null")
    assert page.run("get('play').getAttribute('aria-label')") == "pause"
    page.key(" ")
    assert page.run("timer === null")


def test_buttons_step_and_play(page):
    page.run("go(3)")
    page.click("#next")
    assert page.run("at") == 4
    page.click("#back")
    page.click("#back")
    assert page.run("at") == 2
    page.click("#output [aria-label^='row 2, column 3']")
    assert page.run("at") == 11
    page.click("#first")
    assert page.run("at") == 0
    page.click("#play")
    assert page.run("at") == 1
    page.click("#play")
    assert page.run("timer === null")


def test_each_button_has_a_sign_of_its_own(page):
    read = "Array.from(document.querySelectorAll('.player button')).map(b => b.textContent)"
    signs = page.run(read)
    assert signs[1] == "←"
    assert signs[3] == "→"
    page.click("#play")
    signs += page.run(read)[2:3]
    page.click("#play")
    plain = [sign.replace("\ufe0e", "") for sign in signs]
    assert all(a not in b for a in plain for b in plain if a is not b)


def test_keys_work_after_a_click_on_a_button(page):
    page.click("#next")
    page.key("ArrowRight")
    assert page.run("at") == 2
    page.key("End")
    assert page.run("at") == 11


def test_picture_of_a_file_is_taken(page, tmp_path, rng):
    pixels = rng.integers(0, 256, (3, 4)).astype(np.uint8)
    convtool.write(tmp_path / "own.png", pixels)
    bytes_ = list((tmp_path / "own.png").read_bytes())
    page.run(
        f"(() => {{ const data = new DataTransfer();"
        f" data.items.add(new File([new Uint8Array({bytes_})], 'own.png', {{type: 'image/png'}}));"
        " get('file').files = data.files; get('file').dispatchEvent(new Event('change')); })()"
    )
    page.wait("get('picture').value === OWN")
    np.testing.assert_allclose(page.run("state.image"), pixels, atol=1)
    image = np.array(page.run("state.image"), float)
    np.testing.assert_allclose(page.run("result.output"), convtool.convolve(image, "emboss"))


def test_file_that_is_no_picture_is_said(page):
    page.run(
        "(() => { const data = new DataTransfer(); data.items.add(new File(['no'], 'no.png'));"
        " get('file').files = data.files; get('file').dispatchEvent(new Event('change')); })()"
    )
    page.wait("get('message').textContent !== ''")
    assert page.text("#message").startswith("The file is not a picture")


def test_a_kernel_that_does_not_fit_is_said(page):
    _choose(page, "mode", "valid")
    _choose(page, "preset", "unsharp")
    assert page.text("#message").startswith("No output is left")
    _choose(page, "mode", "same")
    assert page.run("get('message').textContent") == ""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_fits_a_phone(browser, tmp_path, scheme):
    path = _written(tmp_path, "-k", "unsharp")
    browser.screen(360, 740, phone=True, scheme=scheme)
    browser.open(path.as_uri())
    assert browser.run("document.documentElement.scrollWidth") <= 360
    assert browser.run("get('padded').getBoundingClientRect().right") <= 360
    _choose(browser, "width", 16)
    assert browser.run("document.documentElement.scrollWidth") <= 360
    sizes = browser.run(
        "[...document.querySelectorAll('.player button')].map(e => e.getBoundingClientRect().width)"
    )
    assert min(sizes) >= 40


def test_everything_has_a_name(page):
    unnamed = page.run(
        "[...document.querySelectorAll('input, select, button, [role=grid], table')].filter(e =>"
        " !e.labels?.length && !e.getAttribute('aria-label') && !e.getAttribute('aria-labelledby')"
        " ).map(e => e.id || e.outerHTML)"
    )
    assert unnamed == []


def test_border_and_place_show_without_colour(page):
    page.run("go(5)")
    style = "getComputedStyle(document.querySelector('#padded .added'))"
    assert page.run(f"{style}.borderStyle") == "dashed"
    assert page.run(f"{style}.fontStyle") == "italic"
    assert page.run("document.querySelectorAll('#output [aria-current=step]').length") == 1
    assert (
        page.run("getComputedStyle(document.querySelector('#padded .frame')).borderWidth") == "3px"
    )


def test_opening_follows_the_options(browser, tmp_path):
    options = ["--image", "1,2;3,4;5,6", "-k", "3x1:1,0,-1", "--border", "constant", "--cval", "9"]
    path = _written(tmp_path, *options, "--padding", "2,1", "--stride", "1,2", "--correlate")
    browser.open(path.as_uri())
    image = np.array([[1.0, 2], [3, 4], [5, 6]])
    expected = convtool.correlate(
        image, [[1], [0], [-1]], border="constant", cval=9, padding=(2, 1), stride=(1, 2)
    )
    assert browser.run("result.output") == expected.tolist()
    assert browser.run("get('cval').value") == "9"


def test_opening_of_a_product_names_no_preset(browser, tmp_path):
    path = _written(tmp_path, "--polynomial", "1,2,3", "4,5")
    browser.open(path.as_uri())
    assert browser.run("result.output") == [[4, 13, 22, 15]]
    assert browser.run("get('preset').value") == "your weights"
    assert browser.text("#about") == "Weights may be fractions, such as 1/9."


@pytest.mark.parametrize("columns", [1, 3])
def test_frame_at_the_edge_is_not_cut_off(browser, tmp_path, columns):
    path = _written(tmp_path, "--image", ",".join("12345"), "-k", "1x3:1,0,-1")
    browser.screen(360, 740, phone=True)
    browser.open(path.as_uri())
    _choose(browser, "width", columns)
    for board in ("padded", "output"):
        inside = browser.run(
            f"(() => {{ const board = get('{board}');"
            " const f = board.querySelector('.frame').getBoundingClientRect();"
            " const s = board.parentElement.getBoundingClientRect();"
            " return f.top - s.top >= 4 && s.bottom - f.bottom >= 4; })()"
        )
        assert inside


def test_long_weights_of_wide_kernels_are_cut_short(browser, tmp_path):
    path = _written(tmp_path, "-k", "gaussian:sigma=2,size=9")
    browser.open(path.as_uri())
    weights = convtool.kernel("gaussian:sigma=2,size=9")
    laid = browser.run("[...document.querySelectorAll('#laid td')].map(e => e.textContent)")
    assert [float(one) for one in laid] == [float(f"{w:.3g}") for w in weights.ravel()]
