"""Raw pixels and dead networks are warned of; healthy training never is."""

import copy
import warnings

import numpy as np
import pytest

import minidl as dl
from minidl.training.warning_signs import LEARNED, WarningSigns

DIGITS, LABELS = dl.synthetic_digits(200, rng=0)
RAW = np.floor(DIGITS * 255)


def trainer(*layers, shape=(784,), loss=None, optimizer=None, **options):
    model = dl.Sequential(layers).build(shape, rng=0)
    return dl.Trainer(model, loss or dl.CrossEntropy(), optimizer or dl.SGD(1e-6), rng=0, **options)


def classifier(*first, **options):
    return trainer(*first, dl.Dense(10), dl.Softmax(), **options)


def test_raw_pixels_are_warned_of_once_and_where_the_user_calls_fit():
    run = classifier(dl.Dense(10), dl.ReLU())
    with pytest.warns(dl.TrainingWarning) as caught:  # noqa: PT031
        run.fit(RAW, LABELS, epochs=2)
        run.fit(RAW, LABELS, epochs=1)
    assert [str(warning.message) for warning in caught] == [
        "fit: x has whole numbers up to 255, as raw pixels are. Networks learn badly from numbers "
        "of that size, if at all: scale them to 0..1 with x / 255, or put Standardize() in front."
    ]
    assert caught[0].filename == __file__
    assert run.epoch == 3


@pytest.mark.parametrize(
    "data",
    [
        {"x": RAW, "y": LABELS},
        {"x": [(RAW, LABELS)]},
        {"x": dl.batches(RAW.astype(np.float32), LABELS, batch_size=32, rng=0)},
    ],
    ids=["arrays", "list", "batches"],
)
@pytest.mark.parametrize(
    "first",
    [
        [dl.Dense(10), dl.ReLU()],
        [dl.Dropout(0.1), dl.Dense(10)],
        [dl.Reshape((28, 28, 1)), dl.Conv2D(2, 3), dl.ReLU(), dl.Flatten()],
        [dl.Reshape((28, 28)), dl.Conv1D(2, 3), dl.Flatten()],
    ],
    ids=["dense", "dropout", "conv2d", "conv1d"],
)
def test_raw_pixels_are_seen_in_front_of_what_multiplies(data, first):
    run = classifier(*copy.deepcopy(first))
    with pytest.warns(dl.TrainingWarning, match="as raw pixels are"):
        run.fit(**data, epochs=1)


def normal(scale, columns=784):
    return np.random.default_rng(0).normal(size=(200, columns)) * scale


@pytest.mark.parametrize(
    ("first", "x"),
    [
        ([dl.Dense(10)], DIGITS),
        ([dl.Dense(10)], np.minimum(RAW, 99)),
        ([dl.Dense(10)], RAW - 128),
        ([dl.Dense(10)], RAW + 0.5 * (np.arange(784) == 3)),
        ([dl.Dense(10)], normal(50)),
        ([dl.Dense(10)], np.abs(np.floor(normal(500, 63)))),
        ([dl.Dense(10)], 255.0 * (np.arange(200 * 101).reshape(200, 101) % 101 == 7)),  # counts
        ([dl.Standardize(), dl.Dense(10)], RAW),
        ([dl.BatchNorm(), dl.Dense(10)], RAW),
        ([dl.Dense(10), dl.BatchNorm()], RAW),
        ([dl.Dense(10), dl.LayerNorm()], RAW),
        ([dl.Embedding(256, 2), dl.Flatten()], RAW.astype(np.int64)),
    ],
)
def test_no_warning_for_other_input(first, x):
    if isinstance(first[0], dl.Standardize):
        first = [dl.Standardize().adapt(x), *first[1:]]
    run = classifier(*first, shape=x.shape[1:])
    run.fit(x, LABELS, epochs=1)
    assert run.epoch == 1


def test_a_single_row_tells_enough():
    run = classifier()
    with pytest.warns(dl.TrainingWarning, match="as raw pixels are"):
        run.fit(RAW, LABELS, epochs=1, batch_size=1)


def test_input_is_looked_at_once_a_run():
    run = classifier()
    run.fit(DIGITS, LABELS, epochs=1)
    run.fit(RAW, LABELS, epochs=1)
    assert run.epoch == 2
    narrow = classifier(shape=(64,))
    with pytest.warns(dl.TrainingWarning, match="up to 100, as raw pixels are"):
        narrow.fit(np.minimum(RAW[:, 200:264], 100), LABELS, epochs=1)


def dead(model, layer=0):
    """Let no unit of a ReLU behind a layer ever be above 0."""
    model.layers[layer].bias = np.full_like(model.layers[layer].bias, -1e6)


