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

function resized(matrix, h, w) {
  return Array.from({ length: h }, (_, y) =>
    Array.from({ length: w }, (_, x) => (matrix[y] && matrix[y][x] !== undefined ? matrix[y][x] : 0)));
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
