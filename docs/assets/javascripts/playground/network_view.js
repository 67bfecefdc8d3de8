// The network as it is: a column for each layer, a small surface for each unit, a line for each
// weight. A unit is a button: pressed, it is shown in the large picture.

import { css } from "./colours.js";
import { fitCanvas } from "./plane.js";
import { GRID, gridPoints, paintProbability, paintUnit } from "./surfaces.js";

const THICKEST = 7;

export class NetworkView {
  /** @param {() => void} onPick Called when `picked` has changed: {layer, unit} or null. */
  constructor(box, onPick) {
    Object.assign(this, { box, onPick, wires: box.querySelector(".wires"), picked: null });
  }

  /** Lay out columns for this network: inputs, hidden layers, classes, each below its heading. */
  build(sizes, headings) {
    this.sizes = sizes;
    this.forgetPlaces();
    this.columns = sizes.map((size, layer) => {
      const column = document.createElement("div");
      column.className = "column";
      column.append(headings[layer]);
      const units = Array.from({ length: size }, (_, unit) => this.buildUnit(layer, unit));
      column.append(...units.map(({ button }) => button));
      return { column, units };
    });
    this.box.style.setProperty("--columns", sizes.length);
    this.box.style.setProperty("--most-units", Math.max(...sizes));
    this.box.replaceChildren(this.wires, ...this.columns.map(({ column }) => column));
    const { layer, unit } = this.picked ?? {};
    this.show(unit < sizes[layer] ? this.picked : null);
  }

  buildUnit(layer, unit) {
    const button = document.createElement("button");
    const canvas = document.createElement("canvas");
    Object.assign(button, { type: "button", className: "unit" });
    canvas.width = canvas.height = GRID;
    button.append(canvas);
    button.setAttribute("aria-label", this.nameOf(layer, unit));
    button.addEventListener("click", () => this.pick(layer, unit));
    return { button, context: canvas.getContext("2d") };
  }

  nameOf(layer, unit) {
    if (layer === 0) return `Input x${unit + 1}`;
    if (layer === this.sizes.length - 1) return `Probability of class ${unit}`;
    return `Layer ${layer}, unit ${unit + 1}`;
  }

  pick(layer, unit) {
    const again = this.picked?.layer === layer && this.picked.unit === unit;
    this.show(again ? null : { layer, unit });
    this.onPick();
  }

  /** Mark the unit that is shown in the large picture, or none. */
  show(picked) {
    this.picked = picked;
    this.columns.forEach(({ units }, layer) => {
      units.forEach(({ button }, unit) => {
        const isPicked = picked?.layer === layer && picked.unit === unit;
        button.setAttribute("aria-pressed", String(isPicked));
      });
    });
  }

  /** Paint one unit's surface into a picture; `outputs` are the layers', probabilities last. */
  paint(context, colours, outputs, zero, { layer, unit }) {
    const size = this.sizes[layer];
    if (layer === 0) paintUnit(context, colours, gridPoints, unit, 2, 0);
    else if (layer < outputs.length) {
      paintUnit(context, colours, outputs[layer - 1], unit, size, zero);
    } else paintProbability(context, colours, outputs.at(-1), unit, size);
  }

  draw(colours, outputs, network, dead) {
    this.columns.forEach(({ units }, layer) => {
      units.forEach(({ button, context }, unit) => {
        this.paint(context, colours, outputs, network.zero, { layer, unit });
        const isDead = dead[layer - 1]?.[unit] ?? false;
        if (button.classList.toggle("dead", isDead) !== (button.dataset.dead === "yes")) {
          button.dataset.dead = isDead ? "yes" : "no";
          const name = this.nameOf(layer, unit);
          button.setAttribute("aria-label", isDead ? `${name}, dead` : name);
        }
      });
    });
    this.drawWires(colours, network.dense);
  }

  /** Where the units stand; kept until they move, because asking costs a layout of the page. */
  measure() {
    const box = this.wires.getBoundingClientRect();
    return this.columns.map(({ units }) =>
      units.map(({ button }) => {
        const unit = button.getBoundingClientRect();
        const middle = unit.top + unit.height / 2 - box.top;
        return { left: unit.left - box.left, right: unit.right - box.left, middle };
      }),
    );
  }

  /** To be called when the units may stand elsewhere. */
  forgetPlaces() {
    this.places = null;
  }

  /** Lines from unit to unit: as thick as the weight is large, in the colour of its sign. */
  drawWires(colours, dense) {
    const { context } = fitCanvas(this.wires);
    const places = (this.places ??= this.measure());
    dense.forEach(({ W, units }, layer) => {
      W.forEach((w, i) => {
        const [from, to] = [places[layer][Math.floor(i / units)], places[layer + 1][i % units]];
        const half = (from.right + to.left) / 2;
        context.beginPath();
        context.moveTo(from.right, from.middle);
        context.bezierCurveTo(half, from.middle, half, to.middle, to.left, to.middle);
        context.lineWidth = Math.min(THICKEST, 0.3 + 1.6 * Math.abs(w));
        context.strokeStyle = css(w > 0 ? colours.positive : colours.negative, 0.75);
        context.stroke();
      });
    });
  }
}
