// The page of the convolution theorem: its numbers are convtool's.

const data = JSON.parse(document.getElementById("data").textContent);
const get = (id) => document.getElementById(id);
const rows = data.image.length, columns = data.image[0].length;
const MOST_CELLS = 16;
const SPECTRA = { "image-spectrum": "image", "kernel-spectrum": "kernel", product: "product" };
let chosen = [0, 0];

// Where a frequency stands with 0,0 in the middle, and which frequency stands there.
const middle = (n) => Math.floor(n / 2);
const placeOf = (k, n) => (k + middle(n)) % n;
const indexAt = (place, n) => (place - middle(n) + n) % n;

function rounded(value, largest) {
  return Math.abs(value) <= 1e-12 * largest ? 0 : value;
}

function complexText(real, imaginary, largest) {
  const [a, b] = [rounded(real, largest), rounded(imaginary, largest)];
  if (!b) return text(a, 4);
  const size = `${text(Math.abs(b), 4)}i`;
  if (!a) return b < 0 ? `−${size}` : size;
  return `${text(a, 4)} ${b < 0 ? "−" : "+"} ${size}`;
}

function magnitudes({ real, imaginary }) {
  return real.map((line, y) => line.map((a, x) => Math.hypot(a, imaginary[y][x])));
}

function spread(values) {
  const all = values.flat();
  return [all.reduce((a, b) => Math.min(a, b)), all.reduce((a, b) => Math.max(a, b))];
}

// A board of numbers, or a canvas where there are too many. `share` is a value's grey, 0 to 1.
function draw(id, values, share, name, pick) {
  const board = get(id), [high, wide] = [values.length, values[0].length];
  if (Math.max(high, wide) <= MOST_CELLS) {
    layOut(board, high, wide, (y, x) => {
      const made = cell();
      write(made, text(values[y][x], 3));
      shade(made, share(values[y][x]));
      made.setAttribute("aria-label", name(y, x));
      if (pick) made.addEventListener("click", () => pick(y, x));
      return made;
    });
    board.setAttribute("role", "grid");
    board.querySelector(".frame").hidden = !pick;
  } else drawCanvas(board, values, share, pick);
  board.classList.toggle("picked", Boolean(pick));
  board.setAttribute("aria-labelledby", board.closest("section").getAttribute("aria-labelledby"));
}

function drawCanvas(board, values, share, pick) {
  const [high, wide] = [values.length, values[0].length];
  const canvas = document.createElement("canvas"), frame = document.createElement("div");
  canvas.width = wide;
  canvas.height = high;
  const context = canvas.getContext("2d"), pixels = context.createImageData(wide, high);
  values.flat().forEach((value, i) => {
    const grey = Math.round(255 * Math.min(1, Math.max(0, share(value))));
    pixels.data.set([grey, grey, grey, 255], 4 * i);
  });
  context.putImageData(pixels, 0, 0);
  if (pick) canvas.addEventListener("click", (event) => {
    const box = canvas.getBoundingClientRect();
    pick(Math.floor(((event.clientY - box.top) / box.height) * high),
      Math.floor(((event.clientX - box.left) / box.width) * wide));
  });
  frame.className = "frame";
  frame.hidden = !pick;
  board.className = "over";
  board.setAttribute("role", "img");
  board.replaceChildren(canvas, frame);
}

function frameAt(board, y, x) {
  if (board.className.includes("board")) { placeFrame(board, y, x, 1, 1); return; }
  const frame = board.querySelector(".frame"), size = 9;
  Object.assign(frame.style, {
    width: `${size}px`, height: `${size}px`,
    left: `calc(${((x + 0.5) / columns) * 100}% - ${size / 2}px)`,
    top: `calc(${((y + 0.5) / rows) * 100}% - ${size / 2}px)`,
  });
}

function drawPicture(id, values, low, high) {
  draw(id, values, (v) => (v - low) / (high - low || 1),
    (y, x) => `row ${y}, column ${x}: ${text(values[y][x])}`, null);
}

