// The panel of the reader's own points: class, undo, clear, and a pasted table.

import { readTable, TableError } from "./csv.js";
import { shapePath } from "./plane.js";
import { css } from "./colours.js";
import { LIMIT, MOST_CLASSES, MOST_POINTS, readPoints, writePoints } from "./settings.js";

export class OwnPoints {
  /** @param {(message: string) => void} onChange Called with what to tell the reader. */
  constructor(form, onChange) {
    Object.assign(this, { field: form.elements.own, onChange });
    const find = (id) => form.querySelector(`#${id}`);
    [this.table, this.error] = [find("table"), find("table-error")];
    find("undo").addEventListener("click", () => this.undo());
    find("clear").addEventListener("click", () => this.set([], "All points are gone."));
    find("use-table").addEventListener("click", () => this.useTable());
    this.brushes = Array.from({ length: MOST_CLASSES }, (_, label) => this.buildBrush(label));
    form.querySelector(".brushes").append(...this.brushes.map(({ box }) => box));
  }

  buildBrush(label) {
    const box = document.createElement("label");
    const input = document.createElement("input");
    const mark = document.createElement("canvas");
    Object.assign(input, { type: "radio", name: "brush", defaultChecked: label === 0 });
    [mark.width, mark.height] = [36, 36];
    box.append(input, mark, `Class ${label}`);
    return { box, input, mark };
  }

  drawBrushes(colours) {
    this.brushes.forEach(({ mark }, label) => drawMark(mark, colours, label));
  }

  get points() {
    return readPoints(this.field.value);
  }

  set(points, message) {
    const inside = (value) => Math.min(Math.max(value, -LIMIT), LIMIT);
    this.field.value = writePoints(points.map(([x1, x2, c]) => [inside(x1), inside(x2), c]));
    this.onChange(message);
  }

  /** Begin with the points of another data set. */
  takeOver(points) {
    this.set(points, "These are the points of before: add to them, or clear the plane.");
  }

  add(x1, x2) {
    if (this.points.length >= MOST_POINTS) {
      this.onChange(`${MOST_POINTS} points are the most.`);
      return;
    }
    this.set([...this.points, [x1, x2, this.label]], `A point of class ${this.label}.`);
  }

  undo() {
    this.set(this.points.slice(0, -1), "The last point is gone.");
  }

  /** The class that the next point gets. */
  get label() {
    return this.brushes.findIndex(({ input }) => input.checked);
  }

  choose(label) {
    this.brushes[label].input.checked = true;
  }

  useTable() {
    try {
      const { points, names, scaled } = readTable(this.table.value);
      this.error.textContent = "";
      const classes = names.map((name, label) => `${name} is class ${label}`).join(", ");
      const note = scaled ? " Both axes are scaled to fit the plane." : "";
      this.set(points, `${points.length} points: ${classes}.${note}`);
    } catch (error) {
      if (!(error instanceof TableError)) throw error;
      this.error.textContent = error.message;
    }
  }
}

/** A class's shape in its colour, in a small canvas of its own. */
export function drawMark(canvas, colours, label) {
  const context = canvas.getContext("2d");
  const middle = canvas.width / 2;
  context.clearRect(0, 0, canvas.width, canvas.height);
  shapePath(context, label, middle, middle, canvas.width / 3.4);
  context.fillStyle = css(colours.classes[label]);
  context.fill();
}
