"""A network of any depth that learns to read digits, from scratch in NumPy.

    784 pixels -> 128 -> 64 -> 32 neurons, ReLU each -> 10 neurons, softmax

This is `two_layer_from_scratch.py` with two matrices replaced by a list of them. Read that file
first: what changes here is only that the same lines run in a loop, forwards over the layers in
`forward_prop` and backwards in `backward_prop`. minidl is imported in one place only, `load_data`,
to read the MNIST files; the network is NumPy alone.

How to run it:

    python examples/n_layer_from_scratch.py
    python examples/n_layer_from_scratch.py --iterations 950 --learning-rate 0.01
    python examples/n_layer_from_scratch.py --layers 784,30,10

The first takes some ten seconds and gets to 0.78 training accuracy. The second is the run as it was
first published, five to ten minutes: 0.90 training accuracy. Small steps on all rows at once are a
slow way to train a deep network; `n_layer_mnist.py` reaches 0.97 in seconds with minibatches.

Samples are columns: X is (784, m), one column an image. In the shapes beside each line, n_in
and n_out are the sizes of the layer at work: what comes in, and how many neurons take it.

What to look at:

- `init_params`: with plain -0.5..0.5, as in the two-layer file, every layer would multiply the size
  of the numbers by several times. He initialization draws from a normal distribution of variance
  2 / n_in, which keeps their size from layer to layer (the 2 makes up for the half of the
  values that ReLU sets to zero).
- `backward_prop`: dZ of one layer makes dZ of the layer below it, through W^T and ReLU'. That line
  is backpropagation; it is the same whatever the depth.
"""

import argparse
import math
import sys
from itertools import pairwise

import numpy as np


def init_params(layer_dims, rng=None):
    """Draw the weights by He's rule and set the biases to zero; layer_dims = [784, ..., 10]."""
    rng = np.random.default_rng(rng)
    Ws, bs = [], []
    for n_in, n_out in pairwise(layer_dims):
        Ws.append(rng.standard_normal((n_out, n_in)) * np.sqrt(2 / n_in))  # (n_out, n_in)
        bs.append(np.zeros((n_out, 1)))  # (n_out, 1)
    return Ws, bs


def relu(Z):
    """Return max(Z, 0), element by element."""
    return np.maximum(Z, 0)


def softmax(Z):
    """Turn each column of scores into probabilities, shifted by the maximum against overflow."""
    E = np.exp(Z - Z.max(axis=0))  # (10, m) - (m,) -> (10, m)
    return E / E.sum(axis=0)  # (10, m) / (m,) -> (10, m)


def one_hot(Y):
    """Turn the labels (m,) into columns (10, m): 1 in the row of the label, 0 elsewhere."""
    Y_onehot = np.zeros((10, Y.size))
    Y_onehot[Y, np.arange(Y.size)] = 1
    return Y_onehot


def forward_prop(X, Ws, bs):
    """Compute all activations As = [X, ..., probabilities]; Ws[k] leads from As[k] to As[k + 1]."""
    As = [X]
    last = len(Ws) - 1
    for k in range(len(Ws)):
        Z = Ws[k] @ As[k] + bs[k]  # (n_out, n_in) @ (n_in, m) + (n_out, 1) -> (n_out, m)
        As.append(softmax(Z) if k == last else relu(Z))  # (n_out, m)
    return As


def cross_entropy(A, Y):
    """Return L = -(1/m) sum y log(y_hat); the floor keeps log(0) out."""
    y_hat = A[Y, np.arange(Y.size)]  # (10, m) -> (m,)
    return -np.mean(np.log(np.maximum(y_hat, np.finfo(A.dtype).tiny)))


def accuracy(A, Y):
    """Return the share of samples whose most probable digit is the label."""
    return np.mean(A.argmax(axis=0) == Y)


def backward_prop(As, Ws, Y):
    """Compute the gradient of the loss with respect to each parameter, from the last layer down."""
    m = Y.size  # the samples that are really in As, not those of the data set they came from
    dWs, dbs = [], []
    # at the last layer, dZ = A - Y_onehot: softmax and cross-entropy together
    dZ = As[-1] - one_hot(Y)  # (10, m) - (10, m) -> (10, m)
    for k in reversed(range(len(Ws))):
        # dW = (1/m) dZ A_in^T
        dWs.append(dZ @ As[k].T / m)  # (n_out, m) @ (m, n_in) -> (n_out, n_in)
        # db = (1/m) sum of dZ over the samples: one value a neuron
        dbs.append(dZ.sum(axis=1, keepdims=True) / m)  # (n_out, m) -> (n_out, 1)
        if k > 0:
            # dZ_in = W^T dZ * ReLU'(Z_in), and Z_in > 0 exactly where A_in = ReLU(Z_in) > 0
            dZ = Ws[k].T @ dZ * (As[k] > 0)  # (n_in, n_out) @ (n_out, m) * (n_in, m) -> (n_in, m)
    return dWs[::-1], dbs[::-1]


