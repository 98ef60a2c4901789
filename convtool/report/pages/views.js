// What the page goes through: each convolution, the pooling, and the gradients of weights and image.

function signed(values) {
  const [first, ...rest] = values;
  return text(first) +
    rest.map((v) => (v < 0 ? " − " : " + ") + text(Math.abs(v))).join("");
}

function inBrackets(value) {
  return value < 0 ? `(${text(value)})` : text(value);
}

// How the sums of one place become the output's pixel, a line for each step.
function totals(s, layer, row, column) {
  const sums = layer.walks.map((one) => one.output[row][column]);
  const value = layer.output[row][column], lines = [];
  if (s.combination === "magnitude") {
    lines.push(`magnitude: √(${sums.map((v) => `${inBrackets(v)}²`).join(" + ")}) = ${text(value)}`);
  } else if (s.combination) {
    lines.push(`${s.combination} of ${sums.map((v) => text(v)).join(", ")} = ${text(value)}`);
  } else if (s.bias || sums.length > 1) {
    const bias = s.bias ? ` ${s.bias < 0 ? "−" : "+"} bias ${text(Math.abs(s.bias))}` : "";
    const what = sums.length > 1 ? "all channels: " : "";
    lines.push(`${what}${signed(sums)}${bias} = ${text(value)}`);
  }
  if (ACTIVATIONS[s.activation]) {
    lines.push(`${s.activation}(${text(value)}) = ${text(layer.activated[row][column])}`);
  }
  return lines;
}

function forwardView(s, layer, channel) {
  const walk = layer.walks[channel];
  const name = s.names.length > 1 ? s.names[channel]
    : s.operation === "convolution" ? "Convolution" : "Correlation";
  const same = JSON.stringify(walk.laid) === JSON.stringify(s.kernels[channel]);
  const tables = [];
  if (layer.walks.length > 1) tables.push([`Sums of ${name}`, walk.output]);
  const act = ACTIVATIONS[s.activation];
  if (act) {
    const formula = act.formula.replace("slope", text(s.leak));
    tables.push([`After ${s.activation}(z) = ${formula}`, layer.activated]);
  }
  return {
    ...walk, id: `forward-${channel}`, name, channel, kind: "forward", output: layer.output,
    padded: walk.padded, image: s.images[Math.min(channel, s.images.length - 1)],
    titles: ["Picture and what lies beyond its edge", "The window: pixel × weight",
      "The kernel as it lies on the picture",
      s.combination ? `Output: the ${s.combination}` : "Output"],
    note: s.operation === "correlation" ? "Correlation lays the kernel on as it is."
      : same ? "Convolution turns the kernel by half; this one stays as it was."
      : "Convolution turns the kernel by half before it lays it on.",
    size: "floor((H + 2P − K) / S) + 1",
    step: (row, column) => stepOf(walk, row, column),
    lines: (row, column) => totals(s, layer, row, column),
    tables,
  };
}

function poolView(s, layer) {
  const { pool } = s;
  const kind = pool.kind === "max" ? "maximum" : "average";
  return {
    id: "pool", name: "Pooling", channel: 0, kind: "pool", rows: layer.poolRows,
    columns: layer.poolColumns, laid: null, output: layer.pooled, padded: layer.activated,
    image: layer.activated,
    titles: [ACTIVATIONS[s.activation] ? "Output after the activation" : "Output of the convolution",
      `The window: its ${kind}`, "", "Pooled"],
    note: "Windows that reach beyond the edge are kept and cut there.",
    size: "ceil((H − K) / S) + 1",
    step: (row, column) => {
      const step = poolStep(pool, layer.activated, row, column);
      return { ...step, sum: step.value };
    },
    lines: () => [], tables: [],
  };
}

function spreadNote(walk) {
  return walk.rows.stride * walk.columns.stride > 1
    ? " The stride leaves zeros between the numbers of dZ." : "";
}

function gradientViews(s, layer, back, channel) {
  const { weights, image, kernel, folded } = back.channels[channel], walk = layer.walks[channel];
  const of = s.names.length > 1 ? ` ${s.names[channel]}` : "";
  const turned = s.operation === "convolution";
  const common = { channel, lines: () => [], size: "floor((H + 2P − K) / S) + 1" };
  const given = layer.pooled === layer.output ? [] : [["The gradient that was given", s.gradient]];
  const rest = [["dZ, the gradient of the output", back.output], ...given];
  const inside = s.border === "constant" ? "dX, cropped to the picture"
    : "dX: each copy's gradient added to the pixel that it copies";
  return [{
    ...common, ...weights, id: `weights-${channel}`, name: `dK${of}`, kind: "weights",
    image: weights.padded,
    titles: [`Padded picture${of}`, "The window: pixel × dZ", "dZ, with zeros for the stride",
      turned ? "dK, for the flipped kernel" : "dK, the gradient of the kernel"],
    note: "Each weight's gradient is the sum of its pixels times dZ." +
      spreadNote(walk),
    step: (row, column) => stepOf(weights, row, column),
    tables: [...(turned ? [["dK, flipped back", kernel]] : []),
      [`db = ${signed(back.output.flat())}`, [[back.bias]]], ...rest],
  }, {
    ...common, ...image, id: `image-${channel}`, name: `dX${of}`, kind: "image",
    image: image.padded, crop: walk,
    titles: ["dZ and the zeros around it", "The window: dZ × weight",
      "The kernel, flipped for the full convolution", "dX, before cropping"],
    note: "Full convolution: each pixel's gradient is the sum over the windows that contain it." +
      spreadNote(walk),
    step: (row, column) => stepOf(image, row, column),
    tables: [[inside, folded], ...rest],
  }];
}

// Every view of a state whose output is not empty.
function viewsOf(s) {
  const layer = layerOf(s);
  if (!layer.output) return [forwardView(s, { ...layer, output: null }, 0)];
  const channels = layer.walks.map((_, i) => i);
  const views = channels.map((i) => forwardView(s, layer, i));
  if (s.pool.kind !== "none") views.push(poolView(s, layer));
  if (s.gradient && !s.combination) {
    s.gradient = resized(s.gradient, layer.pooled.length, layer.pooled[0].length);
    const back = backwardOf(s, layer);
    views.push(...channels.flatMap((i) => gradientViews(s, layer, back, i)));
  }
  return views;
}
