// The page.

const data = JSON.parse(document.getElementById("data").textContent);
const get = (id) => document.getElementById(id);
const state = data.state;
let views = [], result, at = 0, timer = null, painting = false, focused = [0, 0];

// The picture and the kernel that are looked at: those of one channel, or of a group's kernel.
Object.defineProperties(state, {
  image: {
    get: () => state.images[Math.min(state.channel, state.images.length - 1)],
    set: (image) => { state.images[Math.min(state.channel, state.images.length - 1)] = image; },
  },
  kernel: {
    get: () => state.kernels[state.channel],
    set: (kernel) => {
      state.kernels[state.channel] = kernel;
      state.kernels = state.kernels.map((one) => resized(one, kernel.length, kernel[0].length));
    },
  },
});

// Black and white of a board: 0 and 1, the largest value or 255 for pictures, else what there is.
function rangeOf(view) {
  const all = (view.kind === "forward" ? view.image : view.padded).flat();
  const high = Math.max(...all);
  if (view.kind === "forward") return [0, high <= 1 ? 1 : high <= 25 ? high : 255];
  return [Math.min(...all), high];
}

function drawPadded() {
  const { rows, columns, padded } = result;
  const [black, white] = rangeOf(result);
  layOut(get("padded"), padded.length, padded[0].length, (i, j) => {
    const made = cell(), y = i - rows.before, x = j - columns.before, value = padded[i][j];
    const inside = y >= 0 && y < rows.size && x >= 0 && x < columns.size;
    write(made, text(value, 3));
    shade(made, (value - black) / (white - black || 1));
    if (inside && result.kind === "forward") {
      made.dataset.y = y;
      made.dataset.x = x;
      made.tabIndex = y === focused[0] && x === focused[1] ? 0 : -1;
    }
    if (!inside) made.classList.add("added");
    made.setAttribute("aria-label", inside ? `row ${y}, column ${x}: ${text(value)}`
      : `border: ${text(value)}`);
    return made;
  });
  const { before: top, after: bottom } = rows, { before: left, after: right } = columns;
  get("padded-note").textContent = result.kind === "pool" ? "" :
    top + bottom + left + right === 0 ? "No pixels are added."
    : `The border adds ${top} above, ${bottom} below, ${left} left, ${right} right: dashed, hatched.`;
  if (Number(get("padded").dataset.size) < TINY) {
    get("padded-note").textContent += " The pixels are too small for numbers; the window has them.";
  }
}

function drawOutput() {
  const { rows, columns, output } = result;
  layOut(get("output"), rows.count, columns.count, (row, column) => {
    const made = cell();
    const { crop } = result;
    if (crop && (row < crop.rows.before || row >= crop.rows.before + crop.rows.size ||
      column < crop.columns.before || column >= crop.columns.before + crop.columns.size)) {
      made.classList.add("added");
    }
    made.addEventListener("click", () => { pause(); go(row * columns.count + column); });
    return made;
  });
  const all = output.flat();
  result.low = Math.min(...all);
  result.high = Math.max(...all);
  get("output-note").textContent =
    `${rows.count} × ${columns.count}; black is ${text(result.low)}, white ${text(result.high)}.`;
  if (result.crop) get("output-note").textContent += " Dashed: the border's pixels.";
  get("size").textContent = `Its size: ${result.size}`;
  get("rows-formula").textContent = rows.formula;
  get("columns-formula").textContent = columns.formula;
}

function drawPooled(step) {
  get("window").className = step.window[0].length > MOST_PLAIN ? "wide" : "";
  get("window").replaceChildren(...step.window.map((line, i) => {
    const row = document.createElement("tr");
    row.append(...line.map((value, j) => {
      const made = document.createElement("td");
      const best = state.pool.kind === "max" && i * line.length + j === step.best;
      const shown = document.createElement(best ? "b" : "span");
      shown.textContent = text(value);
      made.append(shown);
      if (best) made.className = "best";
      return made;
    }));
    return row;
  }));
  const values = step.window.flat();
  return state.pool.kind === "max" ? `max of ${values.map((v) => text(v)).join(", ")} = `
    : `(${signed(values)}) / ${values.length} = `;
}

function drawProducts(step) {
  const { rows, columns, laid } = result;
  const table = get("window");
  const wide = laid[0].length > MOST_PLAIN, digits = wide ? 3 : 6;
  table.className = wide ? "wide" : "";
  get("laid").className = wide ? "numbers wide" : "numbers";
  table.replaceChildren(...step.window.map((line, i) => {
    const row = document.createElement("tr");
    row.append(...line.map((value, j) => {
      const made = document.createElement("td"), product = document.createElement("b");
      const y = step.top + i - rows.before, x = step.left + j - columns.before;
      const inside = y >= 0 && y < rows.size && x >= 0 && x < columns.size;
      if (!inside) made.className = "outside";
      product.textContent = text(step.products[i][j], digits);
      const weight = weightText(laid[i][j], digits).replace("-", "−");
      const bracketed = laid[i][j] < 0 && !wide ? `(${weight})` : weight;
      made.append(text(value, 4), wide ? document.createElement("br") : " ", `× ${bracketed}`,
        product);
      return made;
    }));
    return row;
  }));
  return `${signed(step.products.flat())} = `;
}

