// A function of the plane as a picture: its value at GRID x GRID points, one pixel each.

import { LIMIT } from "./settings.js";

export const GRID = 64;

/** The points of the grid (GRID * GRID, 2), in the order of pixels: from top left, row by row. */
export const gridPoints = Float64Array.from({ length: 2 * GRID * GRID }, (_, i) => {
  const pixel = i >> 1;
  const place = i % 2 ? GRID - 1 - Math.floor(pixel / GRID) : pixel % GRID;
  return LIMIT * ((2 * place + 1) / GRID - 1);
});

/** Fill a picture with paper, mixed with what `shade` gives for a pixel: a colour and its share. */
function paint(context, paper, shade) {
  const image = context.createImageData(GRID, GRID);
  for (let pixel = 0; pixel < GRID * GRID; pixel++) {
    const [colour, share] = shade(pixel);
    for (let i = 0; i < 3; i++) {
      image.data[4 * pixel + i] = paper[i] + share * (colour[i] - paper[i]);
    }
    image.data[4 * pixel + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/** A unit's output: one colour above `zero`, the other below, in full strength at its largest. */
export function paintUnit(context, colours, values, unit, units, zero) {
  let largest = 1e-12;
  for (let i = unit; i < values.length; i += units) {
    largest = Math.max(largest, Math.abs(values[i] - zero));
  }
  paint(context, colours.paper, (pixel) => {
    const value = (values[pixel * units + unit] - zero) / largest;
    return [value > 0 ? colours.positive : colours.negative, 0.85 * Math.abs(value)];
  });
}

/** One class's probability. */
export function paintProbability(context, colours, probabilities, label, classes) {
  paint(context, colours.paper, (pixel) => [
    colours.classes[label],
    0.85 * probabilities[pixel * classes + label],
  ]);
}

/** The classes' colours mixed by their probabilities, paler where the likeliest is less sure. */
export function paintDecision(context, colours, probabilities, classes) {
  const mixture = [0, 0, 0];
  paint(context, colours.paper, (pixel) => {
    mixture.fill(0);
    let largest = 0;
    for (let c = 0; c < classes; c++) {
      const p = probabilities[pixel * classes + c];
      largest = Math.max(largest, p);
      for (let i = 0; i < 3; i++) mixture[i] += p * colours.classes[c][i];
    }
    const sureness = (largest - 1 / classes) / (1 - 1 / classes);
    return [mixture, 0.1 + 0.45 * sureness];
  });
}
