"""The page with a slider, in a real browser."""

import re

import numpy as np
import pytest
from browser import Browser

from convtool.cli._svd_report import PAGE_TITLES
from convtool.images.formats import format_for
from convtool.images.image import Image
from convtool.images.options import ReadOptions, WriteOptions
from convtool.report.slider_page import Frame, slider_page

KS = ("5", "20", "100")


def _png(level):
    pixels = np.full((30, 40), level, np.uint8)
    return format_for("a.png").load().encode(Image(pixels), WriteOptions())


def _page():
    frames = [Frame(k, _png(60 * i), (f"{i}.5", f"<{k}>")) for i, k in enumerate(KS)]
    return slider_page("A & <b>", "about", ["remark"], ["PSNR", "Odd"], frames, _png(250))


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def page(browser, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(_page(), encoding="utf-8")
    browser.screen(1200, 900)
    browser.open(path.as_uri())
    return browser


def _shown(page):
    return page.run("pictures.filter(p => p.getClientRects().length).map(p => p.alt)")


def _pixel(page):
    return page.run(
        "(() => { const p = pictures.find(p => !p.hidden); const c = document.createElement"
        "('canvas'); c.width = 40; c.height = 30; const x = c.getContext('2d');"
        " x.drawImage(p, 0, 0); return x.getImageData(5, 5, 1, 1).data[0]; })()"
    )


def test_page_has_no_outside_links():
    text = _page()
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", text)
    assert "http" not in text


def test_page_begins_at_the_largest_k(page):
    assert _shown(page) == ["A & <b>, k = 100"]
    assert page.text("figcaption") == "k = 100"
    assert page.text("h1") == "A & <b>"
    assert [page.text(f"dd:nth-of-type({i})") for i in (1, 2)] == ["2.5", "<100>"]
    assert page.complaints() == []
    assert len(page.requests()) == 1


def test_arrow_keys_move_picture_and_numbers_together(page):
    page.run("slider.focus()")
    page.key("ArrowLeft")
    assert _shown(page) == ["A & <b>, k = 20"]
    assert _pixel(page) == 60
    assert page.text("dd") == "1.5"
    assert page.run("slider.getAttribute('aria-valuetext')") == "k = 20"
    page.key("Home")
    assert page.text("figcaption") == "k = 5"
    page.key("End")
    assert page.text("figcaption") == "k = 100"


def test_everything_is_reached_by_the_tab_key(page):
    page.run("document.body.focus()")
    reached = []
    for _ in range(9):
        page.key("Tab")
        reached.append(page.run("document.activeElement.id || document.activeElement.tagName"))
    assert reached[:4] == ["fewer", "k", "more", "original"]
    assert reached.count("BUTTON") == len(KS)


def test_space_shows_the_original_and_goes_back(page):
    page.run("original.focus()")
    page.key(" ")
    assert page.text("figcaption") == "original"
    assert _pixel(page) == 250
    page.key(" ")
    assert page.text("figcaption") == "k = 100"


def test_buttons_go_through_the_frames(page):
    page.click("#fewer")
    assert page.text("figcaption") == "k = 20"
    page.click("tbody tr:first-child button")
    assert page.text("figcaption") == "k = 5"
    page.click("#more")
    assert page.text("figcaption") == "k = 20"


def test_row_is_marked_without_colour(page):
    page.click("tbody tr:first-child button")
    marked = page.run("rows.map(row => row.getAttribute('aria-current'))")
    assert marked == ["true", None, None]
    marks = page.run("rows.map(r => getComputedStyle(r.querySelector('th'), '::before').content)")
    assert "▸" in marks[0]
    assert "▸" not in marks[1] + marks[2]


def test_address_names_the_frame(page, tmp_path):
    page.open("about:blank")
    page.open((tmp_path / "page.html").as_uri() + "#k=20")
    assert page.text("figcaption") == "k = 20"
    page.click("#fewer")
    assert page.run("location.hash") == "#k=5"


def test_page_fits_a_phone(page):
    page.screen(360, 740, phone=True)
    assert page.run("document.documentElement.scrollWidth") <= 360
    box = page.run(
        "(() => { const r = slider.getBoundingClientRect(); return [r.width, r.height]; })()"
    )
    assert box[0] > 180
    assert box[1] >= 44


@pytest.mark.parametrize(("width", "phone"), [(1280, False), (832, False), (390, True)])
def test_all_columns_are_in_sight_at_any_width(browser, tmp_path, width, phone):
    frames = [Frame("400", _png(60), [f"{i}23456" for i in range(len(PAGE_TITLES))])]
    path = tmp_path / "page.html"
    path.write_text(slider_page("a", "b", [], PAGE_TITLES, frames, _png(250)), "utf-8")
    browser.screen(width, 800, phone=phone)
    browser.open(path.as_uri())
    boxes = browser.run(
        "Array.from(document.querySelectorAll('tbody th, tbody td')).map(cell => {"
        " const r = cell.getBoundingClientRect(); return [r.left, r.right, r.width * r.height]; })"
    )
    around = browser.run("document.querySelector('.scroll').getBoundingClientRect().right")
    assert len(boxes) == 10
    assert all(left >= 0 and right <= around + 0.5 and size > 0 for left, right, size in boxes)
    titled = browser.run(
        "Array.from(document.querySelectorAll('tbody td')).map(cell =>"
        " getComputedStyle(cell, '::before').content.replaceAll('\"', ''))"
    )
    assert titled == (list(PAGE_TITLES) if phone or width <= 832 else ["none"] * 9)


def test_long_names_are_broken_on_a_phone(browser, tmp_path):
    name = "photographs/" + 40 * "long" + ".jpg"
    frames = [Frame("1", _png(60), ("1.5", "2"))]
    path = tmp_path / "page.html"
    path.write_text(slider_page(name, name, [name], ["A", "B"], frames, _png(250)), "utf-8")
    browser.screen(360, 740, phone=True)
    browser.open(path.as_uri())
    assert browser.run("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(page, scheme):
    page.screen(800, 600, scheme=scheme)
    pixels = np.asarray(_decoded(page.picture()))[:40]
    assert int(pixels.max()) - int(pixels.min()) > 200


def _decoded(png):
    codec = format_for("a.png").load()
    return codec.decode(png, codec.inspect(png), ReadOptions()).pixels[:, :, :3]
