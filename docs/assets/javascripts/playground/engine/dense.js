// Dense(units): y = x W + b, as minidl/layers/dense.py. Matrices are Float64Arrays, row by row.

export class Dense {
  constructor(inputs, units) {
    this.inputs = inputs; // D
    this.units = units; // M
    this.size = inputs * units + units;
  }

  /** Take this layer's stretch of the network's vectors: W (D, M), then b (M,). */
  bind(params, grads) {
    const end = this.inputs * this.units;
    [this.W, this.b] = [params.subarray(0, end), params.subarray(end)];
    [this.dW, this.db] = [grads.subarray(0, end), grads.subarray(end)];
  }

  forward(x, n, training) {
    const { inputs: D, units: M, W, b } = this;
    const y = new Float64Array(n * M);
    for (let row = 0; row < n; row++) {
      for (let m = 0; m < M; m++) y[row * M + m] = b[m];
      for (let d = 0; d < D; d++) {
        const value = x[row * D + d];
        for (let m = 0; m < M; m++) y[row * M + m] += value * W[d * M + m]; // (N, D) @ (D, M)
      }
    }
    if (training) this.x = x;
    return y;
  }

  backward(dy, n) {
    const { inputs: D, units: M, W, x } = this;
    const dx = new Float64Array(n * D);
    this.dW.fill(0);
    this.db.fill(0);
    for (let row = 0; row < n; row++) {
      for (let m = 0; m < M; m++) this.db[m] += dy[row * M + m];
      for (let d = 0; d < D; d++) {
        const value = x[row * D + d];
        let sum = 0;
        for (let m = 0; m < M; m++) {
          this.dW[d * M + m] += value * dy[row * M + m]; // (D, N) @ (N, M)
          sum += dy[row * M + m] * W[d * M + m]; // (N, M) @ (M, D)
        }
        dx[row * D + d] = sum;
      }
    }
    return dx;
  }
}
