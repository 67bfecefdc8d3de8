// Adding points to the plane by mouse, finger, pen or keyboard.

import { LIMIT, MOST_CLASSES } from "./settings.js";
import { toPlane } from "./plane.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/**
 * @param {Plane} plane
 * @param {OwnPoints} points
 * @param {() => boolean} isOpen Whether points can be added now.
 * @param {(place: string) => void} onMove Called when the cross has moved.
 */
export function enableDrawing(plane, points, isOpen, onMove) {
  const { canvas } = plane;

  // Not when the pointer goes down: a finger may begin to scroll the page there.
  canvas.addEventListener("click", (event) => {
    if (!isOpen()) return;
    const { left, top, width, height } = canvas.getBoundingClientRect();
    plane.cross = null;
    points.add(toPlane(event.clientX - left, width), -toPlane(event.clientY - top, height));
  });

  canvas.addEventListener("keydown", (event) => {
    if (!isOpen() || event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    if (arrow) moveCross(arrow, event.shiftKey ? 0.5 : 0.1);
    else if (event.key === "Enter" || event.key === " ") points.add(...(plane.cross ?? [0, 0]));
    else if (event.key === "Delete" || event.key === "Backspace") points.undo();
    else if (event.key >= 1 && event.key <= MOST_CLASSES) points.choose(event.key - 1);
    else return;
    event.preventDefault();
  });

  canvas.addEventListener("blur", () => {
    plane.cross = null;
    onMove("");
  });

  function moveCross(arrow, distance) {
    const place = plane.cross ?? [0, 0];
    const go = (value, i) => Math.min(Math.max(value + distance * arrow[i], -LIMIT), LIMIT);
    plane.cross = place.map(go).map((value) => Math.round(value * 100) / 100);
    onMove(`x1 = ${plane.cross[0]}, x2 = ${plane.cross[1]}`);
  }
}
