"""Fine-tuning: what a network has learned from the digits 0-4 helps it with 5-9.

A small convolutional network is trained on all images of the digits 0-4. Its layers, but for the
last, are copied under a new last layer, which is to tell 5-9 apart from a few hundred images:

    from scratch           the same network, new, trained on the few images
    copied and frozen      only the new last layer is trained
    copied, then trained   the second network goes on with all its layers, in smaller steps

How to run it:

    python examples/fine_tuning.py
    python examples/fine_tuning.py --rows 100

What to look at:

- the table: how much accuracy the copied layers bring, and how many numbers were trained for it.
  With --rows 100 they bring more, with --rows 5000 little.
- `copy.deepcopy(layer)`: the copy keeps the layer's weights and the statistics of its BatchNorm.
- `layer.trainable = False`: the optimizer leaves the layer's weights as they are; a frozen
  BatchNorm uses the statistics that it came with, and leaves them alone.
"""

import argparse
import copy
import sys

import minidl as dl


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


def build_model(layers, seed):
    """Build a network of these layers and, on top of them, one that tells five digits apart."""
    return dl.Sequential([*layers, dl.Dense(5), dl.Softmax()]).build((28, 28, 1), rng=seed)


def new_layers():
    """Make the layers below the last: two convolutions, each normalized."""
    return [
        *[dl.Conv2D(8, 3, use_bias=False), dl.BatchNorm(), dl.ReLU(), dl.MaxPool2D()],
        *[dl.Conv2D(16, 3, use_bias=False), dl.BatchNorm(), dl.ReLU(), dl.MaxPool2D()],
        dl.Flatten(),
    ]


def train(model, x, y, learning_rate, epochs, seed):
    """Train with Adam in batches of 32."""
    trainer = dl.Trainer(model, dl.CrossEntropy(), dl.Adam(learning_rate), rng=seed)
    trainer.fit(x, y, epochs=epochs, batch_size=32)


def parse_arguments(argv):
    """Read the command line; a value that makes no sense ends the program with an explanation."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--rows", type=int, default=500, help="images of the digits 5-9 to learn from (500)")
    add("--first-epochs", type=int, default=1, help="passes over the digits 0-4 (1)")
    add("--epochs", type=int, default=20, help="passes over the few digits 5-9 (20)")
    add("--seed", type=int, default=0, help="decides initial values and order of rows (0)")
    add("--data-dir", help="folder with the MNIST files; see minidl.load_mnist")
    add("--synthetic", action="store_true", help="use digits drawn by the program, not MNIST")
    args = parser.parse_args(argv)
    for name, low in {"rows": 1, "first_epochs": 1, "epochs": 1, "seed": 0}.items():
        if (value := getattr(args, name)) < low:
            parser.error(f"--{name.replace('_', '-')} must be at least {low}, got {value}")
    return args


def main(argv=None):
    """Train on 0-4, then in three ways on a few of 5-9, and print how well each does."""
    args = parse_arguments(argv)
    (x, y), (x_test, y_test) = load_data(args.data_dir, args.synthetic, args.seed)
    x, x_test = x.reshape(-1, 28, 28, 1), x_test.reshape(-1, 28, 28, 1)
    x_few, y_few = x[y >= 5][: args.rows], y[y >= 5][: args.rows] - 5
    x_test, y_test = x_test[y_test >= 5], y_test[y_test >= 5] - 5

    first = build_model(new_layers(), args.seed)
    train(first, x[y < 5], y[y < 5], 0.001, args.first_epochs, args.seed)
    print(f"trained on {(y < 5).sum():,} images of 0-4; now {len(x_few):,} of 5-9")
    print(f"{'network':20}  {'trained numbers':>15}  {'test accuracy':>13}")

    def learn_and_report(name, model, learning_rate):
        train(model, x_few, y_few, learning_rate, args.epochs, args.seed)
        mask = model.trainable_mask
        trained = model.params.size if mask is None else int(mask.sum())
        accuracy = dl.accuracy(y_test, model.predict(x_test).argmax(axis=1))
        print(f"{name:20}  {trained:15,}  {accuracy:13.4f}")

    learn_and_report("from scratch", build_model(new_layers(), args.seed + 1), 0.001)

    copied = [copy.deepcopy(layer) for layer in first.layers[:-2]]  # all but Dense and Softmax
    model = build_model(copied, args.seed + 1)
    for layer in copied:
        layer.trainable = False
    learn_and_report("copied and frozen", model, 0.01)

    for layer in copied:
        layer.trainable = True
    learn_and_report("copied, then trained", model, 0.0003)


if __name__ == "__main__":
    main()
