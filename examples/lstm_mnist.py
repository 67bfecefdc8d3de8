"""An LSTM that reads handwritten digits row by row, as one reads lines of text.

    28 rows of 28 pixels -> LSTM(128) -> Dense(10), Softmax

The network never sees a whole image. At each step it gets one row of pixels and changes its memory,
128 numbers; after the last row it says which digit that was. The same weights serve all rows, and
what tells the rows apart is only what has been remembered of those before.

How to run it (a minute or two):

    python examples/lstm_mnist.py
    python examples/lstm_mnist.py --units 64 --epochs 3

What to look at:

- the model is built for `(None, 28)`, sequences of any length, so it can be asked early: the table
  at the end gives its accuracy on the first 14, 21, ... rows of the test digits. Trained on whole
  digits alone, it has no answer ready before the last rows: what it has read is remembered, and
  judged at the end.
- the last epochs: the learning rate falls to 0 in a straight line, and val_accuracy goes up once
  more when the steps get small.

The test digits are looked at once, at the end: choose settings by the validation rows.
"""

import argparse
import math
import sys

import minidl as dl

VALIDATION_ROWS = 5_000


def build_model(units, seed):
    """Build the network; `seed` decides its initial values."""
    layers = [
        dl.LSTM(units),  # (N, T, 28) -> (N, units), the state after the last row
        dl.Dense(10),
        dl.Softmax(),
    ]
    return dl.Sequential(layers).build((None, 28), rng=seed)


def falling_to_zero(learning_rate, n_steps):
    """A learning rate that falls in a straight line from step to step."""
    return lambda step: learning_rate * (1 - step / n_steps)


def load_data(data_dir, synthetic, seed):
    """Return (x_train, y_train), (x_test, y_test) and what the data is called."""
    if synthetic:
        print("Using synthetic digits, drawn by the program, as --synthetic asks for.")
    else:
        try:
            return *dl.load_mnist(data_dir), "MNIST"
        except dl.DatasetNotFoundError as error:
            if data_dir is not None:  # asked for this folder: nothing else will do
                sys.exit(f"error: {error}")
            print("MNIST is not at hand: using synthetic digits, drawn by the program, instead.")
            print(f"Why: {error}")
    x, y = dl.synthetic_digits(25_000, rng=seed)
    return (x[:-5_000], y[:-5_000]), (x[-5_000:], y[-5_000:]), "synthetic digits"


def parse_arguments(argv):
    """Read the command line; a value that makes no sense ends the program with an explanation."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--epochs", type=int, default=5, help="passes over the training rows (5)")
    add("--batch-size", type=int, default=64, help="images in a step (64)")
    add("--learning-rate", type=float, default=0.004, help="of Adam, in the first step (0.004)")
    add("--units", type=int, default=128, help="numbers that the LSTM remembers (128)")
    add("--seed", type=int, default=0, help="initial values and batches (0)")
    add("--data-dir", help="folder with the MNIST files; see minidl.load_mnist")
    add("--synthetic", action="store_true", help="drawn digits in place of MNIST")
    args = parser.parse_args(argv)
    for name in ("epochs", "batch_size", "units"):
        if getattr(args, name) < 1:
            option = "--" + name.replace("_", "-")
            parser.error(f"{option} must be at least 1, got {getattr(args, name)}")
    if not 0 < args.learning_rate < math.inf:
        parser.error(f"--learning-rate must be positive and finite, got {args.learning_rate}")
    if args.seed < 0:
        parser.error(f"--seed must not be negative, got {args.seed}")
    return args


def main(argv=None):
    """Train the network, a line an epoch; test it once, on whole digits and on parts of them."""
    args = parse_arguments(argv)
    (x, y), (x_test, y_test), data_name = load_data(args.data_dir, args.synthetic, args.seed)
    print(f"{data_name}: {len(x):,} images, {VALIDATION_ROWS:,} of them held out for validation")
    x, x_test = x.reshape(-1, 28, 28), x_test.reshape(-1, 28, 28)

    model = build_model(args.units, args.seed)
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
    print("rows read  accuracy")
    for rows in (14, 21, 23, 25, 28):
        accuracy = trainer.evaluate(x_test[:, :rows], y_test)["accuracy"]
        print(f"{rows:9}  {accuracy:8.4f}")
    print(f"test accuracy: {accuracy:.4f}")


if __name__ == "__main__":
    main()