function drawSpectrum(id, parts) {
  const sizes = magnitudes(parts), largest = spread(sizes)[1] || 1;
  const centred = sizes.map((_, y) => sizes[0].map((__, x) =>
    rounded(sizes[indexAt(y, rows)][indexAt(x, columns)], largest)));
  draw(id, centred, (v) => Math.log1p((1000 * v) / largest) / Math.log(1001),
    (y, x) => `frequency ${y - middle(rows)},${x - middle(columns)}: ${text(centred[y][x])}`,
    (y, x) => choose(indexAt(y, rows), indexAt(x, columns)));
}

function drawAll() {
  drawPicture("image", data.image, ...spread(data.image));
  drawPicture("kernel-period", data.kernel, ...spread(data.kernel));
  const [low, high] = spread([...data.circular, ...data.linear]);
  for (const id of ["circular", "again"]) drawPicture(id, data.circular, low, high);
  drawPicture("linear", data.linear, low, high);
  const most = Math.max(...spread(data.difference).map(Math.abs)) || 1;
  drawPicture("difference", data.difference, -most, most);
  for (const [id, name] of Object.entries(SPECTRA)) drawSpectrum(id, data.spectra[name]);
  choose(...chosen);
}

function choose(row, column) {
  chosen = [row, column];
  const [y, x] = [placeOf(row, rows), placeOf(column, columns)];
  const [down, right] = [y - middle(rows), x - middle(columns)];
  const texts = {}, sizes = {};
  for (const [id, name] of Object.entries(SPECTRA)) {
    frameAt(get(id), y, x);
    const { real, imaginary } = data.spectra[name];
    texts[name] = complexText(real[row][column], imaginary[row][column], data.largest[name]);
    sizes[name] = Math.hypot(real[row][column], imaginary[row][column]);
    get(`${name}-value`).textContent =
      `${texts[name]}, magnitude ${text(rounded(sizes[name], data.largest[name]), 4)}`;
  }
  get("equation").textContent = `Frequency ${text(down)},${text(right)}: ` +
    `(${texts.image}) × (${texts.kernel}) = ${texts.product}`;
  for (const [id, value] of [["down", down], ["right", right]]) {
    get(id).value = value;
    get(`${id}-value`).textContent = text(value);
  }
  const { real, imaginary } = data.spectra.kernel;
  const part = (values) => rounded(values[row][column], data.largest.kernel);
  get("effect").textContent = effectText(sizes.kernel, Math.atan2(part(imaginary), part(real)));
  const wave = Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (__, j) => {
    const value = Math.cos(2 * Math.PI * ((row * i) / rows + (column * j) / columns));
    return Math.abs(value) < 1e-12 ? 0 : value;
  }));
  drawPicture("wave", wave, -1, 1);
}

function effectText(size, angle) {
  const shown = text(rounded(size, data.largest.kernel), 4);
  if (shown === "0") return "The kernel takes this wave away: nothing brings it back.";
  const verb = shown === "1" ? "keeps this wave's height"
    : size < 1 ? `makes this wave ${shown} times as high` : `makes this wave ${shown} times higher`;
  return `The kernel ${verb} and shifts it by ${text((angle * 180) / Math.PI, 4)}° of a period.`;
}

function slide() {
  const fold = (value, n) => (value + n) % n;
  choose(fold(get("down").valueAsNumber, rows), fold(get("right").valueAsNumber, columns));
}

for (const [id, n] of [["down", rows], ["right", columns]]) {
  get(id).min = -middle(n);
  get(id).max = n - 1 - middle(n);
  get(id).addEventListener("input", slide);
}
data.largest = Object.fromEntries(Object.entries(data.spectra).map(([name, parts]) =>
  [name, spread(magnitudes(parts))[1]]));
get("linear-title").textContent = `Linear (border ${data.border})`;
get("image-note").textContent = `${rows} × ${columns} pixels${data.full
  ? ", with zeros so that nothing wraps round" : ""}`;
get("kernel-note").textContent = data.full ? "With zeros after it."
  : "The weight that lies on the output's own pixel is at 0,0; those before it are at the end.";
get("circular-note").textContent = "The inverse transform of the product.";
get("difference-note").textContent = data.words.replace("--", "\u2011\u2011");
window.addEventListener("resize", drawAll);
drawAll();
