// Points from a pasted table: x, y, label in each line.

import { LIMIT, MOST_CLASSES, MOST_POINTS } from "./settings.js";

const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;

/** A table's fault, in words for the reader. */
export class TableError extends Error {}

/**
 * Read a table. Columns stand apart by comma, semicolon, tab or spaces; a heading is skipped.
 * @returns {{points: number[][], names: string[], scaled: boolean}} Points [x1, x2, class], the
 *   label of each class, and whether the numbers were brought into the plane.
 * @throws {TableError} That names the line, what it should be and what it is.
 */
export function readTable(text) {
  const rows = [];
  const labels = new Set();
  const lines = text.split(/\r?\n/);
  lines.forEach((line, index) => {
    if (!line.trim()) return;
    const cells = line.trim().split(/\s*[,;\t]\s*|\s+/);
    const isHeading = rows.length === 0 && cells.length === 3 && !cells.some((c) => NUMBER.test(c));
    if (isHeading && lines.slice(index + 1).some((rest) => rest.trim())) return;
    const where = `Line ${index + 1}`;
    const row = readRow(cells, where);
    labels.add(row[2]);
    if (labels.size > MOST_CLASSES) {
      throw new TableError(
        `${where}: expected at most ${MOST_CLASSES} labels, got "${row[2]}" too.`,
      );
    }
    if (rows.push(row) > MOST_POINTS) {
      throw new TableError(`${where}: expected at most ${MOST_POINTS} points.`);
    }
  });
  if (labels.size < 2) throw new TableError("Expected at least two different labels.");
  const names = [...labels].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const points = rows.map(([x1, x2, label]) => [x1, x2, names.indexOf(label)]);
  return { ...bringIntoPlane(points), names };
}

function readRow(cells, where) {
  if (cells.length !== 3) {
    throw new TableError(`${where}: expected x, y, label, got ${cells.length} values.`);
  }
  ["x", "y"].forEach((name, i) => {
    if (!NUMBER.test(cells[i]) || !Number.isFinite(Number(cells[i]))) {
      throw new TableError(`${where}: expected a number for ${name}, got "${cells[i]}".`);
    }
  });
  return [Number(cells[0]), Number(cells[1]), cells[2]];
}

/**
 * Numbers that go beyond the plane, or lie so close that they would look like one, are scaled, each
 * axis for itself, to fill most of it.
 */
function bringIntoPlane(points) {
  const scales = [0, 1].map((axis) => {
    const values = points.map((point) => point[axis]);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const half = high / 2 - low / 2; // halves first: the sum of two large numbers is no number
    const fits = low >= -LIMIT && high <= LIMIT && (half === 0 || half >= LIMIT / 10);
    return { middle: low / 2 + high / 2, half: half || 1, fits };
  });
  if (scales.every(({ fits }) => fits)) return { points, scaled: false };
  const scale = (value, { middle, half }) => ((value - middle) / half) * 0.85 * LIMIT;
  return {
    points: points.map(([x1, x2, label]) => [scale(x1, scales[0]), scale(x2, scales[1]), label]),
    scaled: true,
  };
}
