// The choices: what is drawn, edited and chosen changes the state, and all is computed again.

// A table of numbers to edit; `change` is called after one of them has become another.
function drawInputs(table, matrix, name, change) {
  table.replaceChildren(...matrix.map((line, i) => {
    const row = document.createElement("tr");
    row.append(...line.map((value, j) => {
      const place = document.createElement("td"), input = document.createElement("input");
      input.type = "text";
      input.value = weightText(value);
      input.setAttribute("aria-label", `${name} row ${i}, column ${j}`);
      input.addEventListener("input", () => {
        const weight = weightOf(input.value);
        input.setAttribute("aria-invalid", String(weight === null));
        if (weight === null) return;
        matrix[i][j] = weight;
        change();
      });
      place.append(input);
      return place;
    }));
    return row;
  }));
}

function drawKernel() {
  get("high").value = state.kernel.length;
  get("wide").value = state.kernel[0].length;
  drawInputs(get("kernel"), state.kernel, "weight", () => {
    chooseKernel(OWN_KERNEL);
    compute();
  });
}

function drawGradient() {
  const { gradient } = state;
  get("backward").checked = Boolean(gradient);
  get("gradient").replaceChildren();
  if (gradient) drawInputs(get("gradient"), gradient, "gradient", () => compute());
}

const OWN_KERNEL = "your weights";

function chooseKernel(name) {
  state.presets[state.channel] = name;
  get("preset").value = name;
  get("about").textContent = data.kernels[name] ? data.kernels[name].summary
    : "Weights may be fractions, such as 1/9.";
}

function drawFollowing() {
  const { pool } = state;
  for (const [id, value] of [["bias", state.bias], ["activation", state.activation],
    ["leak", state.leak], ["pool", pool.kind], ["pool-size", pool.size[0]],
    ["pool-stride", pool.stride[0]]]) get(id).value = value;
  for (const id of ["bias", "backward"]) get(id).disabled = Boolean(state.combination);
  showFollowing();
  drawGradient();
}

function showFollowing() {
  get("leaks").style.display = state.activation === "leaky" ? "" : "none";
  get("pools").style.display = state.pool.kind === "none" ? "none" : "";
}

function readFollowing() {
  const number = (id, fallback) => (Number.isFinite(get(id).valueAsNumber) ? get(id).valueAsNumber
    : fallback);
  state.bias = number("bias", state.bias);
  state.activation = get("activation").value;
  state.leak = number("leak", state.leak);
  const { pool } = state;
  const size = whole("pool-size", pool.size[0]), stride = whole("pool-stride", pool.stride[0]);
  state.pool = {
    kind: get("pool").value,
    size: size === pool.size[0] ? pool.size : [size, size],
    stride: stride === pool.stride[0] ? pool.stride : [stride, stride],
  };
  if (!get("backward").checked) state.gradient = null;
  else state.gradient ||= views[0].output.map((line) => line.map(() => 1));
  showFollowing();
  compute();
  drawGradient();
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
  drawGradient();
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
  if (name in data.pictures) state.images = structuredClone(data.pictures[name]);
  else if (name in PICTURES) state.image = drawn(name, state.image.length, state.image[0].length);
  drawOptions();
  at = 0;
  compute();
  drawGradient();
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
  state.images = state.images.map((image) =>
    (name in PICTURES && state.images.length === 1 ? drawn(name, h, w) : resized(image, h, w)));
  if (!(name in PICTURES)) get("picture").value = OWN;
  compute();
  drawGradient();
});
get("preset").addEventListener("change", () => {
  const chosen = data.kernels[get("preset").value];
  if (chosen) state.kernel = chosen.weights.map((row) => row.slice());
  chooseKernel(get("preset").value);
  drawKernel();
  at = 0;
  compute();
  drawGradient();
});
for (const id of ["high", "wide"]) get(id).addEventListener("input", () => {
  const [h, w] = [whole("high", state.kernel.length), whole("wide", state.kernel[0].length)];
  if (h === state.kernel.length && w === state.kernel[0].length) return;
  state.kernel = resized(state.kernel, h, w);
  chooseKernel(OWN_KERNEL);
  drawKernel();
  compute();
  drawGradient();
});
for (const id of ["bias", "activation", "leak", "pool", "pool-size", "pool-stride", "backward"]) {
  get(id).addEventListener("input", readFollowing);
}
for (const id of ["convolution", "correlation", "mode", "border", "cval", "pad-y", "pad-x",
  "stride-y", "stride-x"]) get(id).addEventListener("input", readOptions);

fill(get("picture"), [...Object.keys(data.pictures), ...Object.keys(PICTURES), OWN], data.picture);
fill(get("preset"), [...Object.keys(data.kernels), OWN_KERNEL]);
state.presets = state.presets.map((name) => (name in data.kernels ? name : OWN_KERNEL));
state.images ||= Array.from({ length: state.combination ? 1 : state.kernels.length },
  () => drawn(data.picture, 8, 8));
fill(get("activation"), ["none", ...Object.keys(ACTIVATIONS)], state.activation);
drawOptions();
drawFollowing();
drawKernel();
chooseKernel(state.presets[0]);
compute();
