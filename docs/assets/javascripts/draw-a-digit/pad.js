// The paper: takes strokes from mouse, finger, pen and keyboard.

import { CELLS, PEN } from "./ink.js";

const STEP = 8; // cells that an arrow key moves the pen; a quarter of it with Shift
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const UP = "Pen up. Arrow keys move it, the space bar puts it down.";
const DOWN = "Pen down. Arrow keys draw, the space bar lifts it.";

/** Draws into `ink` what happens on the canvas; calls `changed` after every change. */
export function attachPad(canvas, cursor, help, ink, changed) {
  attachPointer(canvas, ink, changed);
  attachKeyboard(canvas, cursor, help, ink, changed);
}

function attachPointer(canvas, ink, changed) {
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    const cells = (pixels) => (pixels * CELLS) / box.width;
    return { x: cells(event.clientX - box.left), y: cells(event.clientY - box.top) };
  };
  let drawing = null; // the pointer that draws: a second finger is not listened to

  canvas.addEventListener("pointerdown", (event) => {
    if (drawing !== null || event.button !== 0) return;
    drawing = event.pointerId;
    canvas.setPointerCapture(drawing); // a stroke may leave the paper and come back
    ink.start(place(event));
    changed();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== drawing) return;
    // A browser hands over several moves at once; all of them belong to the line.
    const moves = event.getCoalescedEvents?.() ?? [];
    for (const move of moves.length > 0 ? moves : [event]) ink.extend(place(move));
    changed();
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, (event) => {
      if (event.pointerId === drawing) drawing = null;
    });
  }
}

function attachKeyboard(canvas, cursor, help, ink, changed) {
  let pen = { x: CELLS / 2, y: CELLS / 4 };
  let down = false;

  const show = () => {
    const focused = canvas.matches(":focus-visible");
    cursor.classList.toggle("shown", focused);
    cursor.classList.toggle("down", down);
    cursor.setAttribute("cx", pen.x);
    cursor.setAttribute("cy", pen.y);
    cursor.setAttribute("r", PEN);
    help.textContent = focused ? (down ? DOWN : UP) : "";
  };
  const press = (wanted) => {
    if (wanted && !down) ink.start(pen);
    down = wanted;
    changed();
  };
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in ARROWS) {
      const [dx, dy] = ARROWS[event.key];
      const step = event.shiftKey ? STEP / 4 : STEP;
      const inside = (value) => Math.min(CELLS, Math.max(0, value));
      pen = { x: inside(pen.x + dx * step), y: inside(pen.y + dy * step) };
      if (down) ink.extend(pen);
      changed();
    } else if (event.key === " " || event.key === "Enter") {
      press(!down);
    } else {
      return;
    }
    event.preventDefault(); // the page neither scrolls nor opens a search
    event.stopPropagation();
    show();
  });
  for (const moment of ["focus", "blur", "pointerdown"]) {
    canvas.addEventListener(moment, () => {
      down = false;
      show();
    });
  }
}
