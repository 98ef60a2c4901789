// Boards of cells.

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

function write(made, string) {
  made.textContent = string;
  made.classList.toggle("long", string.length > 5);
}

function cell() {
  const made = document.createElement("div");
  made.className = "cell";
  made.setAttribute("role", "gridcell");
  return made;
}
