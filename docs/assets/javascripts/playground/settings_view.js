// What follows from the settings: sliders' values, which panels are open, which experiment this is.

import { DATASETS } from "./engine/datasets.js";
import { sameState, toHash } from "./settings.js";

export function showSettings(form, settings) {
  const find = (selector) => form.querySelector(selector);
  for (const range of form.querySelectorAll("input[type=range]")) {
    range.parentElement.querySelector(".value").textContent = range.value;
  }
  const isOwn = settings.data === "own";
  find(".own").hidden = !isOwn;
  find(".drawn").hidden = isOwn;
  form.elements.classes.disabled = Boolean(DATASETS[settings.data]?.classes);
  form.elements.strength.disabled = settings.penalty === "none";
  find("#plane").tabIndex = isOwn ? 0 : -1;
  find("#plane").setAttribute("role", isOwn ? "application" : "img");
  find("#shape").textContent = [2, ...settings.units, settings.classes].join("-");
}

/** Mark the experiment whose link says what the form says, and tell what to look for. */
export function showExperiment(form) {
  const links = [...form.querySelectorAll(".presets a")];
  links.forEach((link) => link.removeAttribute("aria-current"));
  const current = links.find((link) => sameState(link.hash, toHash(form)));
  current?.setAttribute("aria-current", "true");
  form.querySelector("#look-for").textContent = current?.dataset.look ?? "";
}
