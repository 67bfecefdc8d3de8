// Optimizers own no weights: update(params, grads) works in place, as minidl/optimizers/.

export class SGD {
  constructor(learningRate, momentum = 0) {
    Object.assign(this, { learningRate, momentum });
  }

  update(params, grads) {
    this.velocity ??= new Float64Array(params.length);
    const v = this.velocity;
    for (let i = 0; i < params.length; i++) {
      v[i] = this.momentum * v[i] + grads[i];
      params[i] -= this.learningRate * v[i];
    }
  }
}

export class Adam {
  constructor(learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8) {
    Object.assign(this, { learningRate, beta1, beta2, epsilon, steps: 0 });
  }

  update(params, grads) {
    this.m ??= new Float64Array(params.length);
    this.v ??= new Float64Array(params.length);
    const { m, v, beta1, beta2 } = this;
    this.steps += 1;
    const rate = this.learningRate / (1 - beta1 ** this.steps); // m and v started at zero
    const correction = 1 / Math.sqrt(1 - beta2 ** this.steps);
    for (let i = 0; i < params.length; i++) {
      m[i] = beta1 * m[i] + (1 - beta1) * grads[i];
      v[i] = beta2 * v[i] + (1 - beta2) * grads[i] * grads[i];
      params[i] -= (rate * m[i]) / (Math.sqrt(v[i]) * correction + this.epsilon);
    }
  }
}

export const OPTIMIZERS = {
  SGD: (learningRate) => new SGD(learningRate),
  momentum: (learningRate) => new SGD(learningRate, 0.9),
  Adam: (learningRate) => new Adam(learningRate),
};
