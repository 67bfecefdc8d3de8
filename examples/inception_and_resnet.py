"""Networks that are no chain: an Inception-like and a ResNet-like one, on MNIST.

Two containers are enough for both. `Parallel` gives its input to several branches and joins their
outputs along the channels; `Residual` adds its input to what its body makes of it. They are layers
like any other and nest freely.

How to run it:

    python examples/inception_and_resnet.py
    python examples/inception_and_resnet.py --network resnet --epochs 3 --rows 60000

What to look at:

- `inception_block`: four ways to look at an image side by side, from single pixels to 5 x 5
  windows. The 1 x 1 convolutions in front make the wider ones affordable: they have fewer channels
  to read.
- `residual_block`: the shortcut is the identity where the shape stays, and a 1 x 1 convolution
  where it changes. Gradients reach earlier blocks along it, so depth does no harm.
- `BatchNorm`: in training it uses the batch's own mean and variance, in inference running values
  of them. Compare accuracy and val_accuracy.
- `GlobalAveragePool2D`: one number for each channel in place of a wide Dense layer: most of an
  older network's parameters were there.
"""

import argparse
import math
import sys

import minidl as dl


def convolution(filters, size, stride=1):
    """A convolution as these networks use it: normalized, then a ReLU."""
    return dl.Sequential(
        [
            dl.Conv2D(filters, size, stride=stride, padding="same", use_bias=False),
            dl.BatchNorm(),
            dl.ReLU(),
        ]
    )


def inception_block(filters):
    """Four branches with `filters` channels each, joined to 4 * filters."""
    return dl.Parallel(
        [
            convolution(filters, 1),
            dl.Sequential([convolution(filters // 2, 1), convolution(filters, 3)]),
            dl.Sequential([convolution(filters // 4, 1), convolution(filters, 5)]),
            dl.Sequential([dl.MaxPool2D(3, stride=1, padding="same"), convolution(filters, 1)]),
        ]
    )


def residual_block(filters, stride=1, new_shape=False):
    """Two convolutions and the way around them."""
    body = dl.Sequential(
        [
            convolution(filters, 3, stride),
            dl.Conv2D(filters, 3, padding="same", use_bias=False),
            dl.BatchNorm(),
        ]
    )
    shortcut = None
    if new_shape:
        shortcut = dl.Sequential(
            [dl.Conv2D(filters, 1, stride=stride, use_bias=False), dl.BatchNorm()]
        )
    return dl.Sequential([dl.Residual(body, shortcut), dl.ReLU()])


def inception(seed):
    """Build a stem, two Inception blocks and a classifier."""
    layers = [
        convolution(8, 3, stride=2),
        inception_block(4),
        dl.MaxPool2D(2),
        inception_block(8),
        dl.GlobalAveragePool2D(),
        dl.Dense(10),
        dl.Softmax(),
    ]
    return dl.Sequential(layers).build((28, 28, 1), rng=seed)


def resnet(seed):
    """Build a stem, three residual blocks and a classifier."""
    layers = [
        convolution(8, 3, stride=2),
        residual_block(8),
        residual_block(16, stride=2, new_shape=True),
        residual_block(16),
        dl.GlobalAveragePool2D(),
        dl.Dense(10),
        dl.Softmax(),
    ]
    return dl.Sequential(layers).build((28, 28, 1), rng=seed)


NETWORKS = {"inception": inception, "resnet": resnet}


def load_data(data_dir, synthetic, rows, seed):
    """Return (x_train, y_train), (x_test, y_test); samples are images (28, 28, 1)."""
    if synthetic:
        print("Using synthetic digits, drawn by the program, as --synthetic asks for.")
    else:
        try:
            (x, y), (x_test, y_test) = dl.load_mnist(data_dir)
            return (as_images(x[:rows]), y[:rows]), (as_images(x_test), y_test)
        except dl.DatasetNotFoundError as error:
            if data_dir is not None:  # asked for this folder: nothing else will do
                sys.exit(f"error: {error}")
            print("MNIST is not at hand: using synthetic digits, drawn by the program, instead.")
            print(f"Why: {error}")
    x, y = dl.synthetic_digits(rows + 2_000, rng=seed)
    return (as_images(x[:rows]), y[:rows]), (as_images(x[rows:]), y[rows:])


def as_images(x):
    """Rows of 784 pixels as images with one channel."""
    return x.reshape(-1, 28, 28, 1)


def parse_arguments(argv):
    """Read the command line; a value that makes no sense ends the program with an explanation."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--network", choices=[*NETWORKS, "both"], default="both")
    parser.add_argument("--epochs", type=int, default=3, help="passes over the training rows (3)")
    parser.add_argument("--rows", type=int, default=12_000, help="training images used (12000)")
    parser.add_argument("--learning-rate", type=float, default=0.005, help="Adam's (0.005)")
    parser.add_argument("--seed", type=int, default=0, help="initial values and batches (0)")
    parser.add_argument("--data-dir", help="folder with the MNIST files; see minidl.load_mnist")
    parser.add_argument("--synthetic", action="store_true", help="drawn digits in place of MNIST")
    args = parser.parse_args(argv)
    for name, least in (("epochs", 1), ("rows", 100), ("seed", 0)):
        if getattr(args, name) < least:
            parser.error(f"--{name} must be at least {least}, got {getattr(args, name)}")
    if not 0 < args.learning_rate < math.inf:
        parser.error(f"--learning-rate must be positive and finite, got {args.learning_rate}")
    return args


def main(argv=None):
    """Train one network or both, a line an epoch, and test each once at the end."""
    args = parse_arguments(argv)
    data, test = load_data(args.data_dir, args.synthetic, args.rows, args.seed)
    for name in NETWORKS if args.network == "both" else [args.network]:
        model = NETWORKS[name](args.seed)
        print(f"\n{name}: {len(model.params):,} parameters")
        model.summary()
        trainer = dl.Trainer(
            model,
            dl.CrossEntropy(),
            dl.Adam(args.learning_rate),
            metrics=[dl.accuracy],
            callbacks=[dl.ProgressBar()],
            rng=args.seed,
        )
        trainer.fit(*data, epochs=args.epochs, batch_size=64, validation_split=1 / 12)
        print(f"{name}, test accuracy: {trainer.evaluate(*test)['accuracy']:.4f}")


if __name__ == "__main__":
    main()
