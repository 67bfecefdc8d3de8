"""The two-layer network in TensorFlow and in minidl, side by side.

Both start from the same weights and see the same batches in the same order, so they must stay the
same network all the way: equal losses at every step and equal parameters at the end, up to the
rounding of float32.

How to run it (TensorFlow is no part of minidl: it takes 1.6 GB and is installed for this only):

    pip install tensorflow-cpu
    python examples/tensorflow_comparison.py

What to look at:

- `run_minidl` and `run_tensorflow`: the same four things happen in both, forward, loss, backward,
  update. The table at the end says which lines of `two_layer_from_scratch.py` each call stands for.
- the seconds: TensorFlow compiles a graph at the first step, and then pays some overhead at every
  step. That is worth it for large networks; for one as small as this the overhead is the cost.
- another `--seed`: about one in forty ends with a difference above 1e-4, and that is no fault. A
  hidden value within rounding (1e-6) of zero has fallen on different sides of ReLU's kink, so that
  one sample counts in a gradient here and not there. The default seed keeps clear of it: in its
  200 steps no hidden value comes closer to zero than 8e-5.

Exit status: 0 when the largest difference of any parameter is below 1e-4, 1 when it is not,
2 for a bad option, 3 when TensorFlow is missing.
"""

import argparse
import math
import os
import sys
import time
from dataclasses import dataclass
from itertools import islice

import numpy as np

import minidl as dl

TOLERANCE = 1e-4

AUTOMATED = [
    ("two_layer_from_scratch.py", "tf.keras", "minidl"),
    ("init_params()", "Sequential([Input((784,)), ...])", "build((784,), rng=0)"),
    ("Z1 = W1 @ X + b1; relu(Z1)", 'Dense(10, activation="relu")', "Dense(10), ReLU()"),
    ("Z2 = W2 @ A1 + b2; softmax(Z2)", 'Dense(10, activation="softmax")', "Dense(10), Softmax()"),
    ("forward_prop(...)", "model(x, training=True)", "objective.value_and_grad"),
    ("one_hot(Y); cross_entropy(...)", "SparseCategoricalCrossentropy()", "  the same call"),
    ("backward_prop(...)", "tape.gradient(loss, variables)", "  the same call"),
    ("update_params(...)", "optimizer.apply_gradients(...)", "optimizer.update"),
    ("for epoch in range(epochs)", "model.fit(...)", "Trainer.fit"),
]


@dataclass
class Run:
    """What one framework did: a loss for each step, its times, and where it ended."""

    losses: list
    first_step_seconds: float
    other_steps_seconds: float
    params: list
    test_accuracy: float


def endless_batches(x, y, batch_size, seed):
    """Yield full batches for ever; the same seed gives the same batches in the same order."""
    rng = np.random.default_rng(seed)
    while True:
        for xb, yb in dl.batches(x, y, batch_size=batch_size, rng=rng):
            if len(xb) == batch_size:  # a shape that changes would make TensorFlow compile again
                yield xb, yb


def build_minidl(seed):
    """Build 784-10-10 with the initial values of the from-scratch file: uniform, -0.5..0.5."""
    uniform = dl.Uniform(-0.5, 0.5)
    layers = [dl.Dense(10, weight_initializer=uniform, bias_initializer=uniform) for _ in range(2)]
    return dl.Sequential([layers[0], dl.ReLU(), layers[1], dl.Softmax()]).build((784,), rng=seed)