def test_a_dead_relu_is_named():
    run = classifier(dl.Dense(10), dl.ReLU(), dl.Dropout(0.1), optimizer=dl.SGD(0.1))
    dead(run.model)
    with pytest.warns(dl.TrainingWarning, match="learns nothing") as caught:
        run.fit(DIGITS, LABELS, epochs=6)
    loss = run.history["loss"][1]
    assert len(caught) == 1
    text = str(caught[0].message)
    assert text.startswith(
        "fit: Dense(10) in layer 0 of Sequential learns nothing any more: at the start of 2 epochs "
        f"in a row its gradient was exactly 0, while the loss is {loss:.1f}"[:-2]
    )
    assert " Look at ReLU() in layer 1 of Sequential behind it. Units of a ReLU that are 0" in text
    assert "Dropout" not in text
    assert "smaller learning rate, with scaled inputs, or with LeakyReLU() in place of" in text
    assert caught[0].filename == __file__


@pytest.mark.parametrize("bias", [dl.Zeros(), dl.Constant(-1e6)])
def test_weights_that_start_at_zero_are_named_as_the_cause(bias):
    first = dl.Dense(10, weight_initializer=dl.Zeros(), bias_initializer=bias)
    run = classifier(first, dl.ReLU(), optimizer=dl.SGD(0.1))
    with pytest.warns(dl.TrainingWarning, match="learns nothing") as caught:
        run.fit(DIGITS, LABELS, epochs=3)
    text = str(caught[0].message)
    assert ("All its parameters are 0. Weights have to start" in text) == (bias == dl.Zeros())
    assert ("LeakyReLU" in text) != (bias == dl.Zeros())


@pytest.mark.parametrize("behind", [dl.ReLU(), dl.Tanh()])
@pytest.mark.parametrize("rows", [1, 2])
def test_batch_norm_of_one_row_is_named_as_the_cause(behind, rows):
    run = classifier(dl.Dense(10), dl.BatchNorm(), copy.deepcopy(behind), optimizer=dl.SGD(0.02))
    if rows > 1:
        run.model.layers[1].gamma, run.model.layers[1].beta = np.zeros(10), np.full(10, -1e6)
    with pytest.warns(dl.TrainingWarning, match="learns nothing") as caught:
        run.fit(DIGITS, LABELS, epochs=3, batch_size=rows)
    cause = "BatchNorm() in layer 1 of Sequential makes 0 of a batch of one row"
    assert (cause in str(caught[0].message)) == (rows == 1)


def test_batch_norm_of_one_image_has_many_values():
    layers = [dl.Reshape((28, 28, 1)), dl.Conv2D(2, 3), dl.BatchNorm(), dl.ReLU(), dl.Flatten()]
    run = classifier(*layers, optimizer=dl.SGD(0.02))
    run.model.layers[2].beta = np.full(2, -1e6)
    with pytest.warns(dl.TrainingWarning, match="Look at ReLU") as caught:
        run.fit(DIGITS[:32], LABELS[:32], epochs=3, batch_size=1)
    assert "one row" not in str(caught[0].message)


def test_the_last_layer_that_learns_nothing_is_named():
    layers = [dl.Dense(10), dl.ReLU(), dl.Dense(9), dl.ReLU(), dl.Dense(8), dl.ReLU()]
    run = classifier(*layers)
    dead(run.model, 2)
    layers[4].bias = np.ones(8)
    with pytest.warns(
        dl.TrainingWarning,
        match=r"^fit: Dense\(9\) in layer 2 of Sequential, with the layers in front of it, learns "
        r"nothing any more: .*Look at ReLU\(\) in layer 3",
    ):
        run.fit(DIGITS, LABELS, epochs=2)
    run = trainer(dl.Dense(3), dl.ReLU(), loss=dl.MeanSquaredError())  # at the very end
    dead(run.model)
    with pytest.warns(dl.TrainingWarning, match=r"Dense\(3\) in layer 0 .* ReLU\(\) in layer 1"):
        run.fit(DIGITS, np.ones((200, 3)), epochs=2)
    run = trainer(dl.SimpleRNN(3), dl.Dense(1), shape=(4, 2), loss=dl.MeanSquaredError())
    run.model.layers[0].bias = [1e3, 1e3, 1e3]
    run.model.layers[1].weight = np.full((3, 1), 1e-3)
    with pytest.warns(
        dl.TrainingWarning, match=r"SimpleRNN\(3\) in layer 0 .*, while the loss is 0.99"
    ) as caught:
        run.fit(np.zeros((32, 4, 2)), np.ones((32, 1)), epochs=2)
    assert "Look at" not in str(caught[0].message)


def test_frozen_layers_are_expected_to_learn_nothing():
    layers = [dl.Dense(10), dl.ReLU()]
    run = classifier(*layers)
    layers[0].trainable = False
    dead(run.model)
    run.fit(DIGITS, LABELS, epochs=4)
    assert run.epoch == 4


