// The large picture: a surface, the points on it, and the cross of readers without a pointer.

import { css } from "./colours.js";
import { LIMIT } from "./settings.js";
import { GRID } from "./surfaces.js";

/** Each class has a shape besides its colour: circle, square, triangle, diamond. */
export function shapePath(context, label, x, y, r) {
  context.beginPath();
  if (label === 0) context.arc(x, y, r, 0, 2 * Math.PI);
  else if (label === 1) context.rect(x - 0.9 * r, y - 0.9 * r, 1.8 * r, 1.8 * r);
  else {
    const corners = label === 2 ? [-90, 30, 150] : [0, 90, 180, 270];
    for (const corner of corners) {
      const angle = (corner * Math.PI) / 180;
      context.lineTo(x + 1.3 * r * Math.cos(angle), y + 1.3 * r * Math.sin(angle));
    }
    context.closePath();
  }
}

/** Make a canvas as sharp as the screen; return its size in the page's pixels. */
export function fitCanvas(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const [w, h] = [width * devicePixelRatio, height * devicePixelRatio].map(Math.round);
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  const context = canvas.getContext("2d");
  context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/** Pixels of a canvas for a place of the plane, and the other way round. */
const toPixel = (value, size) => ((value / LIMIT + 1) / 2) * size;
export const toPlane = (pixel, size) => ((2 * pixel) / size - 1) * LIMIT;

export class Plane {
  constructor(canvas) {
    this.canvas = canvas;
    this.picture = document.createElement("canvas");
    this.picture.width = this.picture.height = GRID;
    this.surface = this.picture.getContext("2d");
    this.cross = null; // [x1, x2], or null
  }

  /** Draw what `surface` holds by now, and the points: filled for training, hollow if held out. */
  draw(colours, { training, heldOut }) {
    const { context, width, height } = fitCanvas(this.canvas);
    context.imageSmoothingQuality = "high";
    context.drawImage(this.picture, 0, 0, width, height);
    this.drawAxes(context, colours, width, height);
    const radius = width > 300 ? 4 : 3.4;
    this.drawPoints(context, colours, heldOut, radius, true);
    this.drawPoints(context, colours, training, radius, false);
    if (this.cross) this.drawCross(context, colours, width, height);
  }

  drawAxes(context, colours, width, height) {
    context.strokeStyle = css(colours.ink, 0.18);
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(width / 2, 0);
    context.lineTo(width / 2, height);
    context.moveTo(0, height / 2);
    context.lineTo(width, height / 2);
    context.stroke();
    context.font = `12px ${getComputedStyle(this.canvas).fontFamily}`;
    context.fillStyle = css(colours.faint);
    context.fillText("x2", width / 2 + 5, 14);
    context.fillText("x1", width - 18, height / 2 - 6);
  }

  drawPoints(context, colours, { x, labels }, radius, hollow) {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    labels.forEach((label, i) => {
      const [left, top] = [toPixel(x[2 * i], width), height - toPixel(x[2 * i + 1], height)];
      shapePath(context, label, left, top, radius);
      context.fillStyle = css(hollow ? colours.paper : colours.classes[label]);
      context.strokeStyle = css(hollow ? colours.classes[label] : colours.paper);
      context.lineWidth = hollow ? 1.6 : 1.2;
      context.fill();
      context.stroke();
    });
  }

  drawCross(context, colours, width, height) {
    const [left, top] = [toPixel(this.cross[0], width), height - toPixel(this.cross[1], height)];
    context.strokeStyle = css(colours.ink);
    context.lineWidth = 1.5;
    context.beginPath();
    for (const end of [-13, 13]) {
      context.moveTo(left + 0.4 * end, top); // a gap in the middle shows what is there
      context.lineTo(left + end, top);
      context.moveTo(left, top + 0.4 * end);
      context.lineTo(left, top + end);
    }
    context.stroke();
  }
}
