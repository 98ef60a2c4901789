"use strict";

// The arithmetic: that of convtool.convolve and convtool.correlate.

function readAt(i, n, border) {
  const modulo = (a, b) => ((a % b) + b) % b;
  if (border === "nearest") return Math.min(Math.max(i, 0), n - 1);
  if (border === "wrap") return modulo(i, n);
  if (border === "reflect") {
    const j = modulo(i, 2 * n);
    return j < n ? j : 2 * n - 1 - j;
  }
  if (border === "mirror") {
    if (n === 1) return 0;
    const j = modulo(i, 2 * n - 2);
    return j < n ? j : 2 * n - 2 - j;
  }
  return i >= 0 && i < n ? i : -1;
}

function axisOf(size, taps, mode, padding, stride, flipped) {
  let start = 0, dense = size - taps + 1;
  if (mode === "padding") { start = -padding; dense = size + 2 * padding - taps + 1; }
  if (mode === "same") { start = -Math.floor((flipped ? taps - 1 : taps) / 2); dense = size; }
  if (mode === "full") { start = 1 - taps; dense = size + taps - 1; }
  const count = Math.ceil(dense / stride);
  const before = -start, after = start + dense + taps - 1 - size;
  const added = before === after ? `2·${before}` : `${before} + ${after}`;
  const formula = `floor((${size} + ${added} − ${taps}) / ${stride}) + 1 = ${count}`;
  return { size, taps, start, dense, stride, count, before, after, formula };
}

function convolve(s) {
  const kernel = s.kernel;
  const flipped = s.operation === "convolution";
  const laid = flipped ? kernel.map((row) => row.slice().reverse()).reverse() : kernel;
  const rows = axisOf(s.image.length, kernel.length, s.mode, s.padding[0], s.stride[0], flipped);
  const columns =
    axisOf(s.image[0].length, kernel[0].length, s.mode, s.padding[1], s.stride[1], flipped);
  if (rows.dense < 1 || columns.dense < 1) return { rows, columns, laid, output: null };
  const line = (axis) => Array.from({ length: axis.dense + axis.taps - 1 },
    (_, i) => readAt(axis.start + i, axis.size, s.border));
  const across = line(columns);
  const padded = line(rows).map((y) => across.map((x) => (y < 0 || x < 0 ? s.cval : s.image[y][x])));
  const result = { rows, columns, laid, padded };
  result.output = Array.from({ length: rows.count }, (_, row) =>
    Array.from({ length: columns.count }, (_, column) => stepOf(result, row, column).sum));
  return result;
}

function stepOf(result, row, column) {
  const top = row * result.rows.stride, left = column * result.columns.stride;
  const window = result.laid.map((weights, i) =>
    weights.map((_, j) => result.padded[top + i][left + j]));
  const products = result.laid.map((weights, i) => weights.map((w, j) => w * window[i][j]));
  return { row, column, top, left, window, products, sum: products.flat().reduce((a, b) => a + b, 0) };
}

// Numbers and pictures.

function text(value, digits = 6) {
  const plain = String(Number(value.toPrecision(digits)));
  return plain === "-0" ? "0" : plain.replace("-", "−");
}

function weightOf(string) {
  const parts = string.trim().replace("−", "-").split("/").map(Number);
  const value = parts.length === 2 ? parts[0] / parts[1] : parts[0];
  return string.trim() !== "" && parts.length <= 2 && Number.isFinite(value) ? value : null;
}

function weightText(value, digits = 6) {
  for (let d = 1; d <= 512; d += 1) {
    const n = Math.round(value * d);
    if (Math.abs(n / d - value) < 1e-12) return d === 1 ? String(n) : `${n}/${d}`;
  }
  return String(Number(value.toPrecision(digits)));
}

const LETTER = ["........", ".#####..", ".#......", ".#......", ".####...", ".#......", ".#......", "........"];
const PICTURES = {
  "letter F": (y, x, h, w) => (LETTER[Math.floor((y * 8) / h)][Math.floor((x * 8) / w)] === "#" ? 230 : 30),
  "edge": (y, x, h, w) => (x < w / 2 ? 40 : 210),
  "diagonal": (y, x) => (x > y ? 200 : x === y ? 120 : 40),
  "disk": (y, x, h, w) =>
    (Math.hypot(y - (h - 1) / 2, x - (w - 1) / 2) < Math.min(h, w) / 3 ? 220 : 40),
  "checkerboard": (y, x) => ((y + x) % 2 ? 220 : 30),
  "ramp": (y, x, h, w) => Math.round((255 * x) / Math.max(1, w - 1)),
  "one bright pixel": (y, x, h, w) =>
    (y === Math.floor(h / 2) && x === Math.floor(w / 2) ? 255 : 0),
  "black": () => 0,
};
const OWN = "your drawing";

