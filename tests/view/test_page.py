"""The page with sliders, in a real browser."""

import base64
import shlex

import numpy as np
import pytest
from browser import Browser
from view_server import serving

from convtool.cli import run
from convtool.images.formats import format_for
from convtool.images.options import ReadOptions
from convtool.images.read import read


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def page(browser, photo):
    with serving(photo, "gaussian:sigma=2", "1x3:1,0,-1") as server:
        browser.screen(1280, 900)
        browser.open(server.address)
        ready(browser)
        yield browser
        browser.open("about:blank")


def ready(page):
    page.wait("!busy && get('part-after').complete && get('command').textContent")


def slide(page, selector, value):
    """Move a slider as a hand does, and wait for the picture."""
    page.run(
        f"(() => {{ const s = document.querySelector('{selector}'); s.value = {value};"
        " s.dispatchEvent(new Event('input', {bubbles: true})); })()"
    )
    ready(page)


def shown(page, name):
    """Return the pixels of a picture on the page."""
    page.wait(f"get('{name}').complete && get('{name}').naturalWidth")
    address = page.run(
        f"(() => {{ const p = get('{name}'), c = document.createElement('canvas');"
        " c.width = p.naturalWidth; c.height = p.naturalHeight;"
        " c.getContext('2d').drawImage(p, 0, 0); return c.toDataURL(); })()"
    )
    png = base64.b64decode(address.partition(",")[2])
    codec = format_for("a.png").load()
    return codec.decode(png, codec.inspect(png), ReadOptions()).pixels[:, :, :3]


def written(page, folder, monkeypatch):
    """Run the command that the page shows, and return the pixels of its file."""
    monkeypatch.chdir(folder)
    words = shlex.split(page.text("#command"))
    assert run(words[1:]) == 0
    return read(words[-1]).pixels


def test_a_slider_changes_picture_and_command(page, photo, tmp_path, monkeypatch):
    assert "-k gaussian:sigma=2 -k 1x3:1,0,-1 " in page.text("#command")
    first = shown(page, "after")
    assert np.array_equal(first, written(page, tmp_path, monkeypatch))
    slide(page, "#kernel-0-sigma-slider", 4.2)
    assert "-k gaussian:sigma=4.2 -k 1x3:1,0,-1 " in page.text("#command")
    second = shown(page, "after")
    assert not np.array_equal(first, second)
    assert np.array_equal(second, written(page, tmp_path, monkeypatch))
    assert np.array_equal(shown(page, "before"), read(photo).pixels)
    assert page.complaints() == []


def test_all_that_is_loaded_comes_from_the_address(page):
    origin = page.run("location.href")
    assert all(one.startswith(origin) for one in page.requests())
    assert len(page.requests()) >= 7


def test_keys_move_a_slider(page):
    page.run("get('kernel-0-sigma-slider').focus()")
    page.key("ArrowRight")
    ready(page)
    assert "gaussian:sigma=2.1 " in page.text("#command")
    assert page.run("get('kernel-0-sigma').value") == "2.1"


def test_a_field_takes_what_a_spec_does_and_errors_are_said(page):
    page.run("get('kernel-0-sigma').value = '4,1'")
    page.run("get('kernel-0-sigma').dispatchEvent(new Event('input'))")
    ready(page)
    assert "gaussian:sigma=4,1 " in page.text("#command")
    page.run("get('kernel-0-size').value = '4'")
    page.run("get('kernel-0-size').dispatchEvent(new Event('input'))")
    page.wait("get('message').textContent")
    assert "size: '4' is even" in page.text("#message")
    page.click("#kernel-0-size ~ button")
    ready(page)
    assert page.text("#message") == ""
    assert page.run("document.activeElement.id") == "kernel-0-size"


def test_border_engine_and_switches_are_options(page, tmp_path, monkeypatch):
    for name, value in (("border", "constant"), ("engine", "fft"), ("range", "offset")):
        page.run(f"get('{name}').value = '{value}'")
        page.run(f"get('{name}').dispatchEvent(new Event('change'))")
    page.run("get('cval').value = 40")
    page.run("get('cval').dispatchEvent(new Event('input'))")
    page.click("#gray")
    ready(page)
    command = page.text("#command")
    assert "--border constant --cval 40 --engine fft --range offset --gray " in command
    assert "(17×17): fft," in page.text("#steps li")
    grey = written(page, tmp_path, monkeypatch)
    assert np.array_equal(shown(page, "after"), np.dstack([grey] * 3))