def build_tensorflow(tf, params):
    """Build the same network in tf.keras and give it the same values."""
    model = tf.keras.Sequential(
        [
            tf.keras.Input((784,)),
            tf.keras.layers.Dense(10, activation="relu"),
            tf.keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.set_weights(params)
    return model


def minidl_params(model):
    """Copy [W1, b1, W2, b2] out of the minidl model."""
    dense = [layer for layer in model.layers if isinstance(layer, dl.Dense)]
    return [p.copy() for layer in dense for p in (layer.weight, layer.bias)]


def timed(step, batches):
    """Run step(x, y) -> loss on all batches; return the losses, the first seconds, the other."""
    losses, times = [], [time.perf_counter()]
    for xb, yb in batches:
        losses.append(float(step(xb, yb)))
        times.append(time.perf_counter())
    return losses, times[1] - times[0], times[-1] - times[1]


def run_minidl(model, batches, test, learning_rate):
    """Train the minidl model on the batches."""
    objective, optimizer = dl.Objective(model, dl.CrossEntropy()), dl.SGD(learning_rate)

    def step(xb, yb):
        loss, grads = objective.value_and_grad(xb, yb)
        optimizer.update(model.params, grads)
        return loss

    losses, first, others = timed(step, batches)
    accuracy = np.mean(model.predict(test[0]).argmax(axis=1) == test[1])
    return Run(losses, first, others, minidl_params(model), accuracy)


def run_tensorflow(tf, model, batches, test, learning_rate):
    """Train the tf.keras model on the batches."""
    loss_function = tf.keras.losses.SparseCategoricalCrossentropy()
    optimizer = tf.keras.optimizers.SGD(learning_rate)

    @tf.function
    def step(xb, yb):
        with tf.GradientTape() as tape:
            loss = loss_function(yb, model(xb, training=True))
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    losses, first, others = timed(step, batches)
    accuracy = np.mean(model(test[0]).numpy().argmax(axis=1) == test[1])
    return Run(losses, first, others, model.get_weights(), accuracy)


def compare(tf, train, test, *, steps=200, batch_size=64, learning_rate=0.1, seed=17):
    """Train both networks; return the minidl run, the TensorFlow run, the largest difference."""
    model = build_minidl(seed)
    tf_model = build_tensorflow(tf, minidl_params(model))

    def batches():
        return islice(endless_batches(*train, batch_size, seed), steps)

    mine = run_minidl(model, batches(), test, learning_rate)
    theirs = run_tensorflow(tf, tf_model, batches(), test, learning_rate)
    differences = [np.abs(a - b).max() for a, b in zip(mine.params, theirs.params, strict=True)]
    return mine, theirs, max(differences)


def report(mine, theirs, difference, every):
    """Print both runs side by side, and what each call automates."""
    steps = len(mine.losses)
    print(f"\n{'loss at step':24s} {'minidl':>10s} {'TensorFlow':>10s} {'difference':>10s}")
    for k in sorted({*range(0, steps, every), steps - 1}):
        a, b = mine.losses[k], theirs.losses[k]
        print(f"{k + 1:<24d} {a:10.6f} {b:10.6f} {abs(a - b):10.1e}")
    print()
    for label, name in (
        ("test accuracy", "test_accuracy"),
        ("seconds, first step", "first_step_seconds"),
        (f"seconds, other {steps - 1} steps", "other_steps_seconds"),
    ):
        print(f"{label:24s} {getattr(mine, name):10.4f} {getattr(theirs, name):10.4f}")
    print("\nWhich lines each call stands for:\n")
    for row in AUTOMATED:
        print("{:32s}{:34s}{}".format(*row))
    print()
    print(f"largest difference of any parameter: {difference:.1e} (must be below {TOLERANCE:.0e})")


def load_data(data_dir, synthetic, seed):
    """Return (x_train, y_train), (x_test, y_test); samples are rows of 784 pixels."""
    reason = "--synthetic was given"
    if not synthetic:
        try:
            return dl.load_mnist(data_dir)
        except dl.DatasetNotFoundError as error:
            if data_dir is not None:  # asked for this folder: nothing else will do
                sys.exit(f"error: {error}")
            reason = error
    print(f"Using synthetic digits, not MNIST: {reason}")
    x, y = dl.synthetic_digits(15_000, rng=seed)
    return (x[:10_000], y[:10_000]), (x[10_000:], y[10_000:])


def import_tensorflow():
    """Return the module tensorflow, or end the program and say how to install it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read at import: warnings only
    try:
        import tensorflow
    except ImportError:
        print(
            "This comparison needs TensorFlow, which is not installed (1.6 GB; minidl itself "
            "never uses it).\nInstall it with: pip install tensorflow-cpu",
            file=sys.stderr,
        )
        raise SystemExit(3) from None
    return tensorflow


def parse_arguments(argv):
    """Read the command line; a value that makes no sense ends the program with an explanation."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=200, help="training steps (200)")
    parser.add_argument("--batch-size", type=int, default=64, help="rows in a step (64)")
    parser.add_argument("--learning-rate", type=float, default=0.1, help="length of a step (0.1)")
    parser.add_argument("--every", type=int, default=20, help="print every so many steps (20)")
    parser.add_argument("--seed", type=int, default=17, help="initial values and batches (17)")
    parser.add_argument("--data-dir", help="folder with the MNIST files; see minidl.load_mnist")
    parser.add_argument("--synthetic", action="store_true", help="drawn digits in place of MNIST")
    args = parser.parse_args(argv)
    for name in ("steps", "every"):
        if getattr(args, name) < 1:
            parser.error(f"--{name} must be at least 1, got {getattr(args, name)}")
    if not 1 <= args.batch_size <= 5000:
        parser.error(f"--batch-size must lie in 1..5000, got {args.batch_size}")
    if not 0 < args.learning_rate < math.inf:
        parser.error(f"--learning-rate must be positive and finite, got {args.learning_rate}")
    if args.seed < 0:
        parser.error(f"--seed must not be negative, got {args.seed}")
    return args


def main(argv=None):
    """Train both networks, print both, and end with status 1 when they have parted."""
    args = parse_arguments(argv)
    tf = import_tensorflow()
    train, test = load_data(args.data_dir, args.synthetic, args.seed)
    print(
        f"TensorFlow {tf.__version__} beside minidl {dl.__version__}: 784-10-10, float32, "
        f"{args.steps} steps of {args.batch_size} rows, learning rate {args.learning_rate}"
    )
    mine, theirs, difference = compare(
        tf,
        train,
        test,
        steps=args.steps,
        batch_size=args.batch_size,
        learning_rate=args.learning_rate,
        seed=args.seed,
    )
    report(mine, theirs, difference, args.every)
    if not difference < TOLERANCE:  # also when it is NaN
        print(
            "The two have parted. For a single seed this can be ReLU's kink (see the top of this "
            "file); for several it is a fault.",
            file=sys.stderr,
        )
        raise SystemExit(1)


if __name__ == "__main__":
    main()