function drawn(name, h, w) {
  return Array.from({ length: h }, (_, y) =>
    Array.from({ length: w }, (_, x) => PICTURES[name](y, x, h, w)));
}

// The page.

const data = JSON.parse(document.getElementById("data").textContent);
const get = (id) => document.getElementById(id);
const state = data.state;
let result, at = 0, timer = null, painting = false, focused = [0, 0];

function fill(select, names, chosen) {
  select.replaceChildren(...names.map((name) => new Option(name, name, false, name === chosen)));
}

function cellSize(board, columns, most) {
  return Math.max(11, Math.min(most, Math.floor((board.parentElement.clientWidth - 6) / columns)));
}

function shade(cell, share) {
  const grey = Math.round(255 * Math.min(1, Math.max(0, share)));
  cell.style.backgroundColor = `rgb(${grey} ${grey} ${grey})`;
  cell.style.color = grey > 127 ? "#000" : "#fff";
}

const TINY = 23, MOST_PLAIN = 4;

function layOut(board, rows, columns, make) {
  const size = cellSize(board, columns, 44);
  board.dataset.size = size;
  board.className = "board" + (size < TINY ? " tiny" : size < 30 ? " small" : "");
  board.style.gridTemplateColumns = `repeat(${columns}, ${size}px)`;
  board.style.gridAutoRows = `${size}px`;
  const frame = document.createElement("div");
  frame.className = "frame";
  frame.setAttribute("aria-hidden", "true");
  const lines = Array.from({ length: rows }, (_, y) => {
    const line = document.createElement("div");
    line.setAttribute("role", "row");
    line.style.display = "contents";
    line.append(...Array.from({ length: columns }, (_, x) => make(y, x)));
    return line;
  });
  board.replaceChildren(...lines, frame);
}

function placeFrame(board, top, left, high, wide) {
  const size = Number(board.dataset.size), frame = board.querySelector(".frame");
  frame.style.width = `${wide * size}px`;
  frame.style.height = `${high * size}px`;
  frame.style.transform = `translate(${left * size}px, ${top * size}px)`;
}

function cell() {
  const made = document.createElement("div");
  made.className = "cell";
  made.setAttribute("role", "gridcell");
  return made;
}

function drawPadded() {
  const { rows, columns, padded } = result;
  const white = Math.max(...state.image.flat()) > 1 ? 255 : 1;
  layOut(get("padded"), padded.length, padded[0].length, (i, j) => {
    const made = cell(), y = i - rows.before, x = j - columns.before, value = padded[i][j];
    const inside = y >= 0 && y < rows.size && x >= 0 && x < columns.size;
    made.textContent = text(value, 3);
    shade(made, value / white);
    if (inside) {
      made.dataset.y = y;
      made.dataset.x = x;
      made.tabIndex = y === focused[0] && x === focused[1] ? 0 : -1;
    } else made.classList.add("added");
    made.setAttribute("aria-label", inside ? `row ${y}, column ${x}: ${text(value)}`
      : `border: ${text(value)}`);
    return made;
  });
  const { before: top, after: bottom } = rows, { before: left, after: right } = columns;
  get("padded-note").textContent = top + bottom + left + right === 0 ? "No pixels are added."
    : `The border adds ${top} above, ${bottom} below, ${left} left, ${right} right: dashed, hatched.`;
  if (Number(get("padded").dataset.size) < TINY) {
    get("padded-note").textContent += " The pixels are too small for numbers; the window has them.";
  }
}

function drawOutput() {
  const { rows, columns, output } = result;
  layOut(get("output"), rows.count, columns.count, (row, column) => {
    const made = cell();
    made.addEventListener("click", () => { pause(); go(row * columns.count + column); });
    return made;
  });
  const all = output.flat();
  result.low = Math.min(...all);
  result.high = Math.max(...all);
  get("output-note").textContent =
    `${rows.count} × ${columns.count}; black is ${text(result.low)}, white ${text(result.high)}.`;
  get("rows-formula").textContent = rows.formula;
  get("columns-formula").textContent = columns.formula;
}

