// Adding and removing layers and units.

import { MOST_LAYERS, MOST_UNITS, readUnits } from "./settings.js";

/** @param {() => void} onChange */
export function enableLayers(form, onChange) {
  const field = form.elements.layers;
  const [add, remove] = ["add-layer", "remove-layer"].map((id) => form.querySelector(`#${id}`));

  function set(units) {
    field.value = units.join("-");
    onChange();
  }

  function change(layer, by) {
    set(readUnits(field.value).map((units, i) => (i === layer ? units + by : units)));
    // The buttons are new: the one that was pressed keeps the focus.
    const heading = form.querySelectorAll(".heading.amount")[layer];
    heading.querySelector(by < 0 ? ".fewer" : ".more").focus();
  }

  add.addEventListener("click", () => set([...readUnits(field.value), 4]));
  remove.addEventListener("click", () => set(readUnits(field.value).slice(0, -1)));

  return {
    /** Disable what cannot be done, and return the heading of each column. */
    headings(units) {
      add.disabled = units.length >= MOST_LAYERS;
      remove.disabled = units.length === 0;
      const hidden = units.map((size, layer) => {
        const heading = document.createElement("div");
        heading.className = "heading amount";
        heading.append(
          button("fewer", "−", `One unit fewer in layer ${layer + 1}`, size === 1, layer, -1),
          count(size),
          button("more", "+", `One unit more in layer ${layer + 1}`, size === MOST_UNITS, layer, 1),
        );
        return heading;
      });
      return [plain("inputs"), ...hidden, plain("classes")];
    },
  };

  function button(className, text, label, isLast, layer, by) {
    const made = document.createElement("button");
    Object.assign(made, { type: "button", className, textContent: text });
    made.setAttribute("aria-label", label);
    // Not `disabled`, which would lose the focus: at the end the button does nothing.
    made.setAttribute("aria-disabled", String(isLast));
    made.addEventListener("click", () => isLast || change(layer, by));
    return made;
  }
}

function count(size) {
  const made = document.createElement("span");
  made.textContent = size;
  return made;
}

function plain(text) {
  const made = count(text);
  made.className = "heading";
  return made;
}
