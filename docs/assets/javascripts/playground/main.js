// The playground: form -> run -> pictures. Every change of a setting starts the run anew, so that
// what is seen is always the run that the link and the Python program describe.

import { digits, LossCurve, showGradients } from "./charts.js";
import { whenSchemeChanges } from "../colours.js";
import { pictureColours } from "./colours.js";
import { enableDrawing } from "./drawing.js";
import { softmax } from "./engine/cross_entropy.js";
import { Run } from "./engine/run.js";
import { enableLayers } from "./network_controls.js";
import { NetworkView } from "./network_view.js";
import { OwnPoints } from "./own_points.js";
import { Plane } from "./plane.js";
import { showLegend, showScores, unitFacts } from "./readouts.js";
import { fromHash, readSettings, toHash, TOO_FEW } from "./settings.js";
import { showExperiment, showSettings } from "./settings_view.js";
import { enableSharing } from "./sharing.js";
import { gridPoints, paintDecision } from "./surfaces.js";

const BUDGET = 9; // milliseconds of a frame for training; the rest is for the pictures
const PAUSES = { slow: 250, normal: 0, fast: 0 }; // milliseconds from picture to picture
const REDUCED_MOTION_PAUSE = 500;

const form = document.querySelector("#playground-form");
const find = (id) => document.getElementById(id);
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
const isState = (hash) => hash.includes("="); // others are headings of this page

const plane = new Plane(find("plane"));
const curve = new LossCurve(find("curve"));
const view = new NetworkView(find("units"), () => draw());
const layers = enableLayers(form, restart);
const ownPoints = new OwnPoints(form, restart);
const updateProgram = enableSharing(form, () => ({ settings, run }), say);

let colours = pictureColours(form);
let settings, run; // of the form as it is now
let running = false;
let nextFrame;
let lastMoment = 0;
let drawsUnits = true;
let addressTimer;

// --- the run -------------------------------------------------------------------------------------

/** Begin anew from the form. */
function restart(message = "") {
  settings = readSettings(form);
  run = new Run(settings);
  view.build([2, ...settings.units, settings.classes], layers.headings(settings.units));
  curve.clear();
  note();
  showClasses();
  showSettings(form, settings);
  showExperiment(form);
  draw();
  if (!run.canTrain) setRunning(false);
  updateProgram();
  say(message || (run.canTrain ? "" : TOO_FEW));
  clearTimeout(addressTimer);
  addressTimer = setTimeout(writeAddress, 300); // browsers limit how often it may change
}

function writeAddress() {
  const hash = toHash(form);
  if (hash || isState(location.hash)) {
    history.replaceState(null, "", hash ? `#${hash}` : location.pathname);
  }
}

/** Take steps until the time is over; stop where the loss is no number any more. */
function train(steps, until = Infinity) {
  let loss = 0;
  for (let i = 0; i < steps && performance.now() < until && Number.isFinite(loss); i++) {
    loss = run.step();
    if (run.atEndOfEpoch) note();
  }
  if (Number.isFinite(loss)) return;
  setRunning(false);
  say(`The loss is no finite number after step ${run.steps}. Take a smaller learning rate.`);
}

function note() {
  const { training, heldOut } = run.evaluate();
  curve.add(run.epoch, training.loss, heldOut.loss);
}

function frame(now) {
  const speed = find("speed").value;
  const pause = Math.max(PAUSES[speed], reducedMotion.matches ? REDUCED_MOTION_PAUSE : 0);
  if (now - lastMoment >= pause) {
    lastMoment = now;
    const steps = speed === "fast" ? Infinity : run.stepsToEndOfEpoch;
    train(steps, performance.now() + BUDGET);
    drawsUnits = !drawsUnits; // half as often as the plane, which keeps most frames in time
    draw(drawsUnits);
  }
  if (running) nextFrame = requestAnimationFrame(frame);
}

function setRunning(on) {
  if (on === running) return;
  if (on && !run.canTrain) return say(TOO_FEW);
  running = on;
  find("run").textContent = on ? "Pause" : "Run";
  if (on) {
    nextFrame = requestAnimationFrame(frame);
  } else {
    cancelAnimationFrame(nextFrame);
    draw();
    tell();
  }
}

function stepBy(steps) {
  if (!run.canTrain) return say(TOO_FEW);
  setRunning(false);
  train(steps);
  draw();
  tell();
}

// --- what is shown -------------------------------------------------------------------------------

function draw(withUnits = true) {
  const outputs = run.network.trace(gridPoints, gridPoints.length / 2);
  const probabilities = softmax(outputs.pop(), settings.classes);
  outputs.push(probabilities);
  const dead = settings.activation === "ReLU" ? run.deadUnits() : [];
  if (withUnits) view.draw(colours, outputs, run.network, dead);
  if (view.picked) view.paint(plane.surface, colours, outputs, run.network.zero, view.picked);
  else paintDecision(plane.surface, colours, probabilities, settings.classes);
  plane.draw(colours, run);
  curve.draw(colours);
  const norms = run.steps ? run.network.gradientNorms() : null;
  showGradients(find("gradients"), run.network.dense.length, norms);
  showScores(form, run, run.evaluate());
  find("unit-facts").textContent = unitFacts(view, run.network, dead);
}

function showClasses() {
  showLegend(find("legend"), settings.classes, colours);
  ownPoints.drawBrushes(colours);
}

function say(message) {
  find("message").textContent = message;
}

/** Say where the run stands; not while it runs, for listeners' sake. */
function tell() {
  updateProgram();
  const { training, heldOut } = run.evaluate();
  if (!run.steps || !Number.isFinite(training.loss)) return;
  const losses = `loss ${digits(training.loss)}, held out ${digits(heldOut.loss)}`;
  say(`Epoch ${Math.floor(run.epoch)}, step ${run.steps}: ${losses}.`);
}

// --- what readers do -----------------------------------------------------------------------------

function open(hash) {
  const unknown = fromHash(form, hash);
  const parts = unknown.join(", ");
  const shown = parts.length > 200 ? `${parts.slice(0, 200)} …` : `${parts}.`;
  restart(parts && `This link has parts that mean nothing here: ${shown}`);
}

form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("input", ({ target }) => {
  if (!target.name || target.type === "radio") return;
  if (!target.checkValidity()) say(target.validationMessage);
  else if (target.value === "own" && !ownPoints.points.length) ownPoints.takeOver(run.points());
  else restart();
});
find("run").addEventListener("click", () => setRunning(!running));
find("step").addEventListener("click", () => stepBy(1));
find("epoch").addEventListener("click", () => stepBy(run.stepsToEndOfEpoch));
find("restart").addEventListener("click", () => {
  setRunning(false);
  restart();
});
addEventListener("hashchange", ({ newURL }) => {
  const { hash } = new URL(newURL); // writeAddress may have changed location.hash in the meantime
  if (hash && !isState(hash)) return;
  open(hash);
  setRunning(run.canTrain && Boolean(hash) && !reducedMotion.matches);
  form.scrollIntoView();
});
const isOpen = () => settings.data === "own";
enableDrawing(plane, ownPoints, isOpen, (place) => {
  say(place);
  draw();
});
whenSchemeChanges(() => {
  colours = pictureColours(form);
  showClasses();
  draw();
});
new ResizeObserver(() => {
  view.forgetPlaces();
  draw();
}).observe(form);
open(isState(location.hash) ? location.hash : "");
