// One training run: data, network, optimizer and the order of the rows, all from the settings.

import { crossEntropy } from "./cross_entropy.js";
import { load, take } from "./datasets.js";
import { Network } from "./network.js";
import { OPTIMIZERS } from "./optimizers.js";
import { Generator } from "./random.js";

const FEWEST_POINTS = 4;

export class Run {
  constructor(settings) {
    Object.assign(this, load(settings));
    this.network = new Network({
      ...settings,
      penalty:
        settings.penalty === "none"
          ? null
          : { kind: settings.penalty, strength: settings.strength },
    });
    this.optimizer = OPTIMIZERS[settings.optimizer](settings.learningRate);
    this.rng = new Generator(settings.seed);
    this.rows = this.training.labels.length;
    this.batchSize = Math.min(settings.batchSize || this.rows, this.rows); // 0 stands for all
    this.stepsPerEpoch = Math.ceil(this.rows / this.batchSize) || 1;
    this.steps = 0;
  }

  get epoch() {
    return this.steps / this.stepsPerEpoch;
  }

  get stepsToEndOfEpoch() {
    return this.stepsPerEpoch - (this.steps % this.stepsPerEpoch);
  }

  get atEndOfEpoch() {
    return this.steps % this.stepsPerEpoch === 0;
  }

  /** Whether there is something to learn and something to hold out. */
  get canTrain() {
    const labels = [...this.training.labels, ...this.heldOut.labels];
    return labels.length >= FEWEST_POINTS && new Set(labels).size > 1;
  }

  /** One step of the optimizer on the next batch; an epoch begins with a new order of the rows. */
  step() {
    const start = (this.steps % this.stepsPerEpoch) * this.batchSize;
    if (start === 0 && this.stepsPerEpoch > 1) this.order = this.rng.permutation(this.rows);
    const rows = this.order?.slice(start, start + this.batchSize);
    const { x, labels } = rows ? take(this.training, rows) : this.training;
    const loss = this.network.valueAndGrad(x, labels);
    this.optimizer.update(this.network.params, this.network.grads);
    this.steps += 1;
    return loss;
  }

  /** Loss without penalty and accuracy, on training and held-out rows. */
  evaluate() {
    const { network } = this;
    const [training, heldOut] = [this.training, this.heldOut].map(({ x, labels }) => {
      const z = network.forward(x, labels.length);
      const loss = crossEntropy(z, labels, network.classes);
      return { loss, accuracy: accuracy(z, labels, network.classes) };
    });
    return { training, heldOut };
  }

  /** All points as [x1, x2, class]. */
  points() {
    return [this.training, this.heldOut].flatMap(({ x, labels }) =>
      Array.from(labels, (label, i) => [x[2 * i], x[2 * i + 1], label]),
    );
  }

  /** For each hidden layer, which units are 0 for all training rows: no gradient reaches them. */
  deadUnits() {
    const outputs = this.network.trace(this.training.x, this.rows).slice(0, -1);
    return outputs.map((y) => {
      const units = y.length / this.rows;
      const alive = new Set(
        Array.from(y.keys())
          .filter((i) => y[i] !== 0)
          .map((i) => i % units),
      );
      return Array.from({ length: units }, (_, unit) => !alive.has(unit));
    });
  }
}

function accuracy(z, labels, classes) {
  const right = labels.filter((label, i) => {
    const row = z.subarray(i * classes, (i + 1) * classes);
    return row.indexOf(Math.max(...row)) === label;
  });
  return right.length / labels.length;
}
