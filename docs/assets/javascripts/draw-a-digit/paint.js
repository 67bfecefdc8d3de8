// Paints rows of numbers as images, one number a pixel, in the site's colours.

import { readColours, whenSchemeChanges } from "../colours.js";

const NAMES = ["--picture-ink", "--picture-blue", "--picture-amber"];
let [ink, blue, amber] = readColours(document.body, NAMES);
// Observers are called in the order in which they began: this one before those that redraw.
whenSchemeChanges(() => ([ink, blue, amber] = readColours(document.body, NAMES)));

function paint(canvas, values, strength, above, below) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  for (let i = 0; i < values.length; i++) {
    const colour = values[i] < 0 ? below : above;
    for (let part = 0; part < 3; part++) image.data[4 * i + part] = colour[part];
    image.data[4 * i + 3] = 255 * strength(values[i], i);
  }
  context.putImageData(image, 0, 0);
}

/** Values from 0, see-through, to 1, ink. */
export function paintInk(canvas, values) {
  paint(canvas, values, (value) => value, ink);
}

/** Values above 0 in blue, below 0 in amber, and stronger where `emphasis(i)` is nearer to 1. */
export function paintSigned(canvas, values, largest, emphasis = () => 1) {
  const strength = (value, i) => (Math.abs(value) / largest) * emphasis(i); // clamped by the canvas
  paint(canvas, values, strength, blue, amber);
}

/** A number as it stands in text, with a true minus. */
export function text(value, digits = 1) {
  return value.toFixed(digits).replace("-", "\u2212");
}

export function percent(probability) {
  return `${text(100 * probability)}\u00a0%`; // stays on one line
}
