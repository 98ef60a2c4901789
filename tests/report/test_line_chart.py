"""The page of a line chart, in a real browser."""

import pytest
from browser import Browser

from convtool.report.line_chart import Panel, write_chart

SIZES = (3, 5, 7, 9, 15, 31, 63, 127)
LINES = {f"scipy.signal.fftconvolve{i}": [(n, n * 1.5 + i) for n in SIZES] for i in range(12)}


@pytest.mark.parametrize(("width", "phone"), [(1280, False), (390, True)])
def test_all_columns_are_in_sight(tmp_path, width, phone):
    target = tmp_path / "chart.html"
    write_chart(str(target), [Panel("dense", "side of the kernel", "milliseconds", LINES)])
    with Browser(tmp_path / "profile") as page:
        page.screen(width, 800, phone=phone)
        page.open(target.as_uri())
        assert page.run("document.documentElement.scrollWidth") <= width
        right = page.run(
            "Math.max(...Array.from(document.querySelectorAll('td')).map("
            "cell => cell.getBoundingClientRect().right))"
        )
        cells = page.run("document.querySelectorAll('td[data-title]').length")
        assert 0 < right <= width
        assert cells == len(SIZES) * len(LINES)
        assert page.requests() == [target.as_uri()]
