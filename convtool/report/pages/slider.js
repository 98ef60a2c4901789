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
