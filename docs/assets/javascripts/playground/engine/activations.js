// The activations: y = f(x), and f'(x) written in terms of y, as in minidl/layers/. `zero` is the
// output that a picture takes as its middle.

export const ACTIVATIONS = {
  ReLU: { f: (x) => Math.max(x, 0), slope: (y) => (y > 0 ? 1 : 0), zero: 0 },
  LeakyReLU: { f: (x) => Math.max(x, 0.01 * x), slope: (y) => (y > 0 ? 1 : 0.01), zero: 0 },
  ELU: { f: (x) => (x > 0 ? x : Math.expm1(x)), slope: (y) => (y > 0 ? 1 : y + 1), zero: 0 },
  Tanh: { f: Math.tanh, slope: (y) => 1 - y * y, zero: 0 },
  Sigmoid: { f: (x) => 1 / (1 + Math.exp(-x)), slope: (y) => y * (1 - y), zero: 0.5 },
  none: { f: (x) => x, slope: () => 1, zero: 0 },
};

/** A layer without parameters that works number by number. */
export class Activation {
  constructor(name) {
    Object.assign(this, ACTIVATIONS[name]);
  }

  forward(x, n, training) {
    const { f } = this;
    const y = new Float64Array(x.length);
    for (let i = 0; i < x.length; i++) y[i] = f(x[i]); // three times as fast as x.map(f)
    if (training) this.y = y;
    return y;
  }

  backward(dy) {
    return dy.map((value, i) => value * this.slope(this.y[i]));
  }
}