def test_clipped_values_are_said(page):
    assert "were clipped" in page.text("#warnings")
    page.run("get('range').value = 'offset'")
    page.run("get('range').dispatchEvent(new Event('change'))")
    page.wait("settings.range === 'offset' && !busy")
    assert "clipped" not in page.text("#warnings")


def test_kernels_are_added_chosen_and_removed(page):
    page.click("#kernels fieldset:nth-child(2) button")
    ready(page)
    assert "1x3" not in page.text("#command")
    page.click("#add")
    page.run("get('kernel-1').value = 'unsharp'")
    page.run("get('kernel-1').dispatchEvent(new Event('change'))")
    ready(page)
    slide(page, "#kernel-1-amount-slider", 1.5)
    assert "-k gaussian:sigma=2 -k unsharp:amount=1.5 " in page.text("#command")
    assert page.run("document.querySelector('#kernel-1-amount').placeholder") == "1"


def test_the_split_shows_both_pictures(page, photo):
    page.click("[value=split]")
    slide(page, "#split", 25)
    assert page.run("get('after').style.clipPath") == "inset(0px 0px 0px 25%)"
    boxes = page.run(
        "['before', 'after'].map(name => { const r = get(name).getBoundingClientRect();"
        " return [r.left, r.top, r.width, r.height]; })"
    )
    assert boxes[0] == boxes[1]
    left = page.run("get('divider').getBoundingClientRect().left + 2")
    assert left == pytest.approx(boxes[0][0] + boxes[0][2] / 4, abs=1)
    page.click("[value=side]")
    assert page.run("get('after').style.clipPath") == ""


def test_the_command_is_copied_or_selected(page):
    page.click("#copy")
    page.wait("get('copied').textContent")
    if page.text("#copied") != "copied":
        assert page.run("String(getSelection())") == page.text("#command")


def test_a_part_is_shown_pixel_by_pixel(browser, large):
    with serving(large, "identity") as server:
        browser.screen(1280, 900)
        browser.open(server.address)
        ready(browser)
        assert "1/3 of its size" in browser.text("#status")
        slide(browser, "#left", 1500)
        slide(browser, "#top", 700)
        pixels = read(large).pixels[700:1020]
        for name in ("part-before", "part-after"):
            browser.wait(f"get('{name}').src.includes('left=1500&top=700')")
            browser.wait(f"get('{name}').complete")
            found = browser.run(
                f"[get('{name}').naturalWidth, get('{name}').width, get('{name}').naturalHeight]"
            )
            assert found[0] == found[1]
            assert found[2] == 320
            assert found[0] <= pixels.shape[1] - 1500
        browser.click("#before")
        middle = browser.run("Number(get('left').value) + partSize()[0] / 2")
        assert middle == pytest.approx(1300, abs=8)
        browser.open("about:blank")


@pytest.mark.parametrize(("width", "phone"), [(1280, False), (390, True)])
def test_it_fits_the_screen_and_everything_has_a_name(page, width, phone):
    page.screen(width, 844, phone=phone)
    assert page.run("document.documentElement.scrollWidth") <= width
    unnamed = page.run(
        "Array.from(document.querySelectorAll('input, select, button')).filter(one =>"
        " !one.labels?.length && !one.getAttribute('aria-label') && !one.textContent.trim())"
        ".map(one => one.outerHTML)"
    )
    assert unnamed == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(page, scheme):
    page.screen(1280, 900, scheme=scheme)
    codec = format_for("a.png").load()
    png = page.picture()
    top = codec.decode(png, codec.inspect(png), ReadOptions()).pixels[:60, :600, :3]
    assert int(top.max()) - int(top.min()) > 180
    assert (top[0, 0].mean() < 128) == (scheme == "dark")


def test_another_page_cannot_read_it(page, tmp_path):
    address = page.run("location.href")
    other = tmp_path / "other.html"
    other.write_text(
        f"<script>fetch('{address}about?settings=').then(a => a.text())"
        ".then(t => document.title = t, e => document.title = 'refused');</script>"
    )
    page.open(other.as_uri())
    page.wait("document.title")
    assert page.run("document.title") == "refused"
