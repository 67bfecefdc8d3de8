// The colours of the playground's pictures, by name.

import { readColours } from "../colours.js";

const [BACKGROUND, FOREGROUND] = ["--md-default-bg-color", "--md-default-fg-color"];
const NAMES = [BACKGROUND, FOREGROUND, `${FOREGROUND}--light`, "--minidl-rule"];
const CLASSES = [0, 1, 2, 3].map((label) => `--playground-class-${label}`);

/** Colours [red, green, blue] by name; those of the classes are a list. */
export function pictureColours(element) {
  const [paper, ink, faint, rule] = readColours(element, NAMES);
  const classes = readColours(element, CLASSES);
  return { paper, ink, faint, rule, classes, positive: classes[0], negative: classes[1] };
}

export const css = ([r, g, b], opacity = 1) => `rgb(${r} ${g} ${b} / ${opacity})`;
