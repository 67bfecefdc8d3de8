// The network: Dense and activation in turn, a Dense for the logits, softmax with cross-entropy.

import { ACTIVATIONS, Activation } from "./activations.js";
import { crossEntropy, crossEntropyGradient } from "./cross_entropy.js";
import { Dense } from "./dense.js";
import { penalize } from "./penalties.js";
import { Generator } from "./random.js";

const RECTIFIERS = ["ReLU", "LeakyReLU", "ELU"];

/** The initializer that suits an activation, by its name in minidl. */
export const initializerFor = (activation) =>
  RECTIFIERS.includes(activation) ? "HeUniform" : "GlorotUniform";

const LIMITS = {
  HeUniform: (fanIn) => Math.sqrt(6 / fanIn),
  GlorotUniform: (fanIn, fanOut) => Math.sqrt(6 / (fanIn + fanOut)),
};

export class Network {
  /**
   * @param {number[]} units Units of the hidden layers, from the first to the last.
   * @param {string} activation A key of ACTIVATIONS, behind each hidden layer.
   * @param {number} classes
   * @param {{kind: string, strength: number} | null} penalty On the weights of every layer.
   * @param {number} seed Of the starting weights, as in minidl's build(rng=seed).
   */
  constructor({ units, activation, classes, penalty = null, seed = 0 }) {
    const sizes = [2, ...units, classes];
    Object.assign(this, { classes, penalty, zero: ACTIVATIONS[activation].zero });
    this.dense = units.map((_, k) => new Dense(sizes[k], sizes[k + 1]));
    this.dense.push(new Dense(sizes.at(-2), classes));
    this.layers = this.dense.flatMap((layer) => [layer, new Activation(activation)]).slice(0, -1);
    this.allocate();
    this.dense.forEach((layer, k) => {
      const limit = LIMITS[initializerFor(activation)](layer.inputs, layer.units);
      layer.W.set(new Generator(seed, [k, 0]).uniform(-limit, limit, layer.W.length));
    });
  }

  /** One vector of parameters and one of gradients, of which the layers hold stretches. */
  allocate() {
    const size = this.dense.reduce((sum, layer) => sum + layer.size, 0);
    this.params = new Float64Array(size);
    this.grads = new Float64Array(size);
    let start = 0;
    for (const layer of this.dense) {
      const end = start + layer.size;
      layer.bind(this.params.subarray(start, end), this.grads.subarray(start, end));
      start = end;
    }
  }

  /** The logits (N, C) of rows x (N, D). */
  forward(x, n, training = false) {
    return this.layers.reduce((values, layer) => layer.forward(values, n, training), x);
  }

  /** Each hidden layer's output, and the logits last. */
  trace(x, n) {
    const outputs = [];
    for (const layer of this.layers) {
      x = layer.forward(x, n, false);
      if (layer instanceof Activation) outputs.push(x);
    }
    return [...outputs, x];
  }

  /** The loss of a batch with penalty; its gradient is in `grads`. */
  valueAndGrad(x, labels) {
    const n = labels.length;
    const z = this.forward(x, n, true);
    let value = crossEntropy(z, labels, this.classes);
    let dy = crossEntropyGradient(z, labels, this.classes);
    for (const layer of this.layers.toReversed()) dy = layer.backward(dy, n);
    if (this.penalty) {
      const { kind, strength } = this.penalty;
      for (const { W, dW } of this.dense) value += penalize(kind, strength, W, dW);
    }
    return value;
  }

  /** The length of each layer's dW. */
  gradientNorms() {
    return this.dense.map(({ dW }) => Math.sqrt(dW.reduce((sum, g) => sum + g * g, 0)));
  }
}
