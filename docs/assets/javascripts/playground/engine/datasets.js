// The data sets. Each is written twice, the same line by line: for the page, and in Python for the
// program that the page writes. Every point has four uniform numbers u, v, s, t and its class y.

import { Generator } from "./random.js";

const { PI, cos, sin, sign, sqrt, log } = Math;

export const DATASETS = {
  rings: {
    place({ u, v, y, classes }) {
      const radius = ((y + 0.25 + 0.5 * v) * 2.4) / classes;
      return [radius * cos(2 * PI * u), radius * sin(2 * PI * u)];
    },
    python: `radius, angle = (y + 0.25 + 0.5 * v) * 2.4 / classes, 2 * np.pi * u
x1, x2 = radius * np.cos(angle), radius * np.sin(angle)`,
  },
  xor: {
    classes: 2,
    place({ u, v, y }) {
      const side = sign(u - 0.5);
      return [0.2 * side + 3.6 * (u - 0.5), side * (1 - 2 * y) * (0.2 + 1.8 * v)];
    },
    python: `side = np.sign(u - 0.5)
x1, x2 = 0.2 * side + 3.6 * (u - 0.5), side * (1 - 2 * y) * (0.2 + 1.8 * v)`,
  },
  gaussians: {
    place({ u, v, y, classes }) {
      const middle = PI / 4 + (2 * PI * y) / classes;
      const radius = 0.35 * sqrt(-2 * log(1 - u));
      return [
        1.3 * cos(middle) + radius * cos(2 * PI * v),
        1.3 * sin(middle) + radius * sin(2 * PI * v),
      ];
    },
    python: `middle = np.pi / 4 + 2 * np.pi * y / classes
radius = 0.35 * np.sqrt(-2 * np.log(1 - u))
x1 = 1.3 * np.cos(middle) + radius * np.cos(2 * np.pi * v)
x2 = 1.3 * np.sin(middle) + radius * np.sin(2 * np.pi * v)`,
  },
  spiral: {
    place({ u, y, classes }) {
      const [radius, angle] = [0.2 + 2.1 * u, 2 * PI * (u + y / classes)];
      return [radius * cos(angle), radius * sin(angle)];
    },
    python: `radius, angle = 0.2 + 2.1 * u, 2 * np.pi * (u + y / classes)
x1, x2 = radius * np.cos(angle), radius * np.sin(angle)`,
  },
  moons: {
    classes: 2,
    place({ u, y }) {
      const turn = 1 - 2 * y; // the second moon is the first one, turned and moved
      return [1.3 * (turn * (cos(PI * u) - 0.5)), 1.3 * (turn * (sin(PI * u) - 0.25))];
    },
    python: `turn = 1 - 2 * y  # the second moon is the first one, turned and moved
x1, x2 = 1.3 * turn * (np.cos(np.pi * u) - 0.5), 1.3 * turn * (np.sin(np.pi * u) - 0.25)`,
  },
};

/** Points x (N, 2) and labels of a data set, with Gaussian noise (by Box and Muller's formula). */
function generate(rng, { data, points: n, noise, classes }) {
  const [u, v, s, t] = [0, 1, 2, 3].map(() => rng.random(n));
  const x = new Float64Array(2 * n);
  const labels = Uint8Array.from({ length: n }, (_, i) => i % classes);
  labels.forEach((y, i) => {
    const [x1, x2] = DATASETS[data].place({ u: u[i], v: v[i], y, classes });
    const away = noise * sqrt(-2 * log(1 - s[i]));
    x[2 * i] = x1 + away * cos(2 * PI * t[i]);
    x[2 * i + 1] = x2 + away * sin(2 * PI * t[i]);
  });
  return { x, labels };
}

/** The reader's own points, [x1, x2, class] each. */
function own({ own: points }) {
  return {
    x: Float64Array.from(points.flatMap(([x1, x2]) => [x1, x2])),
    labels: Uint8Array.from(points, ([, , label]) => label),
  };
}

/** The rows of these numbers. */
export function take({ x, labels }, rows) {
  return {
    x: Float64Array.from(rows.flatMap((row) => [x[2 * row], x[2 * row + 1]])),
    labels: Uint8Array.from(rows, (row) => labels[row]),
  };
}

/** All data of these settings, a third of it held out. */
export function load(settings) {
  const rng = new Generator(settings.dataSeed);
  const all = settings.data === "own" ? own(settings) : generate(rng, settings);
  const n = all.labels.length;
  const order = rng.permutation(n);
  const third = Math.floor(n / 3);
  return { heldOut: take(all, order.slice(0, third)), training: take(all, order.slice(third)) };
}
