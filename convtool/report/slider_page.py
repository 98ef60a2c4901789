"""A self-contained web page with a slider over pictures and their numbers."""

import base64
import html
import json
from collections.abc import Sequence

from convtool.records import Record


class Frame(Record):
    """One position of the slider.

    Attributes
    ----------
    label : str
        The label of the position: the value of k.
    png : bytes
        The picture, a PNG file.
    numbers : sequence of str
        One for each title of the table.
    """

    label: str
    png: bytes
    numbers: Sequence[str]


_STYLE = """
:root { color-scheme: light dark; }
* { box-sizing: border-box; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 62rem; padding: 0.75rem;
  overflow-wrap: anywhere; }
h1 { font-size: 1.3rem; margin: 0.25rem 0; }
p { margin: 0.25rem 0 0.75rem; }
main { display: grid; gap: 1rem; }
@media (min-width: 52rem) { main { grid-template-columns: 3fr 2fr; } }
section { min-width: 0; }
figure { margin: 0; }
figure img { display: block; width: 100%; height: auto; image-rendering: auto; }
figure img[hidden] { display: none; }
figcaption { font-weight: bold; }
.slider { display: flex; gap: 0.5rem; align-items: center; margin: 0.5rem 0; }
.slider input { flex: 1; min-width: 0; height: 2.75rem; }
button { font: inherit; min-width: 2.75rem; min-height: 2.75rem; cursor: pointer; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 0.1rem 1rem; margin: 0.5rem 0; }
dt { font-weight: bold; }
dd { margin: 0; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; grid-column: 1 / -1; min-width: 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 0.2rem 0.6rem; text-align: right; white-space: nowrap; }
thead th { border-bottom: 2px solid; }
tbody tr { border-bottom: 1px solid #8886; }
tbody th::before { content: "\\2003"; }
tbody tr[aria-current] { font-weight: bold; outline: 2px solid; }
tbody tr[aria-current] th::before { content: "\\25B8\\2002"; }
:focus-visible { outline: 3px solid Highlight; outline-offset: 2px; }
"""

_SCRIPT = """
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const slider = document.getElementById("k");
const original = document.getElementById("original");
const pictures = Array.from(document.querySelectorAll("figure img"));
const rows = Array.from(document.querySelectorAll("tbody tr"));
const values = Array.from(document.querySelectorAll("dd"));
const caption = document.querySelector("figcaption");

function show() {
  const at = Number(slider.value);
  const chosen = original.checked ? data.labels.length : at;
  pictures.forEach((picture, i) => { picture.hidden = i !== chosen; });
  rows.forEach((row, i) => {
    if (i === at) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  });
  data.numbers[at].forEach((text, i) => { values[i].textContent = text; });
  const name = "k = " + data.labels[at];
  slider.setAttribute("aria-valuetext", name);
  caption.textContent = original.checked ? "original" : name;
  history.replaceState(null, "", "#k=" + data.labels[at]);
}

function go(at) {
  slider.value = String(at);
  show();
}

function fromAddress() {
  const found = data.labels.indexOf(location.hash.replace("#k=", ""));
  if (found >= 0) slider.value = String(found);
  show();
}

slider.addEventListener("input", show);
original.addEventListener("change", show);
document.getElementById("fewer").addEventListener("click", () => go(Number(slider.value) - 1));
document.getElementById("more").addEventListener("click", () => go(Number(slider.value) + 1));
rows.forEach((row, i) => row.querySelector("button").addEventListener("click", () => go(i)));
window.addEventListener("hashchange", fromAddress);
fromAddress();
"""


def slider_page(
    title: str,
    about: str,
    remarks: Sequence[str],
    titles: Sequence[str],
    frames: Sequence[Frame],
    original: bytes,
) -> str:
    """Return a page that shows one of several pictures, selected by a slider.

    The page is self-contained. Arrow keys, buttons, the table's first column and touch move the
    slider; ``#k=50`` in the page's address sets its initial position.

    Parameters
    ----------
    title : str
        The page's heading.
    about : str
        A line below it.
    remarks : sequence of str
        Lines at the end.
    titles : sequence of str
        The titles of the numbers.
    frames : sequence of Frame
        The positions of the slider.
    original : bytes
        The original picture, a PNG file.

    Returns
    -------
    str
        The page, in HTML.
    """
    pictures = [_picture(frame.png, f"{title}, k = {frame.label}") for frame in frames]
    pictures.append(_picture(original, f"{title}, the original"))
    data = {
        "labels": [frame.label for frame in frames],
        "numbers": [list(frame.numbers) for frame in frames],
    }
    safe = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    heads = "".join(f'<th scope="col">{html.escape(one)}</th>' for one in ("k", *titles))
    terms = "".join(f"<dt>{html.escape(one)}</dt><dd></dd>" for one in titles)
    notes = "".join(f"<p>{html.escape(one)}</p>\n" for one in remarks)
    body = "\n".join(_row(frame) for frame in frames)
    last = len(frames) - 1
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{html.escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{html.escape(title)}</h1>
<p>{html.escape(about)}</p>
<main>
<section aria-label="Picture">
<figure>
{"".join(pictures)}
<figcaption></figcaption>
</figure>
</section>
<section aria-label="Numbers">
<label for="k">k, the number of singular triples</label>
<div class="slider">
<button type="button" id="fewer" aria-label="smaller k">−</button>
<input type="range" id="k" min="0" max="{last}" step="1" value="{last}">
<button type="button" id="more" aria-label="larger k">+</button>
</div>
<label><input type="checkbox" id="original"> show the original</label>
<dl aria-live="polite">{terms}</dl>
</section>
<div class="scroll" tabindex="0" role="region" aria-label="All numbers">
<table>
<thead><tr>{heads}</tr></thead>
<tbody>
{body}
</tbody>
</table>
</div>
</main>
{notes}<script type="application/json" id="data">{safe}</script>
<script>{_SCRIPT}</script>
</body>
</html>
"""


def _picture(png: bytes, words: str) -> str:
    """Return a hidden HTML image with embedded data."""
    source = base64.b64encode(png).decode("ascii")
    return f'<img hidden alt="{html.escape(words)}" src="data:image/png;base64,{source}">\n'


def _row(frame: Frame) -> str:
    cells = "".join(f"<td>{html.escape(one)}</td>" for one in frame.numbers)
    button = f'<button type="button">{html.escape(frame.label)}</button>'
    return f'<tr><th scope="row">{button}</th>{cells}</tr>'
