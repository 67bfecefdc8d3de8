"""LeNet-5, the network that read the digits on bank cheques, on MNIST.

    28 x 28 x 1 -> Conv2D(6, 5), ReLU, MaxPool2D -> 14 x 14 x 6
                -> Conv2D(16, 5), ReLU, MaxPool2D -> 5 x 5 x 16
                -> Dense(120), ReLU, Dense(84), ReLU, Dense(10), Softmax

A dense layer gives every pixel a weight of its own and does not know which pixels are neighbours.
A convolution looks at windows of 5 x 5 pixels and uses the same weights in all of them: what it
learns in one place it knows in all others. So 61,706 weights read MNIST better here than ten times
as many do in `dropout_mnist.py`. Y. LeCun and his colleagues published the network in 1998; ReLU
and the maximum stand here where they had tanh and the mean.

How to run it (half a minute):

    python examples/lenet_mnist.py
    python examples/lenet_mnist.py --epochs 10 --seed 3

What to look at:

- the summary: the dense layers have nearly all of the weights, the convolutions the work.
- lenet_filters.png: the six filters of the first layer. Some answer to edges of one direction,
  ink on blue beside paper on red.
- lenet_feature_maps.png: what these six see in five test digits, each in its own column.
- the last epochs: the learning rate falls to 0 in a straight line, and val_accuracy goes up once
  more when the steps get small.

The test digits are looked at once, at the end: choose settings by the validation rows.
"""

import argparse
import math
import sys
from pathlib import Path

import minidl as dl

OUTPUT = Path(__file__).resolve().parent / "output"
VALIDATION_ROWS = 5_000


def build_model(seed):
    """Build LeNet-5; `seed` decides its initial values."""
    layers = [
        dl.Conv2D(6, 5, padding="same"),  # (N, 28, 28, 1) -> (N, 28, 28, 6)
        dl.ReLU(),
        dl.MaxPool2D(),  # -> (N, 14, 14, 6)
        dl.Conv2D(16, 5),  # -> (N, 10, 10, 16)
        dl.ReLU(),
        dl.MaxPool2D(),  # -> (N, 5, 5, 16)
        dl.Flatten(),  # -> (N, 400)
        dl.Dense(120),
        dl.ReLU(),
        dl.Dense(84),
        dl.ReLU(),
        dl.Dense(10),
        dl.Softmax(),
    ]
    return dl.Sequential(layers).build((28, 28, 1), rng=seed)


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


def save_pictures(model, x_test):
    """Draw the first layer's filters and what they see; print where the files are."""
    filters = model.layers[0].weight  # (5, 5, 1, 6)
    maps = model.trace(x_test[:5])["1.relu"].transpose(0, 3, 1, 2)  # (5, 6, 28, 28)
    names = [f"filter {j}" for j in range(6)]
    figures = {
        "lenet_filters.png": dl.plot_weight_images(
            filters.reshape(25, 6), (5, 5), titles=names, columns=6, title="Filters, first layer"
        ),
        "lenet_feature_maps.png": dl.plot_digits(
            maps.reshape(30, 28, 28),
            names * 5,
            columns=6,
            title="What the filters see in five test digits",
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
    add("--epochs", type=int, default=5, help="passes over the training rows (5)")
    add("--batch-size", type=int, default=64, help="images in a step (64)")
    add("--learning-rate", type=float, default=0.003, help="of Adam, in the first step (0.003)")
    add("--seed", type=int, default=0, help="initial values and batches (0)")
    add("--data-dir", help="folder with the MNIST files; see minidl.load_mnist")
    add("--synthetic", action="store_true", help="drawn digits in place of MNIST")
    add("--no-plots", action="store_true", help="draw no pictures (matplotlib is not needed then)")
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
    """Train the network, a line an epoch; draw pictures; test it once."""
    args = parse_arguments(argv)
    (x, y), (x_test, y_test), data_name = load_data(args.data_dir, args.synthetic, args.seed)
    print(f"{data_name}: {len(x):,} images, {VALIDATION_ROWS:,} of them held out for validation")
    x, x_test = x.reshape(-1, 28, 28, 1), x_test.reshape(-1, 28, 28, 1)

    model = build_model(args.seed)
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
    if not args.no_plots:
        save_pictures(model, x_test)
    print(f"test accuracy: {trainer.evaluate(x_test, y_test)['accuracy']:.4f}")


if __name__ == "__main__":
    main()
