// What is on the paper, 280 x 280 cells with ink from 0 to 1 each, and how it came there.

import { SIZE } from "./normalize.js";

export const CELLS = 280;
const PIXEL = CELLS / SIZE; // cells to one pixel of an image that is loaded
export const PEN = 12; // radius: lines of a digit of 200 cells are then as thick as MNIST's, 2.4 px

export class Ink {
  cells = new Float32Array(CELLS * CELLS);
  actions = []; // strokes { points }, loaded images { image }, clearings {}; undo takes the last

  get canUndo() {
    return this.actions.length > 0;
  }

  start(point) {
    this.stroke = { points: [point] };
    this.actions.push(this.stroke);
    this.#line(point, point);
  }

  extend(point) {
    if (this.actions.at(-1) !== this.stroke) return; // undone or cleared by the other hand
    const { points } = this.stroke;
    this.#line(points.at(-1), point);
    points.push(point);
  }

  load(image) {
    this.actions.push({ image });
    this.#redo(this.actions.at(-1));
  }

  clear() {
    this.load(undefined);
  }

  undo() {
    this.actions.pop();
    this.cells.fill(0);
    for (const action of this.actions) this.#redo(action);
  }

  #redo({ points, image }) {
    if (points) {
      points.forEach((point, i) => this.#line(points[Math.max(i - 1, 0)], point));
    } else {
      this.cells.fill(0);
      image?.forEach((value, index) => this.#block(index, value));
    }
  }

  /** One pixel of an image as a square of cells. */
  #block(index, value) {
    const [left, top] = [PIXEL * (index % SIZE), PIXEL * Math.floor(index / SIZE)];
    for (let y = top; y < top + PIXEL; y++) {
      this.cells.fill(value, CELLS * y + left, CELLS * y + left + PIXEL);
    }
  }

  /** Ink within the pen's radius of a line, fading over one cell at its edge. */
  #line(from, to) {
    const reach = PEN + 1;
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    const squared = dx * dx + dy * dy;
    const first = (a, b) => Math.max(0, Math.floor(Math.min(a, b) - reach));
    const last = (a, b) => Math.min(CELLS - 1, Math.ceil(Math.max(a, b) + reach));
    for (let row = first(from.y, to.y); row <= last(from.y, to.y); row++) {
      for (let column = first(from.x, to.x); column <= last(from.x, to.x); column++) {
        const [x, y] = [column + 0.5 - from.x, row + 0.5 - from.y]; // the middle of the cell
        const along = squared && Math.min(1, Math.max(0, (x * dx + y * dy) / squared));
        const distance = Math.hypot(x - along * dx, y - along * dy);
        const value = Math.min(1, Math.max(0, PEN + 0.5 - distance));
        const index = CELLS * row + column;
        if (value > this.cells[index]) this.cells[index] = value;
      }
    }
  }
}
