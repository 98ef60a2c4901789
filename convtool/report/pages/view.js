"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const get = (id) => document.getElementById(id);
const presets = new Map(data.presets.map((one) => [one.name, one]));
const settings = data.settings;
const CHOICES = ["border", "engine", "range"], SWITCHES = ["gray", "linear"];
let busy = false, again = false, shown = null;

function made(kind, properties = {}, ...children) {
  const one = Object.assign(document.createElement(kind), properties);
  one.append(...children);
  return one;
}

function fill(select, names, chosen) {
  select.replaceChildren(...names.map((name) => made("option", { value: name, textContent: name })));
  select.value = chosen;
}

/* Kernels */

function drawKernels() {
  get("kernels").replaceChildren(...settings.kernels.map(drawKernel));
  get("add").disabled = settings.kernels.length >= data.most;
}

function drawKernel(kernel, i) {
  const box = made("fieldset", {}, made("legend", { textContent: `Kernel ${i + 1}` }));
  const select = made("select", { id: `kernel-${i}` });
  data.given.forEach((text, number) => {
    if (data.fixed.has(number)) select.append(made("option", { value: `given:${number}`, textContent: text }));
  });
  select.append(...data.presets.map((one) => made("option", { value: one.name, textContent: one.name })));
  select.value = kernel.preset ?? `given:${kernel.given}`;
  select.addEventListener("change", () => {
    const [word, number] = select.value.split(":");
    settings.kernels[i] = word === "given" ? { given: Number(number) } : { preset: word, values: {} };
    drawKernels();
    get(`kernel-${i}`).focus();
    update();
  });
  const top = made("div", { className: "row" }, made("label", {}, "Kernel ", select));
  if (settings.kernels.length > 1) top.append(removal(i));
  box.append(top);
  const preset = presets.get(kernel.preset);
  if (preset) {
    box.append(made("p", { className: "soft", textContent: preset.summary }));
    const own = preset.parameters.filter((one) => one.name !== "scale");
    box.append(...own.map((one) => drawParameter(kernel, i, one)), drawScale(kernel, i, preset));
  }
  return box;
}

function removal(i) {
  const button = made("button", { type: "button", textContent: "Remove" });
  button.setAttribute("aria-label", `remove kernel ${i + 1}`);
  button.addEventListener("click", () => {
    settings.kernels.splice(i, 1);
    drawKernels();
    get("add").focus();
    update();
  });
  return button;
}

function drawScale(kernel, i, preset) {
  const { normalize, scale } = kernel.values;
  const more = made("details", { open: Boolean(normalize || scale) }, made("summary", { textContent: "Scale" }));
  const select = made("select");
  fill(select, ["none", "sum", "abs"], normalize || "none");
  select.addEventListener("change", () => {
    if (select.value === "none") delete kernel.values.normalize;
    else kernel.values.normalize = select.value;
    update();
  });
  const slider = preset.parameters.find((one) => one.name === "scale");
  more.append(drawParameter(kernel, i, slider),
    made("div", { className: "row" }, made("label", {}, "Normalize by ", select)));
  return more;
}

function drawParameter(kernel, i, one) {
  const id = `kernel-${i}-${one.name}`;
  const [min, max, step] = one.span;
  const slider = made("input", { type: "range", id: `${id}-slider`, min, max, step });
  slider.setAttribute("aria-label", one.name);
  const field = made("input", { type: "text", id, placeholder: one.default || "auto", autocomplete: "off",
    spellcheck: false, value: kernel.values[one.name] ?? "" });
  field.setAttribute("aria-describedby", `${id}-about`);
  const reset = made("button", { type: "button", textContent: "↺" });
  reset.setAttribute("aria-label", `default of ${one.name}`);
  function show() {
    slider.value = parseFloat(field.value || one.default || min);
    slider.setAttribute("aria-valuetext", field.value || one.default || "automatic");
    reset.disabled = field.value === "";
  }
  function take() {
    const text = field.value.trim();
    if (text === "" || text === one.default) delete kernel.values[one.name];
    else kernel.values[one.name] = text;
    show();
    update();
  }
  slider.addEventListener("input", () => { field.value = slider.value; take(); });
  field.addEventListener("input", take);
  reset.addEventListener("click", () => { field.value = ""; take(); field.focus(); });
  show();
  const about = made("p", { className: "soft", id: `${id}-about`, textContent: `${one.meaning}: ${one.range}` });
  return made("div", { className: "parameter" },
    made("label", { htmlFor: id, textContent: one.name }), slider, field, reset, about);
}

/* Options */

function drawOptions() {
  fill(get("border"), data.borders, settings.border);
  fill(get("engine"), data.engines, settings.engine);
  fill(get("range"), data.ranges, settings.range);
  for (const name of CHOICES) {
    get(name).addEventListener("change", () => { settings[name] = get(name).value; showValue(); update(); });
  }
  for (const name of SWITCHES) {
    get(name).checked = settings[name];
    get(name).addEventListener("change", () => { settings[name] = get(name).checked; update(); });
  }
  get("cval").value = settings.cval;
  get("cval").addEventListener("input", () => { settings.cval = get("cval").valueAsNumber || 0; update(); });
  showValue();
}