function showWindow(step) {
  const pooled = result.kind === "pool";
  const sum = pooled ? drawPooled(step) : drawProducts(step);
  get("sum").className = step.window.flat().length > 12 ? "long" : "";
  const strong = document.createElement("strong");
  strong.textContent = text(step.sum);
  get("sum").setAttribute("aria-live", timer ? "off" : "polite");
  get("sum").replaceChildren(sum, strong, ...result.lines(step.row, step.column).map((line) => {
    const made = document.createElement("span");
    made.className = "total";
    made.textContent = line;
    return made;
  }));
}

const NOUNS = { forward: "output", pool: "pooled", weights: "dK", image: "dX" };

function show() {
  if (!result.output) return;
  const { rows, columns, output } = result;
  const total = rows.count * columns.count;
  at = Math.min(Math.max(at, 0), total - 1);
  const step = result.step(Math.floor(at / columns.count), at % columns.count);
  placeFrame(get("padded"), step.top, step.left, step.window.length, step.window[0].length);
  placeFrame(get("output"), step.row, step.column, 1, 1);
  showWindow(step);
  get("output").querySelectorAll(".cell").forEach((made, i) => {
    const row = Math.floor(i / columns.count), column = i % columns.count;
    const value = output[row][column], done = i <= at;
    made.classList.toggle("waiting", !done);
    write(made, done ? text(value, 3) : "·");
    if (done) shade(made, (value - result.low) / (result.high - result.low || 1));
    else made.style.backgroundColor = made.style.color = "";
    made.setAttribute("aria-label", `row ${row}, column ${column}: ${done ? text(value) : "not yet"}`);
    if (i === at) made.setAttribute("aria-current", "step");
    else made.removeAttribute("aria-current");
  });
  get("at").max = total - 1;
  get("at").value = at;
  const value = text(output[step.row][step.column]);
  const where =
    `Step ${at + 1} of ${total}: ${NOUNS[result.kind]} row ${step.row}, column ${step.column} is ${value}`;
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

function drawViews() {
  get("views").hidden = views.length < 2;
  get("views").replaceChildren(...views.map((view) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = view.name;
    made.dataset.view = view.id;
    made.setAttribute("aria-label", `show ${view.name}`);
    made.setAttribute("aria-pressed", String(view === result));
    made.addEventListener("click", () => look(view.id));
    return made;
  }));
}

function look(id) {
  pause();
  const left = get("views").contains(document.activeElement);
  state.channel = views.find((view) => view.id === id).channel;
  at = 0;
  drawKernel();
  chooseKernel(state.presets[state.channel]);
  compute(id);
  if (left) get("views").querySelector("[aria-pressed=true]").focus();
}

function drawTables() {
  get("tables").replaceChildren(...result.tables.flatMap(([title, matrix]) => {
    const head = document.createElement("h2"), around = document.createElement("div");
    const table = document.createElement("table");
    head.textContent = title;
    around.className = "scroll";
    table.className = matrix[0].length > MOST_PLAIN ? "numbers wide" : "numbers";
    table.setAttribute("aria-label", title);
    table.append(...matrix.map((line) => rowOf(line.map((value) => text(value, 5)))));
    around.append(table);
    return [head, around];
  }));
}

function rowOf(texts) {
  const row = document.createElement("tr");
  row.append(...texts.map((one) => {
    const made = document.createElement("td");
    made.textContent = one;
    return made;
  }));
  return row;
}

function compute(id = result?.id) {
  views = viewsOf(state);
  result = views.find((view) => view.id === id) || views[0];
  state.channel = result.channel;
  drawViews();
  document.querySelector(".stage").style.visibility = result.output ? "" : "hidden";
  get("message").textContent = result.output ? ""
    : "No output is left: the kernel is larger than the picture. Take another output or more padding.";
  if (!result.output) { pause(); return; }
  ["padded", "window", "laid", "output"].forEach((board, i) => {
    get(`${board}-title`).textContent = result.titles[i];
  });
  get("laid-title").hidden = get("laid").hidden = !result.laid;
  drawPadded();
  drawOutput();
  drawLaid();
  drawTables();
  get("turned").textContent = result.note;
  show();
}

function drawLaid() {
  const laid = result.laid || [];
  const digits = laid.length && laid[0].length > MOST_PLAIN ? 3 : 6;
  get("laid").replaceChildren(...laid.map((line) =>
    rowOf(line.map((value) => weightText(value, digits).replace("-", "−")))));
}

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
