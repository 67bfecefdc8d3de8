"""A wide network for MNIST, kept from learning by heart: 784 -> 512 -> 512 -> 10 with dropout.

    Dropout(0.1), Dense(512), ReLU, Dropout(0.5), Dense(512), ReLU, Dropout(0.5), Dense(10), Softmax

It has 670,000 weights for 55,000 images: enough to know every one of them. In training, dropout
sets a part of each layer's units to 0, others in every step, so that no unit can rely on any other
one. In inference all of them take part.

How to run it (some two minutes):

    python examples/dropout_mnist.py
    python examples/dropout_mnist.py --rate 0

What to look at:

- loss against val_loss: the first is measured with units missing, so it is the larger one for most
  of the training. With `--rate 0` it falls to almost nothing, and val_loss turns up.
- the last epochs: the learning rate falls to 0 in a straight line, and the steps, which were noise
  around a good place, settle there.

The test digits are looked at once, at the end: choose settings by the validation rows.
"""

import argparse
import math
import sys

import minidl as dl

VALIDATION_ROWS = 5_000


def build_model(units, rate, seed):
    """Build the network; a fifth of the rate is enough for the pixels."""
    layers = [dl.Dropout(rate / 5)]
    for _ in range(2):
        layers += [dl.Dense(units), dl.ReLU(), dl.Dropout(rate)]
    return dl.Sequential([*layers, dl.Dense(10), dl.Softmax()]).build((784,), rng=seed)


def falling_to_zero(learning_rate, n_steps):
    """A learning rate that falls in a straight line from step to step."""
    return lambda step: learning_rate * (1 - step / n_steps)


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
    return (x[:-5_000], y[:-5_000]), (x[-5_000:], y[-5_000:])


def parse_arguments(argv):
    """Read the command line; a value that makes no sense ends the program with an explanation."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--epochs", type=int, default=20, help="passes over the training rows (20)")
    add("--batch-size", type=int, default=128, help="rows in a step (128)")
    add("--learning-rate", type=float, default=0.001, help="of Adam, in the first step (0.001)")
    add("--units", type=int, default=512, help="units of each hidden layer (512)")
    add("--rate", type=float, default=0.5, help="part of the units that is dropped (0.5)")
    add("--seed", type=int, default=0, help="initial values, batches and what is dropped (0)")
    add("--data-dir", help="folder with the MNIST files; see minidl.load_mnist")
    add("--synthetic", action="store_true", help="drawn digits in place of MNIST")
    args = parser.parse_args(argv)
    for name in ("epochs", "batch_size", "units"):
        if getattr(args, name) < 1:
            option = "--" + name.replace("_", "-")
            parser.error(f"{option} must be at least 1, got {getattr(args, name)}")
    if not 0 < args.learning_rate < math.inf:
        parser.error(f"--learning-rate must be positive and finite, got {args.learning_rate}")
    if not 0 <= args.rate < 1:
        parser.error(f"--rate must be at least 0 and below 1, got {args.rate}")
    if args.seed < 0:
        parser.error(f"--seed must not be negative, got {args.seed}")
    return args


def main(argv=None):
    """Train the network, a line an epoch, and test it once at the end."""
    args = parse_arguments(argv)
    (x, y), (x_test, y_test) = load_data(args.data_dir, args.synthetic, args.seed)
    model = build_model(args.units, args.rate, args.seed)
    model.summary()
    n_steps = args.epochs * math.ceil((len(x) - VALIDATION_ROWS) / args.batch_size)
    trainer = dl.Trainer(
        model,
        dl.CrossEntropy(),
        dl.Adam(falling_to_zero(args.learning_rate, n_steps)),
        metrics=[dl.accuracy],
        callbacks=[dl.ProgressBar()],
        rng=args.seed,
    )
    trainer.fit(
        x,
        y,
        epochs=args.epochs,
        batch_size=args.batch_size,
        validation_split=VALIDATION_ROWS / len(x),
    )
    print(f"test accuracy: {trainer.evaluate(x_test, y_test)['accuracy']:.4f}")


if __name__ == "__main__":
    main()
