"""Fine-tuning: what a network has learned from the digits 0-4 helps it with 5-9.

A network is trained on all images of the digits 0-4. Its layers, but for the last, are copied under
a new last layer, which is to tell 5-9 apart from a few hundred images. Three networks are compared:

1. from scratch: the same network, new, trained on the few images;
2. copied and frozen: only the new last layer is trained;
3. copied, then trained: the second goes on with all layers, in smaller steps.

How to run it:

    python examples/fine_tuning.py
    python examples/fine_tuning.py --rows 100

What to look at:

- the table: how much accuracy the copied layers bring, and how many numbers were trained for it.
  With fewer rows the copied layers are worth more, with many (--rows 5000) next to nothing.
- `copy.deepcopy(layer)`: the copy keeps the layer's weights and the statistics of its BatchNorm.
- `layer.trainable = False`: the optimizer leaves the layer's weights as they are, and a frozen
  BatchNorm uses the statistics that it came with and leaves them alone, too.
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
    return dl.Sequential([*layers, dl.Dense(5), dl.Softmax()]).build((784,), rng=seed)


def new_layers():
    return [
        *[dl.Dense(128), dl.BatchNorm(), dl.ReLU()],
        *[dl.Dense(64), dl.BatchNorm(), dl.ReLU()],
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
    add("--first-epochs", type=int, default=3, help="passes over the digits 0-4 (3)")
    add("--epochs", type=int, default=20, help="passes over the few digits 5-9 (20)")
    add("--seed", type=int, default=0, help="decides initial values and order of rows (0)")
    add("--data-dir", help="folder with the MNIST files; see minidl.load_mnist")
    add("--synthetic", action="store_true", help="use digits drawn by the program, not MNIST")
    args = parser.parse_args(argv)
    least = {"rows": 5, "first_epochs": 1, "epochs": 1, "seed": 0}
    for name, low in least.items():
        if getattr(args, name) < low:
            option = "--" + name.replace("_", "-")
            parser.error(f"{option} must be at least {low}, got {getattr(args, name)}")
    return args


def main(argv=None):
    """Train on 0-4, then three ways on a few of 5-9, and print how well each does."""
    args = parse_arguments(argv)
    seed = args.seed
    (x, y), (x_test, y_test) = load_data(args.data_dir, args.synthetic, seed)
    low, high = y < 5, y >= 5
    x_few, y_few = x[high][: args.rows], y[high][: args.rows] - 5  # the rows come shuffled
    x_test, y_test = x_test[y_test >= 5], y_test[y_test >= 5] - 5

    first = build_model(new_layers(), seed)
    train(first, x[low], y[low], 0.001, args.first_epochs, seed)
    print(f"trained on {low.sum():,} images of 0-4; now {len(x_few):,} of 5-9")

    print(f"{'network':22}  {'trained numbers':>15}  {'test accuracy':>13}")

    def report(name, model):
        mask = model.trainable_mask
        trained = model.params.size if mask is None else int(mask.sum())
        accuracy = dl.accuracy(y_test, model.predict(x_test).argmax(axis=1))
        print(f"{name:22}  {trained:15,}  {accuracy:13.4f}")

    scratch = build_model(new_layers(), seed + 1)
    train(scratch, x_few, y_few, 0.001, args.epochs, seed)
    report("from scratch", scratch)

    copied = [copy.deepcopy(layer) for layer in first.layers[:-2]]
    model = build_model(copied, seed + 1)
    for layer in copied:
        layer.trainable = False
    train(model, x_few, y_few, 0.01, args.epochs, seed)
    report("copied and frozen", model)

    for layer in copied:
        layer.trainable = True
    train(model, x_few, y_few, 0.0003, args.epochs, seed)
    report("copied, then trained", model)


if __name__ == "__main__":
    main()
