// The two-layer network, 784 pixels -> 10 hidden units -> 10 digits, named as in the Learn pages.
// Matrices are flat, row after row, as NumPy keeps them: W1[i, j] is W1[10 * i + j].

export const UNITS = 10;
export const DIGITS = 10;

/** The network out of the arrays of `model.save`. */
export function networkFrom(arrays) {
  return {
    W1: arrays["0.dense.weight"], // (784, 10)
    b1: arrays["0.dense.bias"], // (10,)
    W2: arrays["2.dense.weight"], // (10, 10)
    b2: arrays["2.dense.bias"], // (10,)
  };
}

function dense(x, W, b) {
  const z = Float64Array.from(b);
  for (let i = 0; i < x.length; i++) {
    if (x[i] === 0) continue; // paper, or a unit that is off: adds nothing
    for (let j = 0; j < z.length; j++) z[j] += x[i] * W[z.length * i + j];
  }
  return z;
}

function softmax(z) {
  const largest = Math.max(...z); // cancels in the fraction; without it exp overflows
  const e = z.map((value) => Math.exp(value - largest));
  const sum = e.reduce((total, value) => total + value);
  return e.map((value) => value / sum);
}

/** From pixels to probabilities, with everything between. */
export function forward({ W1, b1, W2, b2 }, x) {
  const Z1 = dense(x, W1, b1);
  const A1 = Z1.map((z) => Math.max(z, 0));
  const Z2 = dense(A1, W2, b2);
  return { x, Z1, A1, Z2, A2: softmax(Z2) };
}

/** The digits by their scores, the highest first. */
export function ranking({ Z2 }) {
  return [...Z2.keys()].sort((one, other) => Z2[other] - Z2[one]);
}

/** What each hidden unit adds to each score: A1[j] W2[j, c], a (10, 10) matrix. */
export function unitContributions({ W2 }, { A1 }) {
  return W2.map((weight, index) => A1[Math.floor(index / DIGITS)] * weight);
}

/**
 * The margin Z2[c] - Z2[r] split into what each pixel adds to it, and what the biases add. Exact:
 * with the units given that are on, scores are linear in the pixels, so that a pixel adds its ink
 * times the margin's gradient.
 */
export function pixelContributions({ W1, b1, W2, b2 }, { x, Z1 }, c, r) {
  const dZ1 = Z1.map((z, j) => (z > 0 ? W2[DIGITS * j + c] - W2[DIGITS * j + r] : 0));
  const gradient = (i) => dZ1.reduce((sum, d, j) => sum + d * W1[UNITS * i + j], 0);
  return {
    pixels: x.map((ink, i) => (ink === 0 ? 0 : ink * gradient(i))), // (784,)
    biases: b2[c] - b2[r] + dZ1.reduce((sum, d, j) => sum + d * b1[j], 0),
  };
}
