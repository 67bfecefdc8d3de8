"""A deeper network for MNIST in minidl: 784 -> 128 -> 64 -> 32 -> 10.

This is the network of `n_layer_from_scratch.py`, built from layers: ReLU between, softmax last, He
initialization (the default of `Dense`). minidl keeps samples as rows, so X is (N, 784) and each
`weight` is the transpose of the W there; started from the same values, the two stay equal to ten
digits (`tests/examples/test_reference_parity.py`).

How to run it:

    python examples/n_layer_mnist.py
    python examples/n_layer_mnist.py --hidden 256,128 --epochs 20

What to look at:

- the layers: depth is the length of a list here, and nothing else in the program knows of it.
- the batches: from scratch, every step used all rows. Here a step uses 64, so an epoch makes some
  900 steps where it made one. That, not the depth, is why it learns so much faster.
- loss against val_loss: the rows held out for validation are never trained on. When val_loss turns
  up while loss still falls, the network has begun to learn its training rows by heart.
"""

import argparse
import math
import sys

import minidl as dl


def build_model(hidden, seed):
    """Build 784 -> hidden sizes -> 10; each hidden size is a Dense layer with a ReLU after it."""
    layers = []
    for units in hidden:
        layers += [dl.Dense(units), dl.ReLU()]
    return dl.Sequential([*layers, dl.Dense(10), dl.Softmax()]).build((784,), rng=seed)


def load_data(data_dir, synthetic, seed):
    """Return (x_train, y_train), (x_test, y_test); samples are rows of 784 pixels."""
    if synthetic:
        print("Using synthetic digits, drawn by the program, as --synthetic asks for.")
    else:
        try:
            return dl.load_mnist(data_dir)
        except dl.DatasetNotFoundError as error:
            if data_dir is not None:  # asked for this folder: nothing else will do
                sys.exit(f"error: {error}")
            print("MNIST is not at hand: using synthetic digits, drawn by the program, instead.")
            print(f"Why: {error}")
    x, y = dl.synthetic_digits(25_000, rng=seed)
    return (x[:20_000], y[:20_000]), (x[20_000:], y[20_000:])


def layer_sizes(text):
    """Read "128,64,32" as [128, 64, 32]."""
    hidden = [int(part) for part in text.split(",")]
    if min(hidden) < 1:
        raise argparse.ArgumentTypeError(f"sizes must be at least 1, got {text}")
    return hidden


def parse_arguments(argv):
    """Read the command line; a value that makes no sense ends the program with an explanation."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=10, help="passes over the training rows (10)")
    parser.add_argument("--batch-size", type=int, default=64, help="rows in a step (64)")
    parser.add_argument("--learning-rate", type=float, default=0.1, help="length of a step (0.1)")
    parser.add_argument(
        "--hidden",
        type=layer_sizes,
        default=[128, 64, 32],
        help="neurons of each hidden layer (128,64,32)",
    )
    parser.add_argument("--seed", type=int, default=0, help="initial values and batches (0)")
    parser.add_argument("--data-dir", help="folder with the MNIST files; see minidl.load_mnist")
    parser.add_argument("--synthetic", action="store_true", help="drawn digits in place of MNIST")
    args = parser.parse_args(argv)
    for name in ("epochs", "batch_size"):
        if getattr(args, name) < 1:
            option = "--" + name.replace("_", "-")
            parser.error(f"{option} must be at least 1, got {getattr(args, name)}")
    if not 0 < args.learning_rate < math.inf:
        parser.error(f"--learning-rate must be positive and finite, got {args.learning_rate}")
    if args.seed < 0:
        parser.error(f"--seed must not be negative, got {args.seed}")
    return args


def main(argv=None):
    """Train the network, a line an epoch, and test it once at the end."""
    args = parse_arguments(argv)
    (x, y), (x_test, y_test) = load_data(args.data_dir, args.synthetic, args.seed)
    model = build_model(args.hidden, args.seed)
    model.summary()
    trainer = dl.Trainer(
        model,
        dl.CrossEntropy(),
        dl.SGD(args.learning_rate),
        metrics=[dl.accuracy],
        callbacks=[dl.ProgressBar()],
        rng=args.seed,
    )
    trainer.fit(
        x,
        y,
        epochs=args.epochs,
        batch_size=args.batch_size,
        validation_split=5_000 / len(x),
    )
    print(f"test accuracy: {trainer.evaluate(x_test, y_test)['accuracy']:.4f}")


if __name__ == "__main__":
    main()
