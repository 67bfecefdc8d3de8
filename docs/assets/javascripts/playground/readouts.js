// Numbers and words beside the pictures.

import { digits } from "./charts.js";
import { drawMark } from "./own_points.js";

const percent = (share) => (Number.isNaN(share) ? "–" : `${(100 * share).toFixed(1)} %`);

/** Where the run stands: `scores` as Run.evaluate returns them. */
export function showScores(form, run, { training, heldOut }) {
  const show = (id, text) => (form.querySelector(`#${id}`).textContent = text);
  show("epochs", Math.floor(run.epoch));
  show("steps", run.steps);
  show("loss", digits(training.loss));
  show("held-out-loss", digits(heldOut.loss));
  show("accuracy", percent(training.accuracy));
  show("held-out-accuracy", percent(heldOut.accuracy));
}

/** The weights of the unit that is shown in the large picture, and how many units are dead. */
export function unitFacts(view, network, dead) {
  const facts = [];
  if (view.picked) facts.push(pickedFacts(view, network));
  const count = dead.flat().filter(Boolean).length;
  const units = count === 1 ? "unit" : "units";
  if (count) facts.push(`${count} dead ${units}: 0 for every training point.`);
  return facts.join(" ");
}

function pickedFacts(view, network) {
  const { layer, unit } = view.picked;
  const name = view.nameOf(layer, unit);
  if (layer === 0) return `${name}.`;
  const { W, b, units } = network.dense[layer - 1];
  const weights = [...W.filter((_, i) => i % units === unit)].map(digits).join(", ");
  return `${name}: weights ${weights}; bias ${digits(b[unit])}.`;
}

/** The classes' marks and names under the plane. */
export function showLegend(list, classes, colours) {
  const marks = Array.from({ length: classes }, (_, label) => {
    const item = document.createElement("span");
    const mark = document.createElement("canvas");
    [mark.width, mark.height] = [36, 36];
    drawMark(mark, colours, label);
    item.append(mark, `class ${label}`);
    return item;
  });
  const held = document.createElement("span");
  held.textContent = "hollow: held out";
  list.replaceChildren(...marks, held);
}
