// Shows the network at work: hidden units with their weights, lines to the digits, probabilities.

import { DIGITS, UNITS, unitContributions } from "./network.js";
import { paintSigned, percent, text } from "./paint.js";

const SVG = "http://www.w3.org/2000/svg";
const FULL_BAR = 15; // the value of a hidden unit at which its bar is full
const WIDEST = 7; // pixels of the line that carries most to the chosen digit, and of any line

function element(parent, name, className) {
  const child = document.createElement(name);
  child.className = className;
  parent.append(child);
  return child;
}

function unitRow(list, j, weights) {
  const row = element(list, "li", "unit");
  const picture = element(row, "canvas", "weights");
  Object.assign(picture, { width: 28, height: 28 });
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", `Weights of hidden unit ${j}`);
  const bar = element(element(row, "span", "bar"), "span", "fill");
  const largest = 0.8 * Math.max(...weights.map(Math.abs)); // the few above it are as dark
  return { row, picture, bar, value: element(row, "span", "value"), weights, largest };
}

function digitRow(list, c) {
  const row = element(list, "li", "digit");
  element(row, "span", "name").textContent = c;
  const score = element(row, "span", "score");
  const bar = element(element(row, "span", "bar"), "span", "fill");
  return { row, score, bar, probability: element(row, "span", "value") };
}

/** A line from the middle of unit row j to the middle of digit row c, in a box of 100 x 100. */
function wire(svg, j, c) {
  const [from, to] = [(100 * (j + 0.5)) / UNITS, (100 * (c + 0.5)) / DIGITS];
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", `M 0 ${from} C 50 ${from} 50 ${to} 100 ${to}`);
  svg.append(path);
  return path;
}

export class NetworkView {
  constructor({ units, wires, digits }, network) {
    this.network = network;
    const column = (j) => Float64Array.from({ length: 784 }, (_, i) => network.W1[UNITS * i + j]);
    const ten = [...Array(UNITS).keys()];
    this.units = ten.map((j) => unitRow(units, j, column(j)));
    this.digits = ten.map((c) => digitRow(digits, c));
    this.wires = ten.flatMap((j) => ten.map((c) => wire(wires, j, c)));
  }

  /** Draws one pass; the lines to digit c stand out. */
  show(pass, c) {
    this.units.forEach((unit, j) => this.#showUnit(unit, pass, j));
    this.digits.forEach(({ row, score, bar, probability }, digit) => {
      row.classList.toggle("chosen", digit === c);
      score.textContent = text(pass.Z2[digit]);
      bar.style.width = percent(pass.A2[digit]).replace("\u00a0", "");
      probability.textContent = percent(pass.A2[digit]);
    });
    const contributions = unitContributions(this.network, pass);
    const chosen = (index) => index % DIGITS === c;
    const largest = Math.max(...contributions.filter((_, i) => chosen(i)).map(Math.abs), 1e-9);
    this.wires.forEach((path, index) => {
      const share = Math.min(1, Math.abs(contributions[index]) / largest);
      path.style.strokeWidth = `${WIDEST * share}px`;
      path.classList.toggle("against", contributions[index] < 0);
      path.classList.toggle("chosen", chosen(index));
    });
  }

  #showUnit({ row, picture, bar, value, weights, largest }, { x, Z1, A1 }, j) {
    const off = A1[j] === 0;
    row.classList.toggle("off", off);
    bar.style.width = `${Math.min(100, (100 * A1[j]) / FULL_BAR)}%`;
    value.textContent = off ? `off (${text(Z1[j])})` : text(A1[j]);
    // Weights under ink are the ones that count now.
    paintSigned(picture, weights, largest, (i) => 0.5 + 0.5 * x[i]);
  }
}
