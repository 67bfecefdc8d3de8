"""A two-layer network that learns to read digits, from scratch in NumPy.

    784 pixels -> 10 neurons, ReLU -> 10 neurons, softmax

Everything the network does stands in this file, in NumPy alone: the forward pass, the gradients,
the update. minidl is imported in one place only, `load_data`, to read the MNIST files.

How to run it:

    python examples/two_layer_from_scratch.py
    python examples/two_layer_from_scratch.py --iterations 1000

The first takes some ten seconds, the second is the run as it was first published: about 0.87
training accuracy.

Samples are columns, as in most textbooks: X is (784, m), one column an image. Every line with a
matrix carries the shapes, so that each product can be checked by eye: the inner sizes must agree,
and they vanish.

What to look at:

- `forward_prop`: without the ReLU, W2 (W1 X) = (W2 W1) X would be one matrix, so two layers could
  do no more than one. The activation function between them is what makes depth worth anything.
- `backward_prop`: the chain rule, read from the loss back to the input. Each gradient has the shape
  of the thing it belongs to, and each line needs only what the line before it computed.
- the factor 1/m: it makes the loss a mean, so that the step does not grow with the data set.
- the printed lines: loss and accuracy move by many small steps of the same few operations. That is
  all that learning is here.
"""

import argparse
import math
import sys

import numpy as np


def init_params(rng=None):
    """Draw all parameters uniformly from -0.5..0.5; `rng` is a generator, a seed or None."""
    rng = np.random.default_rng(rng)
    W1 = rng.uniform(-0.5, 0.5, (10, 784))
    b1 = rng.uniform(-0.5, 0.5, (10, 1))
    W2 = rng.uniform(-0.5, 0.5, (10, 10))
    b2 = rng.uniform(-0.5, 0.5, (10, 1))
    return W1, b1, W2, b2


def relu(Z):
    """Return max(Z, 0), element by element."""
    return np.maximum(Z, 0)


def softmax(Z):
    """Turn each column of scores into probabilities.

    Taking the largest score of a column from all of them changes nothing, because exp(-max) cancels
    between numerator and denominator. But exp(1000) overflows, and exp(0) does not.
    """
    E = np.exp(Z - Z.max(axis=0))  # (10, m) - (m,) -> (10, m)
    return E / E.sum(axis=0)  # (10, m) / (m,) -> (10, m)


def one_hot(Y):
    """Turn the labels (m,) into columns (10, m): 1 in the row of the label, 0 elsewhere."""
    Y_onehot = np.zeros((10, Y.size))
    Y_onehot[Y, np.arange(Y.size)] = 1
    return Y_onehot


def forward_prop(W1, b1, W2, b2, X):
    """Compute the probabilities A2 of the ten digits, and all that lies on the way."""
    Z1 = W1 @ X + b1  # (10, 784) @ (784, m) + (10, 1) -> (10, m)
    A1 = relu(Z1)  # (10, m)
    Z2 = W2 @ A1 + b2  # (10, 10) @ (10, m) + (10, 1) -> (10, m)
    A2 = softmax(Z2)  # (10, m)
    return Z1, A1, Z2, A2


def cross_entropy(A2, Y):
    """Return L = -(1/m) sum y log(y_hat): how improbable the network finds the true labels.

    y is 1 for the true class and 0 for the others, so one logarithm a sample is left. The floor
    keeps log(0) out where a confident mistake has underflowed to probability 0.
    """
    y_hat = A2[Y, np.arange(Y.size)]  # (10, m) -> (m,)
    return -np.mean(np.log(np.maximum(y_hat, np.finfo(A2.dtype).tiny)))


def accuracy(A2, Y):
    """Return the share of samples whose most probable digit is the label."""
    return np.mean(A2.argmax(axis=0) == Y)


def backward_prop(Z1, A1, A2, W2, X, Y):
    """Compute the gradient of the loss with respect to each parameter, by the chain rule."""
    m = X.shape[1]  # the samples that are really in X, not those of the data set it came from

    # dZ2 = A2 - Y_onehot: softmax and cross-entropy together
    dZ2 = A2 - one_hot(Y)  # (10, m) - (10, m) -> (10, m)
    # dW2 = (1/m) dZ2 A1^T
    dW2 = dZ2 @ A1.T / m  # (10, m) @ (m, 10) -> (10, 10)
    # db2 = (1/m) sum of dZ2 over the samples: one value a neuron
    db2 = dZ2.sum(axis=1, keepdims=True) / m  # (10, m) -> (10, 1)

    # dZ1 = W2^T dZ2 * ReLU'(Z1), and ReLU' is 1 where Z1 > 0, else 0
    dZ1 = W2.T @ dZ2 * (Z1 > 0)  # (10, 10) @ (10, m) * (10, m) -> (10, m)
    # dW1 = (1/m) dZ1 X^T
    dW1 = dZ1 @ X.T / m  # (10, m) @ (m, 784) -> (10, 784)
    # db1 = (1/m) sum of dZ1 over the samples
    db1 = dZ1.sum(axis=1, keepdims=True) / m  # (10, m) -> (10, 1)
    return dW1, db1, dW2, db2


def update_params(W1, b1, W2, b2, dW1, db1, dW2, db2, learning_rate):
    """Take one step against the gradient: every parameter minus learning rate times gradient."""
    W1 = W1 - learning_rate * dW1  # (10, 784)
    b1 = b1 - learning_rate * db1  # (10, 1)
    W2 = W2 - learning_rate * dW2  # (10, 10)
    b2 = b2 - learning_rate * db2  # (10, 1)
    return W1, b1, W2, b2


def gradient_descent(X, Y, params, epochs, learning_rate):
    """Train on all of X at every step, so that one iteration is one epoch."""
    W1, b1, W2, b2 = params
    for epoch in range(epochs):
        Z1, A1, _, A2 = forward_prop(W1, b1, W2, b2, X)
        dW1, db1, dW2, db2 = backward_prop(Z1, A1, A2, W2, X, Y)
        W1, b1, W2, b2 = update_params(W1, b1, W2, b2, dW1, db1, dW2, db2, learning_rate)
        if epoch % max(1, epochs // 10) == 0:
            loss = cross_entropy(A2, Y)
            print(f"iteration {epoch:5d}  loss {loss:.4f}  accuracy {accuracy(A2, Y):.4f}")
    return W1, b1, W2, b2


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


def parse_arguments(argv):
    """Read the command line; a value that makes no sense ends the program with an explanation."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--iterations", type=int, default=200, help="steps, each on all rows (200)")
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
    print(f"{X.shape[1]} training images, {args.iterations} iterations")
    params = gradient_descent(X, Y, init_params(args.seed), args.iterations, args.learning_rate)

    _, _, _, A2_test = forward_prop(*params, X_test)
    _, _, _, A2 = forward_prop(*params, X)
    print(f"test accuracy: {accuracy(A2_test, Y_test):.4f}")
    print(f"training accuracy: {accuracy(A2, Y):.4f}")


if __name__ == "__main__":
    main()
