// Softmax and cross-entropy in one, from logits z, as minidl/losses/cross_entropy.py:
// l = ln sum_c e^z_c - z_y, dz = (a - y) / N with a = softmax(z).

/** softmax of each row (N, C); the largest logit is subtracted first, so that e^z stays finite. */
export function softmax(z, classes) {
  const a = new Float64Array(z.length);
  for (let row = 0; row < z.length; row += classes) {
    let largest = -Infinity;
    for (let c = row; c < row + classes; c++) largest = Math.max(largest, z[c]);
    let total = 0;
    for (let c = row; c < row + classes; c++) total += a[c] = Math.exp(z[c] - largest);
    for (let c = row; c < row + classes; c++) a[c] /= total;
  }
  return a;
}

/** The mean loss of a batch. */
export function crossEntropy(z, labels, classes) {
  let sum = 0;
  for (let i = 0; i < labels.length; i++) {
    const row = z.subarray(i * classes, (i + 1) * classes);
    const largest = Math.max(...row);
    sum += Math.log(row.reduce((total, logit) => total + Math.exp(logit - largest), 0));
    sum -= row[labels[i]] - largest;
  }
  return sum / labels.length;
}

/** Its gradient at the logits, (a - y) / N. */
export function crossEntropyGradient(z, labels, classes) {
  const dz = softmax(z, classes);
  for (let i = 0; i < labels.length; i++) dz[i * classes + labels[i]] -= 1;
  return dz.map((value) => value / labels.length);
}