function showWindow(step) {
  const { rows, columns, laid } = result;
  const table = get("window");
  const wide = laid[0].length > MOST_PLAIN, digits = wide ? 3 : 6;
  table.className = wide ? "wide" : "";
  get("laid").className = wide ? "numbers wide" : "numbers";
  get("sum").className = laid.flat().length > 12 ? "long" : "";
  table.replaceChildren(...step.window.map((line, i) => {
    const row = document.createElement("tr");
    row.append(...line.map((value, j) => {
      const made = document.createElement("td"), product = document.createElement("b");
      const y = step.top + i - rows.before, x = step.left + j - columns.before;
      const inside = y >= 0 && y < rows.size && x >= 0 && x < columns.size;
      if (!inside) made.className = "outside";
      product.textContent = text(step.products[i][j], digits);
      const weight = weightText(laid[i][j], digits).replace("-", "−");
      const signed = laid[i][j] < 0 && !wide ? `(${weight})` : weight;
      made.append(text(value, 4), wide ? document.createElement("br") : " ", `× ${signed}`, product);
      return made;
    }));
    return row;
  }));
  const [first, ...rest] = step.products.flat();
  const sum = text(first) +
    rest.map((v) => (v < 0 ? " − " : " + ") + text(Math.abs(v))).join("") + " = ";
  const strong = document.createElement("strong");
  strong.textContent = text(step.sum);
  get("sum").setAttribute("aria-live", timer ? "off" : "polite");
  get("sum").replaceChildren(sum, strong);
}

function show() {
  if (!result.output) return;
  const { rows, columns, output } = result;
  const total = rows.count * columns.count;
  at = Math.min(Math.max(at, 0), total - 1);
  const step = stepOf(result, Math.floor(at / columns.count), at % columns.count);
  placeFrame(get("padded"), step.top, step.left, rows.taps, columns.taps);
  placeFrame(get("output"), step.row, step.column, 1, 1);
  showWindow(step);
  get("output").querySelectorAll(".cell").forEach((made, i) => {
    const row = Math.floor(i / columns.count), column = i % columns.count;
    const value = output[row][column], done = i <= at;
    made.classList.toggle("waiting", !done);
    made.textContent = done ? text(value, 3) : "·";
    if (done) shade(made, (value - result.low) / (result.high - result.low || 1));
    else made.style.backgroundColor = made.style.color = "";
    made.setAttribute("aria-label", `row ${row}, column ${column}: ${done ? text(value) : "not yet"}`);
    if (i === at) made.setAttribute("aria-current", "step");
    else made.removeAttribute("aria-current");
  });
  get("at").max = total - 1;
  get("at").value = at;
  const where =
    `Step ${at + 1} of ${total}: output row ${step.row}, column ${step.column} is ${text(step.sum)}`;
  get("where").textContent = where;
  get("at").setAttribute("aria-valuetext", where);
}

function go(place) { at = place; show(); }

function pause() {
  if (timer) clearInterval(timer);
  timer = null;
  get("play").textContent = "▶︎";
  get("play").setAttribute("aria-label", "play");
  get("sum").setAttribute("aria-live", "polite");
}

function play() {
  if (!result.output) return;
  const last = result.rows.count * result.columns.count - 1;
  if (at >= last) at = -1;
  pause();
  timer = setInterval(() => {
    go(at + 1);
    if (at >= last) pause();
  }, Number(get("speed").value));
  get("play").textContent = "❚❚";
  get("play").setAttribute("aria-label", "pause");
  go(at + 1);
}

function compute() {
  result = convolve(state);
  document.querySelector(".stage").style.visibility = result.output ? "" : "hidden";
  get("message").textContent = result.output ? ""
    : "No output is left: the kernel is larger than the picture. Take another output or more padding.";
  if (!result.output) { pause(); return; }
  drawPadded();
  drawOutput();
  drawLaid();
  const same = JSON.stringify(result.laid) === JSON.stringify(state.kernel);
  get("turned").textContent = state.operation === "correlation"
    ? "Correlation lays the kernel on as it is."
    : same ? "Convolution turns the kernel by half; this one stays as it was."
    : "Convolution turns the kernel by half before it lays it on.";
  show();
}

