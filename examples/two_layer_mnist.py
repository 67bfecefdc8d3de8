"""A two-layer network that learns to read handwritten digits, in minidl.

    784 pixels -> Dense(10), ReLU -> Dense(10), Softmax

This is minidl's reference network: 7,960 numbers that a few seconds of minibatch gradient descent
turn into a reader of digits. `two_layer_from_scratch.py` is the same network without minidl.

How to run it:

    python examples/two_layer_mnist.py
    python examples/two_layer_mnist.py --epochs 20 --hidden 32

What to look at:

- the line of each epoch: `loss` and `accuracy` are of the training rows while the network was still
  changing, `val_loss` and `val_accuracy` of 5,000 rows that it is never trained on.
- training_curves.png: where the validation curve flattens, more epochs gain little.
- first_layer_weights.png: each hidden unit is a template: ink on blue pixels excites it,
  ink on red ones holds it back.
- confusion_matrix.png: the errors are not spread evenly. Which digits look alike to it?
- predictions.png: the first test digits, with errors marked. Would you have read them?

The test digits are looked at once, at the end: choose settings by the validation rows.
"""

import argparse
import math
import sys
from pathlib import Path

import minidl as dl

OUTPUT = Path(__file__).resolve().parent / "output"
VALIDATION_ROWS = 5_000


def build_model(hidden, seed):
    """Build the network; `seed` decides its initial values."""
    model = dl.Sequential([dl.Dense(hidden), dl.ReLU(), dl.Dense(10), dl.Softmax()])
    return model.build((784,), rng=seed)


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
    return (x[:20_000], y[:20_000]), (x[20_000:], y[20_000:]), "synthetic digits"


def save_pictures(model, history, x_test, y_test, predicted, data_name):
    """Draw what training did and what the network has learned; print where the files are."""
    figures = {
        "training_curves.png": dl.plot_history(history, title=f"Training on {data_name}"),
        "confusion_matrix.png": dl.plot_confusion_matrix(
            dl.confusion_matrix(y_test, predicted, 10), title=f"Test digits, {data_name}"
        ),
        "first_layer_weights.png": dl.plot_weight_images(
            model.layers[0].weight, (28, 28), title="Weights of the hidden units"
        ),
        "predictions.png": dl.plot_digits(
            x_test[:50], y_test[:50], predicted[:50], title="The first 50 test digits"
        ),
    }
    OUTPUT.mkdir(exist_ok=True)
    for name, figure in figures.items():
        figure.savefig(OUTPUT / name, dpi=150)
        print(f"picture: {OUTPUT / name}")


def parse_arguments(argv):
    """Read the command line; a value that makes no sense ends the program with an explanation."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--epochs", type=int, default=10, help="passes over the training rows (10)")
    add("--batch-size", type=int, default=64, help="rows that each step averages over (64)")
    add("--learning-rate", type=float, default=0.1, help="length of a step (0.1)")
    add("--hidden", type=int, default=10, help="units of the hidden layer (10)")
    add("--seed", type=int, default=0, help="decides initial values and order of rows (0)")
    add(
        "--data-dir",
        help="folder with MNIST's four files; by default they are looked for in "
        "$MINIDL_DATA_DIR/mnist and in the user's cache, then downloaded",
    )
    add("--synthetic", action="store_true", help="use digits drawn by the program, not MNIST")
    add(
        "--full-batch",
        action="store_true",
        help="use all rows in every step, as textbooks do: "
        "one step an epoch, so it needs many epochs, such as --epochs 500",
    )
    add("--no-plots", action="store_true", help="draw no pictures (matplotlib is not needed then)")
    args = parser.parse_args(argv)
    for name in ("epochs", "batch_size", "hidden"):
        if getattr(args, name) < 1:
            parser.error(
                f"--{name.replace('_', '-')} must be at least 1, got {getattr(args, name)}"
            )
    if not 0 < args.learning_rate < math.inf:
        parser.error(f"--learning-rate must be above 0 and finite, got {args.learning_rate}")
    if args.seed < 0:
        parser.error(f"--seed must be at least 0, got {args.seed}")
    return args


def main(argv=None):
    """Train the network, a line an epoch; draw pictures; test it once."""
    args = parse_arguments(argv)
    (x, y), (x_test, y_test), data_name = load_data(args.data_dir, args.synthetic, args.seed)
    print(f"{data_name}: {len(x):,} rows, {VALIDATION_ROWS:,} of them held out for validation")

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
    try:
        history = trainer.fit(
            x,
            y,
            epochs=args.epochs,
            batch_size=len(x) if args.full_batch else args.batch_size,
            validation_split=VALIDATION_ROWS / len(x),
        )
    except dl.DivergenceError as error:
        sys.exit(f"error: {error}")
    predicted = model.predict(x_test).argmax(axis=1)  # (N, 10) -> (N,)
    if not args.no_plots:
        save_pictures(model, history, x_test, y_test, predicted, data_name)
    print(f"test accuracy: {dl.accuracy(y_test, predicted):.4f}")


if __name__ == "__main__":
    main()
