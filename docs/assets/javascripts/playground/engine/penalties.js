// What is added to the loss for a layer's weights W, as minidl/regularization/. Biases have none.

export const PENALTIES = {
  L1: {
    value: (W, s) => s * W.reduce((sum, w) => sum + Math.abs(w), 0),
    gradient: (w, s) => s * Math.sign(w),
  },
  L2: {
    value: (W, s) => s * W.reduce((sum, w) => sum + w * w, 0),
    gradient: (w, s) => 2 * s * w,
  },
};

/** Add the penalty's gradient to dW; return its value. */
export function penalize(kind, strength, W, dW) {
  const { value, gradient } = PENALTIES[kind];
  for (let i = 0; i < W.length; i++) dW[i] += gradient(W[i], strength);
  return value(W, strength);
}