function drawLaid() {
  const digits = result.laid[0].length > MOST_PLAIN ? 3 : 6;
  get("laid").replaceChildren(...result.laid.map((line) => {
    const row = document.createElement("tr");
    row.append(...line.map((value) => {
      const made = document.createElement("td");
      made.textContent = weightText(value, digits).replace("-", "−");
      return made;
    }));
    return row;
  }));
}

function drawKernel() {
  get("high").value = state.kernel.length;
  get("wide").value = state.kernel[0].length;
  get("kernel").replaceChildren(...state.kernel.map((line, i) => {
    const row = document.createElement("tr");
    row.append(...line.map((value, j) => {
      const place = document.createElement("td"), input = document.createElement("input");
      input.type = "text";
      input.value = weightText(value);
      input.setAttribute("aria-label", `weight row ${i}, column ${j}`);
      input.addEventListener("input", () => {
        const weight = weightOf(input.value);
        input.setAttribute("aria-invalid", String(weight === null));
        if (weight === null) return;
        state.kernel[i][j] = weight;
        chooseKernel(OWN_KERNEL);
        compute();
      });
      place.append(input);
      return place;
    }));
    return row;
  }));
}

const OWN_KERNEL = "your weights";

function chooseKernel(name) {
  get("preset").value = name;
  get("about").textContent = data.kernels[name] ? data.kernels[name].summary
    : "Weights may be fractions, such as 1/9.";
}

function drawOptions() {
  get("height").value = state.image.length;
  get("width").value = state.image[0].length;
  get(state.operation).checked = true;
  for (const [id, value] of [["mode", state.mode], ["border", state.border], ["cval", state.cval],
    ["pad-y", state.padding[0]], ["pad-x", state.padding[1]],
    ["stride-y", state.stride[0]], ["stride-x", state.stride[1]]]) get(id).value = value;
  get("paddings").hidden = state.mode !== "padding";
  get("paddings").style.display = state.mode === "padding" ? "" : "none";
  get("values").style.display = state.border === "constant" ? "" : "none";
}

function whole(id, fallback) {
  const input = get(id), value = Number(input.value);
  const fits = Number.isInteger(value) && value >= Number(input.min) && value <= Number(input.max);
  input.setAttribute("aria-invalid", String(!fits || input.value === ""));
  return fits && input.value !== "" ? value : fallback;
}

function readOptions() {
  state.operation = get("convolution").checked ? "convolution" : "correlation";
  state.mode = get("mode").value;
  state.border = get("border").value;
  state.cval = Number.isFinite(get("cval").valueAsNumber) ? get("cval").valueAsNumber : state.cval;
  state.padding = [whole("pad-y", state.padding[0]), whole("pad-x", state.padding[1])];
  state.stride = [whole("stride-y", state.stride[0]), whole("stride-x", state.stride[1])];
  get("paddings").style.display = state.mode === "padding" ? "" : "none";
  get("values").style.display = state.border === "constant" ? "" : "none";
  compute();
}

function resized(matrix, h, w) {
  return Array.from({ length: h }, (_, y) =>
    Array.from({ length: w }, (_, x) => (matrix[y] && matrix[y][x] !== undefined ? matrix[y][x] : 0)));
}

function paint(made) {
  if (!made || made.dataset.y === undefined) return;
  focused = [Number(made.dataset.y), Number(made.dataset.x)];
  state.image[focused[0]][focused[1]] = Number(get("brush").value);
  get("picture").value = OWN;
  const scroll = get("padded").parentElement.scrollLeft;
  compute();
  get("padded").parentElement.scrollLeft = scroll;
}

function underPointer(event) {
  return document.elementFromPoint(event.clientX, event.clientY)?.closest("#padded .cell");
}

function focusCell(y, x) {
  focused = [Math.min(Math.max(y, 0), state.image.length - 1),
    Math.min(Math.max(x, 0), state.image[0].length - 1)];
  const cells = get("padded").querySelectorAll("[data-y]");
  cells.forEach((one) => {
    const here = Number(one.dataset.y) === focused[0] && Number(one.dataset.x) === focused[1];
    one.tabIndex = here ? 0 : -1;
    if (here) one.focus();
  });
}