def update_params(Ws, bs, dWs, dbs, learning_rate):
    """Take one step against the gradient: every parameter minus learning rate times gradient."""
    Ws = [W - learning_rate * dW for W, dW in zip(Ws, dWs, strict=True)]  # (n_out, n_in) each
    bs = [b - learning_rate * db for b, db in zip(bs, dbs, strict=True)]  # (n_out, 1) each
    return Ws, bs


def gradient_descent(X, Y, params, epochs, learning_rate):
    """Train on all of X at every step, so that one iteration is one epoch."""
    Ws, bs = params
    for epoch in range(epochs):
        As = forward_prop(X, Ws, bs)
        dWs, dbs = backward_prop(As, Ws, Y)
        Ws, bs = update_params(Ws, bs, dWs, dbs, learning_rate)
        if epoch % max(1, epochs // 10) == 0:
            loss = cross_entropy(As[-1], Y)
            print(f"iteration {epoch:5d}  loss {loss:.4f}  accuracy {accuracy(As[-1], Y):.4f}")
    return Ws, bs


def load_data(data_dir, synthetic, rows, seed):
    """Return X (784, m), Y (m,) for training and the same for testing; samples are columns."""
    from minidl import DatasetNotFoundError, load_mnist, synthetic_digits

    reason = "--synthetic was given"
    if not synthetic:
        try:
            (x, y), (x_test, y_test) = load_mnist(data_dir)
        except DatasetNotFoundError as error:
            if data_dir is not None:  # asked for this folder: nothing else will do
                sys.exit(f"error: {error}")
            synthetic, reason = True, error
    if synthetic:
        print(f"Using synthetic digits, not MNIST: {reason}")
        x, y = synthetic_digits(rows + 5000, rng=seed)
        x_test, y_test = x[rows:], y[rows:]
    # images as columns, (m, 784) -> (784, m), in float64
    return x[:rows].T.astype(float), y[:rows], x_test.T.astype(float), y_test


def layer_sizes(text):
    """Read "784,128,10" as [784, 128, 10]."""
    layer_dims = [int(part) for part in text.split(",")]
    if len(layer_dims) < 2 or min(layer_dims) < 1 or (layer_dims[0], layer_dims[-1]) != (784, 10):
        raise argparse.ArgumentTypeError(
            f"expected positive sizes from 784 (pixels) to 10 (digits), got {text}"
        )
    return layer_dims


def parse_arguments(argv):
    """Read the command line; a value that makes no sense ends the program with an explanation."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--layers",
        type=layer_sizes,
        default=[784, 128, 64, 32, 10],
        help="neurons of each layer, pixels first (784,128,64,32,10)",
    )
    parser.add_argument("--iterations", type=int, default=30, help="steps, each on all rows (30)")
    parser.add_argument("--learning-rate", type=float, default=0.1, help="length of a step (0.1)")
    parser.add_argument("--rows", type=int, default=41_000, help="training rows (41000)")
    parser.add_argument("--seed", type=int, default=0, help="draws the initial values (0)")
    parser.add_argument("--data-dir", help="folder with the MNIST files; see minidl.load_mnist")
    parser.add_argument("--synthetic", action="store_true", help="drawn digits in place of MNIST")
    args = parser.parse_args(argv)
    if args.iterations < 1:
        parser.error(f"--iterations must be at least 1, got {args.iterations}")
    if not 0 < args.learning_rate < math.inf:
        parser.error(f"--learning-rate must be positive and finite, got {args.learning_rate}")
    if not 1 <= args.rows <= 60_000:
        parser.error(f"--rows must lie in 1..60000, the size of MNIST, got {args.rows}")
    if args.seed < 0:
        parser.error(f"--seed must not be negative, got {args.seed}")
    return args


def main(argv=None):
    """Train the network and print what it has learned."""
    args = parse_arguments(argv)
    X, Y, X_test, Y_test = load_data(args.data_dir, args.synthetic, args.rows, args.seed)
    print(f"{X.shape[1]} training images, {args.iterations} iterations, layers {args.layers}")
    params = init_params(args.layers, args.seed)
    params = gradient_descent(X, Y, params, args.iterations, args.learning_rate)

    A_test = forward_prop(X_test, *params)[-1]
    A = forward_prop(X, *params)[-1]
    print(f"test accuracy: {accuracy(A_test, Y_test):.4f}")
    print(f"training accuracy: {accuracy(A, Y):.4f}")


if __name__ == "__main__":
    main()
