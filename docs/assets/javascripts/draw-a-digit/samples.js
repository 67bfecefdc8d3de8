// Test digits to load: a row of small buttons.

import { whenSchemeChanges } from "../colours.js";
import { SIZE } from "./normalize.js";
import { paintInk } from "./paint.js";

const FIRST = 7; // the page begins with this one

/** Adds a button for each image, and presses one. */
export function addSamples(list, { images, labels, rows }, data, choose) {
  const buttons = [...labels].map((label, k) => {
    const image = images.slice(SIZE * SIZE * k, SIZE * SIZE * (k + 1)).map((grey) => grey / 255);
    const button = document.createElement("button");
    const picture = document.createElement("canvas");
    Object.assign(picture, { width: SIZE, height: SIZE });
    Object.assign(button, { type: "button", title: `Test digit ${rows[k]} of ${data}: ${label}` });
    button.setAttribute("aria-label", button.title);
    button.append(picture);
    button.addEventListener("click", () => choose(image));
    const paint = () => paintInk(picture, image);
    paint();
    whenSchemeChanges(paint);
    return button;
  });
  list.append(...buttons);
  buttons[FIRST].click();
}
