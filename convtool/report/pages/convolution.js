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