function showValue() { get("cvals").hidden = settings.border !== "constant"; }

/* Pictures */

const query = (text) => `settings=${encodeURIComponent(text)}`;

async function update() {
  if (busy) { again = true; return; }
  busy = true;
  document.body.classList.add("busy");
  get("status").textContent = "filtering …";
  do {
    again = false;
    await filter(JSON.stringify(settings));
  } while (again);
  busy = false;
  document.body.classList.remove("busy");
}

async function filter(text) {
  try {
    const answer = await fetch(`about?${query(text)}`);
    const found = await answer.json();
    if (!answer.ok) throw new Error(found.error);
    get("after").src = `after.png?${query(text)}`;
    await get("after").decode();
    shown = text;
    tell(found);
    showPart();
  } catch (error) {
    get("message").textContent = error instanceof TypeError
      ? "The server has ended; start 'convtool view' again." : error.message;
    get("status").textContent = "";
  }
}

function milliseconds(seconds) {
  const number = 1000 * seconds;
  return `${number < 10 ? number.toFixed(1) : Math.round(number)} ms`;
}

function tell(found) {
  get("message").textContent = "";
  get("command").textContent = found.command;
  get("save").href = `file?${query(shown)}`;
  const reduced = data.reduced > 1 ? ` Shown at 1/${data.reduced} of its size.` : "";
  get("status").textContent = `Filtered in ${milliseconds(found.seconds)}.${reduced}`;
  get("warnings").textContent = found.warnings.join("; ");
  get("steps").replaceChildren(...found.steps.map((step) => made("li", {
    textContent: `${step.kernel} (${step.size}): ${step.engine}, ${milliseconds(step.seconds)}; ${step.reason}` })));
}

function layOut(layout) {
  const split = layout === "split";
  get("stage").className = layout;
  get("splits").hidden = get("divider").hidden = !split;
  document.querySelector(`[name=layout][value=${layout}]`).checked = true;
  cut();
}

function cut() {
  const split = get("stage").className === "split", share = get("split").value;
  get("after").style.clipPath = split ? `inset(0 0 0 ${share}%)` : "";
  const picture = get("after");
  get("divider").style.left = `${picture.offsetLeft + picture.offsetWidth * share / 100}px`;
}

/* Actual pixels */

function partSize() {
  const width = Math.max(64, Math.floor(document.querySelector(".pair figure").clientWidth));
  return [Math.min(width, data.most_part, data.width), Math.min(320, data.height)];
}

function showPart() {
  const [width, height] = partSize();
  for (const [name, most] of [["left", data.width - width], ["top", data.height - height]]) {
    get(name).max = most;
    get(name).disabled = most === 0;
    get(`${name}-value`).textContent = get(name).value;
  }
  const box = `left=${get("left").value}&top=${get("top").value}&width=${width}&height=${height}`;
  get("part-before").src = `part.png?${box}`;
  if (shown !== null) get("part-after").src = `part.png?${box}&${query(shown)}`;
}

function choosePart(event) {
  const around = event.target.getBoundingClientRect(), [width, height] = partSize();
  const x = (event.clientX - around.left) / around.width, y = (event.clientY - around.top) / around.height;
  get("left").value = Math.round(x * data.width - width / 2);
  get("top").value = Math.round(y * data.height - height / 2);
  showPart();
}

async function copy() {
  try {
    await navigator.clipboard.writeText(get("command").textContent);
    get("copied").textContent = "copied";
  } catch {
    getSelection().selectAllChildren(get("command"));
    get("copied").textContent = "selected; press Ctrl-C";
  }
  setTimeout(() => { get("copied").textContent = ""; }, 3000);
}

data.fixed = new Set(settings.kernels.filter((one) => "given" in one).map((one) => one.given));
drawKernels();
drawOptions();
document.querySelectorAll("[name=layout]").forEach((one) =>
  one.addEventListener("change", () => layOut(one.value)));
get("split").addEventListener("input", cut);
get("add").addEventListener("click", () => {
  settings.kernels.push({ preset: "gaussian", values: { sigma: "2" } });
  drawKernels();
  get(`kernel-${settings.kernels.length - 1}`).focus();
  update();
});
get("copy").addEventListener("click", copy);
for (const name of ["left", "top"]) get(name).addEventListener("input", showPart);
for (const name of ["before", "after"]) get(name).addEventListener("click", choosePart);
get("after").addEventListener("load", cut);
window.addEventListener("resize", () => { cut(); showPart(); });
layOut(matchMedia("(min-width: 40rem)").matches ? "side" : "split");
const [width, height] = partSize();
get("left").max = data.width;
get("top").max = data.height;
get("left").value = Math.round((data.width - width) / 2);
get("top").value = Math.round((data.height - height) / 2);
update();
