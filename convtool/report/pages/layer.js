// What follows the sums, and what goes back: that of convtool.explain.

const ACTIVATIONS = {
  relu: { value: (z) => Math.max(z, 0), slope: (z) => (z > 0 ? 1 : 0), formula: "max(0, z)" },
  sigmoid: {
    value: (z) => 0.5 * (1 + Math.tanh(z / 2)),
    slope: (z) => 0.25 * (1 - Math.tanh(z / 2) ** 2),
    formula: "1 / (1 + exp(−z))",
  },
  tanh: { value: (z) => Math.tanh(z), slope: (z) => 1 - Math.tanh(z) ** 2, formula: "tanh(z)" },
  leaky: {
    value: (z, leak) => (z > 0 ? z : leak * z),
    slope: (z, leak) => (z > 0 ? 1 : leak),
    formula: "z where z > 0, slope · z elsewhere",
  },
};

function grid(rows, columns, make) {
  return Array.from({ length: rows }, (_, y) => Array.from({ length: columns }, (_, x) => make(y, x)));
}

function combine(s, sums) {
  if (s.combination === "magnitude") return Math.hypot(...sums);
  if (s.combination === "maximum") return Math.max(...sums);
  return sums.reduce((a, b) => a + b, 0) + s.bias;
}

function poolAxis(size, taps, stride) {
  let count = Math.max(0, Math.ceil((size - taps) / stride)) + 1;
  if ((count - 1) * stride >= size) count -= 1;
  const formula = `ceil((${size} − ${taps}) / ${stride}) + 1 = ${count}`;
  return { size, taps, stride, count, start: 0, dense: size, before: 0, after: 0, formula };
}

function poolStep(pool, values, row, column) {
  const top = row * pool.stride[0], left = column * pool.stride[1];
  const window = values.slice(top, top + pool.size[0])
    .map((line) => line.slice(left, left + pool.size[1]));
  const all = window.flat();
  const sum = all.reduce((a, b) => a + b, 0);
  const value = pool.kind === "max" ? Math.max(...all) : sum / all.length;
  return { row, column, top, left, window, value, best: all.indexOf(Math.max(...all)) };
}

function poolBackward(pool, values, gradient) {
  const answer = values.map((line) => line.map(() => 0));
  gradient.forEach((line, row) => line.forEach((given, column) => {
    const step = poolStep(pool, values, row, column), wide = step.window[0].length;
    const count = step.window.length * wide;
    step.window.forEach((cells, i) => cells.forEach((_, j) => {
      const share = pool.kind === "max" ? Number(i * wide + j === step.best) : 1 / count;
      answer[step.top + i][step.left + j] += given * share;
    }));
  }));
  return answer;
}

// Every channel's convolution and what becomes of their sums.
function layerOf(s) {
  const walks = s.kernels.map((kernel, i) =>
    convolve({ ...s, kernel, image: s.images[Math.min(i, s.images.length - 1)] }));
  const { rows, columns, output: some } = walks[0];
  if (!some) return { walks, output: null };
  const output = grid(rows.count, columns.count, (y, x) =>
    combine(s, walks.map((one) => one.output[y][x])));
  const act = ACTIVATIONS[s.activation];
  const activated = act ? output.map((line) => line.map((z) => act.value(z, s.leak))) : output;
  const layer = { walks, output, activated, pooled: activated };
  if (s.pool.kind !== "none") {
    layer.poolRows = poolAxis(rows.count, s.pool.size[0], s.pool.stride[0]);
    layer.poolColumns = poolAxis(columns.count, s.pool.size[1], s.pool.stride[1]);
    layer.pooled = grid(layer.poolRows.count, layer.poolColumns.count, (y, x) =>
      poolStep(s.pool, activated, y, x).value);
  }
  return layer;
}

// The gradients of weights and image, as two convolutions for each channel.
function backwardOf(s, layer) {
  const { rows, columns } = layer.walks[0];
  const act = ACTIVATIONS[s.activation];
  const after = s.pool.kind === "none" ? s.gradient : poolBackward(s.pool, layer.activated, s.gradient);
  const output = after.map((line, y) => line.map((given, x) =>
    (act ? given * act.slope(layer.output[y][x], s.leak) : given)));
  const spread = grid(rows.dense, columns.dense, (y, x) =>
    (y % rows.stride || x % columns.stride ? 0 : output[y / rows.stride][x / columns.stride]));
  const plain = { stride: [1, 1], padding: [0, 0], border: "constant", cval: 0 };
  const channels = layer.walks.map((one) => {
    const weights = convolve({ ...plain, image: one.padded, kernel: spread,
      operation: "correlation", mode: "valid" });
    const image = convolve({ ...plain, image: spread, kernel: one.laid,
      operation: "convolution", mode: "full" });
    const kernel = s.operation === "convolution"
      ? weights.output.map((line) => line.slice().reverse()).reverse() : weights.output;
    const folded = grid(rows.size, columns.size, () => 0);
    image.output.forEach((line, i) => line.forEach((value, j) => {
      const y = readAt(rows.start + i, rows.size, s.border);
      const x = readAt(columns.start + j, columns.size, s.border);
      if (y >= 0 && x >= 0) folded[y][x] += value;
    }));
    return { weights, image, kernel, folded };
  });
  return { output, bias: output.flat().reduce((a, b) => a + b, 0), channels };
}
