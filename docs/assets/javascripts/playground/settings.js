// The settings are what the form holds, and the form knows what is valid (options, min, max,
// pattern). A link holds the settings that differ from the form's defaults.

import { DATASETS } from "./engine/datasets.js";

export const MOST_LAYERS = 5;
export const MOST_UNITS = 8;
export const MOST_CLASSES = 4;
export const MOST_POINTS = 500; // of the reader's own
export const TOO_FEW = "Add at least four points, of two classes, to train.";
export const LIMIT = 3; // the plane shows -3 to 3 on both axes

/** "4-3" as [4, 3]. */
export const readUnits = (text) => (text ? text.split("-").map(Number) : []);

/** "0.5,-1.2,0;1,1,1" as [[0.5, -1.2, 0], [1, 1, 1]]: x1, x2 and class. */
export const readPoints = (text) =>
  text ? text.split(";").map((point) => point.split(",").map(Number)) : [];

export const writePoints = (points) =>
  points.map(([x1, x2, label]) => [+x1.toFixed(2), +x2.toFixed(2), label].join()).join(";");

/** The settings as the engine takes them. */
export function readSettings({ elements }) {
  const value = (name) => elements[name].value;
  const number = (name) => Number(value(name));
  const own = readPoints(value("own"));
  const ownClasses = Math.max(2, ...own.map(([, , label]) => label + 1));
  const data = value("data");
  return {
    data,
    own,
    points: number("points"),
    noise: number("noise"),
    classes: data === "own" ? ownClasses : (DATASETS[data].classes ?? number("classes")),
    dataSeed: number("data_seed"),
    units: readUnits(value("layers")),
    activation: value("activation"),
    learningRate: number("learning_rate"),
    optimizer: value("optimizer"),
    batchSize: number("batch_size"),
    penalty: value("penalty"),
    strength: number("strength"),
    seed: number("seed"),
  };
}

const named = (form) =>
  [...form.elements].filter((control) => control.name && control.type !== "radio");

const defaultOf = (control) =>
  control.options
    ? [...control.options].find((option) => option.defaultSelected).value
    : control.defaultValue;

/** What differs from the defaults, as the part of an address behind #. */
export function toHash(form) {
  return named(form)
    .filter((control) => control.value !== defaultOf(control))
    .map((control) => `${control.name}=${control.value}`)
    .join("&");
}

/** Whether two links say the same, in whatever order. */
export function sameState(one, other) {
  const parts = (hash) => hash.replace(/^#/, "").split("&").sort().join("&");
  return parts(one) === parts(other);
}

/** Set the form to what a link says; return the parts that mean nothing here. */
export function fromHash(form, hash) {
  form.reset();
  const unknown = [];
  for (const [name, value] of new URLSearchParams(hash.replace(/^#/, ""))) {
    const control = named(form).find((candidate) => candidate.name === name);
    if (control) control.value = value;
    if (control?.value === value && control.checkValidity()) continue;
    unknown.push(`${name}=${value}`);
    if (control) control.value = defaultOf(control);
  }
  return unknown;
}