class Blocks(dl.Layer):
    """Lets no gradient through in some epochs."""

    def __init__(self, *epochs):
        self.epochs = epochs

    def forward(self, x, *, training=False, out=None):
        return x

    def backward(self, dy, *, input_grad=True, out=None):
        return 0 * dy if TRAINERS[-1].epoch + 1 in self.epochs else dy


TRAINERS = []


@pytest.mark.parametrize(
    ("epochs", "rows", "warns"),
    [
        ((1, 2), 16, True),
        ((1, 3), 16, False),
        ((2,), 16, False),
        ((3, 4), 16, True),
        ((2, 3, 4), 16, True),
        ((1, 2), 15, False),
    ],
)
def test_two_epochs_in_a_row_of_enough_rows(epochs, rows, warns):
    for batch_size in (rows, 5):  # of small batches, as many as have enough rows
        run = classifier(dl.Dense(4), Blocks(*epochs))
        TRAINERS.append(run)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            run.fit(DIGITS[:rows], LABELS[:rows], epochs=4, batch_size=batch_size)
        assert len(caught) == warns


@pytest.mark.parametrize(("through", "warns"), [(3, False), (4, True)])
def test_small_batches_are_looked_at_until_there_are_enough_rows(through, warns):
    """Of batches of 6 rows the first three count."""

    class BlocksSteps(dl.Layer):
        def forward(self, x, *, training=False, out=None):
            return x

        def backward(self, dy, *, input_grad=True, out=None):
            return dy if TRAINERS[-1].step % 5 == through - 1 else 0 * dy

    run = classifier(dl.Dense(4), BlocksSteps())
    TRAINERS.append(run)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run.fit(DIGITS[:30], LABELS[:30], epochs=3, batch_size=6)
    assert len(caught) == warns


def test_the_layers_named_are_those_that_no_small_batch_reached():
    model = dl.Sequential([dl.Dense(2), dl.Dense(3)]).build((4,), rng=0)
    signs = WarningSigns(model)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for number in (1, 2, 1, 2):
            assert signs.wants(number)
            model.layers[1].gradients["bias"] = np.full(3, float(number == 2))
            signs.look(np.zeros((8, 4)), 1.0, number=number, first_step=False)
            assert signs.wants(3) == (number == 1)
    (warning,) = caught
    assert str(warning.message).startswith("fit: Dense(2) in layer 0 of Sequential learns nothing")
    model.layers[0].gradients["bias"] = np.ones(2)
    signs.look(np.zeros((8, 4)), 1.0, number=1, first_step=False)
    assert not signs.wants(2)  # all of them learn


def test_the_loss_from_which_on_there_is_something_to_learn():
    model = dl.Dense(3).build((4,), rng=0)  # its gradient is 0
    for loss, warns in ((np.nextafter(LEARNED, 0), False), (LEARNED, True)):
        signs = WarningSigns(model)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for _ in range(2):
                signs.look(np.zeros((16, 4)), loss, number=1, first_step=False)
        assert len(caught) == warns


@pytest.mark.parametrize(("error", "warns"), [(0.0316, False), (0.0317, True)])
def test_what_is_learned_needs_no_gradient(error, warns):
    run = trainer(dl.Dense(3), Blocks(1, 2), loss=dl.MeanSquaredError())
    TRAINERS.append(run)
    run.model.params *= 0
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run.fit(DIGITS, np.full((200, 3), error), epochs=2)
    assert len(caught) == warns


@pytest.mark.parametrize(
    ("layers", "y", "loss"),
    [
        ([dl.Dense(10), dl.ReLU(), dl.Dense(10), dl.Softmax()], LABELS, dl.CrossEntropy()),
        ([dl.Dense(2), dl.ReLU(), dl.Dropout(0.5), dl.Dense(10), dl.Softmax()], LABELS, None),
        ([dl.Dense(1)], np.zeros((200, 1)), dl.MeanSquaredError()),
    ],
)
@pytest.mark.parametrize("x", [DIGITS, (DIGITS > 0.99).astype(float)])
def test_healthy_training_is_silent(layers, y, loss, x):
    run = trainer(*copy.deepcopy(layers), loss=loss, optimizer=dl.Adam(0.01))
    run.fit(x, y, epochs=8)
    assert run.epoch == 8


def test_a_warning_as_an_error_leaves_the_run_whole():
    run = classifier(dl.Dense(10), dl.ReLU())
    dead(run.model)
    with pytest.raises(dl.TrainingWarning, match="learns nothing any more"):
        run.fit(DIGITS, LABELS, epochs=9)
    assert run.epoch == run.history.epochs == 1
    run.fit(DIGITS, LABELS, epochs=1)
    assert run.epoch == 2


def test_a_hundredth_of_large_numbers_looks_like_pixels():
    x = np.zeros((64, 100))
    for count, warns in ((63, False), (64, True)):
        x.flat[:count] = 100
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            classifier(shape=(100,)).fit(x, LABELS[:64], epochs=1, batch_size=64)
        assert len(caught) == warns