async function openFile(file) {
  const bitmap = await createImageBitmap(file);
  const h = state.image.length, w = state.image[0].length;
  const canvas = document.createElement("canvas");
  canvas.width = w;
  canvas.height = h;
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, w, h);
  const bytes = context.getImageData(0, 0, w, h).data;
  state.image = Array.from({ length: h }, (_, y) => Array.from({ length: w }, (_, x) => {
    const i = 4 * (y * w + x);
    return Math.round(0.299 * bytes[i] + 0.587 * bytes[i + 1] + 0.114 * bytes[i + 2]);
  }));
  get("picture").value = OWN;
  compute();
}

get("padded").addEventListener("pointerdown", (event) => {
  painting = true;
  paint(event.target.closest(".cell"));
});
window.addEventListener("pointermove", (event) => { if (painting) paint(underPointer(event)); });
window.addEventListener("pointerup", () => { painting = false; });
window.addEventListener("pointercancel", () => { painting = false; });
get("padded").addEventListener("keydown", (event) => {
  const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  const move = moves[event.key];
  if (move) focusCell(focused[0] + move[0], focused[1] + move[1]);
  else if (event.key === "Enter") { paint(event.target); focusCell(...focused); }
  else return;
  event.preventDefault();
  event.stopPropagation();
});
get("brush").addEventListener("input", () => { get("level").textContent = get("brush").value; });
get("picture").addEventListener("change", () => {
  const name = get("picture").value;
  if (name in data.pictures) state.image = data.pictures[name].map((row) => row.slice());
  else if (name in PICTURES) state.image = drawn(name, state.image.length, state.image[0].length);
  drawOptions();
  at = 0;
  compute();
});
get("file").addEventListener("change", () => {
  const [file] = get("file").files;
  if (file) openFile(file).catch(() => {
    get("message").textContent = "The file is not a picture that this browser can read.";
  });
});
for (const id of ["height", "width"]) get(id).addEventListener("input", () => {
  const [h, w] = [whole("height", state.image.length), whole("width", state.image[0].length)];
  const name = get("picture").value;
  state.image = name in PICTURES ? drawn(name, h, w) : resized(state.image, h, w);
  if (!(name in PICTURES)) get("picture").value = OWN;
  compute();
});
get("preset").addEventListener("change", () => {
  const chosen = data.kernels[get("preset").value];
  if (chosen) state.kernel = chosen.weights.map((row) => row.slice());
  chooseKernel(get("preset").value);
  drawKernel();
  at = 0;
  compute();
});
for (const id of ["high", "wide"]) get(id).addEventListener("input", () => {
  const [h, w] = [whole("high", state.kernel.length), whole("wide", state.kernel[0].length)];
  if (h === state.kernel.length && w === state.kernel[0].length) return;
  state.kernel = resized(state.kernel, h, w);
  chooseKernel(OWN_KERNEL);
  drawKernel();
  compute();
});
for (const id of ["convolution", "correlation", "mode", "border", "cval", "pad-y", "pad-x",
  "stride-y", "stride-x"]) get(id).addEventListener("input", readOptions);
get("first").addEventListener("click", () => { pause(); go(0); });
get("back").addEventListener("click", () => { pause(); go(at - 1); });
get("next").addEventListener("click", () => { pause(); go(at + 1); });
get("play").addEventListener("click", () => (timer ? pause() : play()));
get("at").addEventListener("input", () => { pause(); go(Number(get("at").value)); });
get("speed").addEventListener("change", () => { if (timer) play(); });
document.addEventListener("keydown", (event) => {
  const on = (kinds) => event.target.closest(kinds);
  if (on("input, select, textarea") || (on("button") && event.key === " ") || event.ctrlKey ||
    event.metaKey || event.altKey || !result.output) return;
  const line = result.columns.count, last = result.rows.count * line - 1;
  const places = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - line, ArrowDown: at + line,
    Home: 0, End: last };
  if (event.key === " ") { if (timer) pause(); else play(); }
  else if (event.key in places) {
    pause();
    if (places[event.key] >= 0 && places[event.key] <= last) go(places[event.key]);
  } else return;
  event.preventDefault();
});
window.addEventListener("resize", () => { if (result.output) compute(); });

fill(get("picture"), [...Object.keys(data.pictures), ...Object.keys(PICTURES), OWN], data.picture);
fill(get("preset"), [...Object.keys(data.kernels), OWN_KERNEL], data.kernel);
if (!state.image) state.image = drawn(data.picture, 8, 8);
drawOptions();
drawKernel();
chooseKernel(data.kernel in data.kernels ? data.kernel : OWN_KERNEL);
compute();
