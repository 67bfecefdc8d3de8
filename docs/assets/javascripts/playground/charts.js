// The curve of the loss, and the lengths of the gradients.

import { css } from "./colours.js";
import { fitCanvas } from "./plane.js";

const MOST_MOMENTS = 600;
const [SMALLEST, LARGEST] = [1e-8, 100]; // lengths that the bars show, on a logarithmic scale

/** A number for people: three digits, without a wall of zeros. */
export function digits(value) {
  if (Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return "infinite";
  const size = Math.abs(value);
  const isPlain = size === 0 || (size >= 1e-3 && size < 1e4);
  return isPlain ? value.toPrecision(3) : value.toExponential(1);
}

export class LossCurve {
  constructor(canvas) {
    this.canvas = canvas;
    this.clear();
  }

  clear() {
    this.moments = [];
  }

  /** Note the losses at an epoch; of a long run every second moment is dropped now and then. */
  add(epoch, training, heldOut) {
    this.moments.push({ epoch, training, heldOut });
    if (this.moments.length > MOST_MOMENTS) {
      this.moments = this.moments.filter((_, i) => i % 2 === 0 || i === this.moments.length - 1);
    }
  }

  draw(colours) {
    const { context, width, height } = fitCanvas(this.canvas);
    const edge = { left: 46, right: 8, top: 8, bottom: 22 };
    const losses = this.moments.flatMap((m) => [m.training, m.heldOut]).filter(Number.isFinite);
    const top = Math.max(...losses, 0.1) * 1.05;
    const last = Math.max(this.moments.at(-1)?.epoch ?? 0, 1);
    const x = (epoch) => edge.left + (epoch / last) * (width - edge.left - edge.right);
    const y = (loss) => height - edge.bottom - (loss / top) * (height - edge.top - edge.bottom);

    context.font = `12px ${getComputedStyle(this.canvas).fontFamily}`;
    context.fillStyle = css(colours.faint);
    context.strokeStyle = css(colours.rule);
    context.textBaseline = "middle";
    for (const loss of [0, top / 2, top]) {
      context.beginPath();
      context.moveTo(edge.left, y(loss));
      context.lineTo(width - edge.right, y(loss));
      context.stroke();
      context.textAlign = "right";
      context.fillText(loss === 0 ? "0" : digits(loss), edge.left - 5, y(loss));
    }
    context.textBaseline = "alphabetic";
    context.fillText(`epoch ${Math.round(last)}`, width - edge.right, height - 5);
    this.drawLine(context, "heldOut", css(colours.negative), [5, 4], x, y);
    this.drawLine(context, "training", css(colours.positive), [], x, y);
  }

  drawLine(context, name, colour, dashes, x, y) {
    context.beginPath();
    for (const moment of this.moments) {
      if (Number.isFinite(moment[name])) context.lineTo(x(moment.epoch), y(moment[name]));
    }
    context.setLineDash(dashes);
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.stroke();
    context.setLineDash([]);
    context.lineWidth = 1;
  }
}

/** One bar for each layer; `norms` is null before the first step. */
export function showGradients(list, layers, norms) {
  if (list.children.length !== layers) {
    list.replaceChildren(...Array.from({ length: layers }, (_, k) => gradientRow(k + 1)));
  }
  [...list.children].forEach((row, k) => {
    const norm = norms?.[k];
    const share = Math.log(norm / SMALLEST) / Math.log(LARGEST / SMALLEST);
    row.querySelector(".bar-inside").style.width = `${100 * Math.min(Math.max(share || 0, 0), 1)}%`;
    row.querySelector("output").value = norm === undefined ? "–" : digits(norm);
  });
}

function gradientRow(number) {
  const row = document.createElement("li");
  const name = document.createElement("span");
  const track = document.createElement("span");
  const bar = document.createElement("span");
  const length = document.createElement("output");
  [name.className, track.className, bar.className] = ["name", "track", "bar-inside"];
  name.textContent = `dW${number}`;
  track.append(bar);
  length.setAttribute("aria-live", "off"); // or a screen reader would say it at every step
  row.append(name, track, length);
  return row;
}
