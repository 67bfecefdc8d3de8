// Draw a digit: ink -> MNIST's preprocessing -> the network -> pictures of it all, at every move.

import { whenSchemeChanges } from "../colours.js";
import { Explanation } from "./explanation.js";
import { describeFiles } from "./files.js";
import { CELLS, Ink } from "./ink.js";
import { NetworkView } from "./network-view.js";
import { move } from "./move.js";
import { forward, networkFrom, ranking } from "./network.js";
import { normalize } from "./normalize.js";
import { attachPad } from "./pad.js";
import { paintInk, percent } from "./paint.js";
import { addSamples } from "./samples.js";
import { load } from "./safetensors.js";

const part = (name) => document.getElementById(`draw-${name}`);
const SLIDERS = { degrees: "\u00b0", right: " px", down: " px" };
const QUIET = 300; // milliseconds without a change after which the answer is read out

const ink = new Ink();
let parts; // what needs the network, once it is loaded
let pass; // the last one through the network
let frame = 0;
let quiet = 0;

/** Everything that the page shows now; the browser test compares it with minidl. */
export function current() {
  return { cells: ink.cells, actions: ink.actions, ...pass };
}

function sliderValues() {
  return Object.fromEntries(Object.keys(SLIDERS).map((name) => [name, Number(part(name).value)]));
}

/** Puts a rectangle of the page's drawings around a place; none hides it. */
function surround(rectangle, place) {
  rectangle.style.display = place ? "" : "none";
  for (const [name, value] of Object.entries(place ?? {})) rectangle.setAttribute(name, value);
}

function showSteps({ box, scaled, placed, x }) {
  paintInk(part("paper"), ink.cells);
  paintInk(part("scaled"), scaled);
  paintInk(part("input"), x);
  surround(part("box"), box);
  surround(part("place"), placed);
  surround(part("middle"), placed && {});
}

function sayAnswer() {
  const [first, second] = ranking(pass);
  const { A2, box } = pass;
  const opening = box ? "The network reads" : "There is no ink. Biases alone make the network read";
  part("answer").textContent =
    `${opening} ${first}, with a probability of ${percent(A2[first])}. ` +
    `Next is ${second}, with ${percent(A2[second])}.`;
}

function compute() {
  const normal = normalize(ink.cells, CELLS);
  const x = move(normal.x, sliderValues());
  pass = { ...normal, ...forward(parts.network, x) };
}

function draw() {
  frame = 0;
  const [c, r] = parts.explanation.pair(pass);
  showSteps(pass);
  parts.view.show(pass, c);
  parts.explanation.show(pass, c, r);
  part("undo").disabled = !ink.canUndo;
}

/** Computes at once, draws with the next frame, and says the answer when the hand rests. */
function changed() {
  compute();
  frame ||= requestAnimationFrame(draw);
  clearTimeout(quiet);
  quiet = setTimeout(sayAnswer, QUIET);
}

function attachControls() {
  part("clear").addEventListener("click", () => (ink.clear(), changed()));
  part("undo").addEventListener("click", () => (ink.undo(), changed()));
  for (const [name, unit] of Object.entries(SLIDERS)) {
    const show = () => (part(`${name}-value`).value = part(name).value + unit);
    part(name).addEventListener("input", () => (show(), changed()));
    show();
  }
  part("still").addEventListener("click", () => {
    for (const name of Object.keys(SLIDERS)) {
      part(name).value = 0;
      part(name).dispatchEvent(new Event("input"));
    }
  });
}

async function start() {
  const { network: networkFile, samples: samplesFile } = part("page").dataset;
  const [file, samples] = await Promise.all([load(networkFile), load(samplesFile)]);
  const network = networkFrom(file.arrays);
  const columns = { units: part("units"), wires: part("wires"), digits: part("digits") };
  const reasons = Object.fromEntries(["why", "wanted", "rival", "sum"].map((n) => [n, part(n)]));
  parts = {
    network,
    view: new NetworkView(columns, network),
    explanation: new Explanation(reasons, network, changed),
  };
  attachPad(part("paper"), part("cursor"), part("help"), ink, changed);
  attachControls();
  const choose = (image) => (ink.load(image), changed());
  addSamples(part("samples"), samples.arrays, file.notes.data, choose);
  describeFiles(part("files"), file, samples);
  whenSchemeChanges(changed);
  part("page").classList.add("ready");
}

start().catch((error) => {
  clearTimeout(quiet);
  part("answer").textContent =
    `The network could not be loaded: ${error.message}. Reload the page; if that does not help, ` +
    "build the site anew, which writes the network's file.";
});
