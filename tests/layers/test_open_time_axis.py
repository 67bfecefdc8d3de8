"""Models for sequences of any length: build((None, D))."""

import copy
import pickle

import numpy as np
import pytest

import minidl as dl

RNG = np.random.default_rng(0)


def network():
    layers = [dl.Dense(4), dl.Tanh(), dl.Residual(dl.Dense(4)), dl.Dense(3), dl.Softmax()]
    return dl.Sequential(layers)


@pytest.fixture
def model():
    return network().build((None, 2), rng=0, dtype=np.float64)


def sequences(n, steps):
    return RNG.normal(size=(n, steps, 2))


def test_shapes(model, capsys):
    assert model.input_shape == (None, 2)
    for n, steps in ((1, 1), (3, 7), (2, 4)):
        assert model.predict(sequences(n, steps)).shape == (n, steps, 3)
    model.summary()
    assert "input (N, T, 2)" in capsys.readouterr().out


def test_the_same_numbers_as_with_a_known_length(model):
    known = network().build((6, 2), rng=0, dtype=np.float64)
    x = sequences(5, 6)
    np.testing.assert_array_equal(model.predict(x), known.predict(x))
    np.testing.assert_array_equal(model.predict(x, batch_size=2), known.predict(x, batch_size=2))
    labels = RNG.integers(0, 3, (5, 6))
    results = [dl.Objective(m, dl.CrossEntropy()).value_and_grad(x, labels) for m in (model, known)]
    assert results[0][0] == results[1][0]
    np.testing.assert_array_equal(results[0][1], results[1][1])


def test_batches_of_different_lengths_in_turn(model):
    objective = dl.Objective(model, dl.CrossEntropy())
    for steps in (3, 8, 2, 8):
        x, labels = sequences(4, steps), RNG.integers(0, 3, (4, steps))
        value, grads = objective.value_and_grad(x, labels)
        fresh = network().build((steps, 2), rng=0, dtype=np.float64)
        expected, same = dl.Objective(fresh, dl.CrossEntropy()).value_and_grad(x, labels)
        assert value == expected
        np.testing.assert_array_equal(grads, same)


def test_a_trainer_takes_batches_of_different_lengths(model):
    source = [(sequences(4, steps), RNG.integers(0, 3, (4, steps))) for steps in (3, 5, 4)]
    trainer = dl.Trainer(model, dl.CrossEntropy(), dl.Adam(0.01), metrics=[dl.accuracy])
    history = trainer.fit(source, epochs=20)
    assert history["loss"][-1] < history["loss"][0]
    assert set(trainer.evaluate(source)) == {"loss", "accuracy"}


def test_gradients():
    assert dl.check_layer(network(), (None, 2), inputs=sequences(3, 4)).worst < 1e-6


def test_out_has_the_length_of_the_input(model):
    out = np.full((2, 5, 3), np.nan)
    x = sequences(2, 5)
    assert model.forward(x, out=out) is out
    np.testing.assert_array_equal(out, model.predict(x))
    with pytest.raises(dl.ShapeError, match=r"expected out of shape \(2, 5, 3\).* got \(2, 4, 3\)"):
        model.forward(x, out=out[:, :4])
    model.forward(x, training=True)
    dx = np.full_like(x, np.nan)
    assert model.backward(out, out=dx) is dx
    assert np.isfinite(dx).all()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_take_any_length(model, copied):
    x = sequences(2, 5)
    np.testing.assert_array_equal(copied(model).predict(x), model.predict(x))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 0, 2), "A sequence needs at least one step"),
        ((4, 2), r"one sample without the batch axis: use x\[np.newaxis\]"),
        ((2, 4, 3), r"expected input of shape \(N, T, 2\), got \(2, 4, 3\). Samples are sequences"),
        ((0, 4, 2), "at least one row"),
    ],
)
def test_wrong_input_is_explained(model, shape, message):
    with pytest.raises(dl.ShapeError, match=message):
        model.predict(np.zeros(shape))


@pytest.mark.parametrize("layer", [dl.Flatten(), dl.Sequential([dl.Flatten(), dl.Dense(2)])])
def test_flatten_needs_a_known_length(layer):
    with pytest.raises(dl.ShapeError, match=r"Flatten\(\).*length of the time axis must be known"):
        layer.build((None, 3))


def test_only_the_first_axis_may_be_open():
    with pytest.raises(dl.ShapeError, match=r"positive lengths.* got \(3, None\)"):
        dl.Dense(2).build((3, None))
    with pytest.raises(dl.ShapeError, match=r"Dense\(2\): expected input of shape \(N, D\)"):
        dl.Dense(2).build((None,))


# --- containers ----------------------------------------------------------------------------

SHORTER = {
    "residual": (lambda: dl.Residual(dl.MaxPool1D(2)), r"body's .* \(N, 1, 2\), .*\(N, 3, 2\)"),
    "shortcut": (
        lambda: dl.Residual(dl.Tanh(), dl.Conv1D(2, 3)),
        r"body's .* \(N, 3, 2\), .*\(N, 1, 2\)",
    ),
    "sum": (
        lambda: dl.Parallel([dl.Tanh(), dl.Conv1D(2, 3)], "add"),
        r"'add' .* branch 0 gives \(N, 3, 2\) and branch 1 \(N, 1, 2\)",
    ),
    "joined": (
        lambda: dl.Parallel([dl.Conv1D(2, 2), dl.Conv1D(2, 3)]),
        r"'concat' .* branch 0 gives \(N, 2, 2\) and branch 1 \(N, 1, 2\)",
    ),
}


@pytest.mark.parametrize(("make", "message"), SHORTER.values(), ids=SHORTER)
@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
def test_a_branch_that_shortens_sequences_is_refused_with_its_place(make, message, training):
    model = dl.Sequential([make()]).build((None, 2), dtype=np.float64)
    with pytest.raises(dl.ShapeError, match=rf" in layer 0 of Sequential: .*{message}"):
        model.forward(sequences(2, 3), training=training)
    alone = make().build((None, 2), dtype=np.float64)
    with pytest.raises(dl.ShapeError, match=message):
        alone.predict(sequences(2, 3))


@pytest.mark.parametrize(
    ("branches", "shape"),
    [
        ([dl.ReLU(), dl.Tanh()], (None,)),
        ([dl.Reshape((-1,)), dl.Reshape((-1,))], (None, 4)),
        ([dl.ReLU(), dl.Tanh()], ()),
    ],
    ids=["any", "reshaped", "single numbers"],
)
def test_joining_needs_a_last_axis_of_known_length(branches, shape):
    model = dl.Sequential([dl.Parallel(branches)])
    got = r"got \(N, T\)" if shape else r"got \(N\)"
    with pytest.raises(
        dl.ShapeError, match=rf"Parallel in layer 0 .*last axis, which must have .*{got}"
    ):
        model.build(shape)


def test_cross_entropy_needs_a_known_number_of_classes():
    model = dl.Sequential([dl.Dense(1), dl.Reshape((-1,)), dl.Softmax()]).build((None, 2), rng=0)
    with pytest.raises(
        dl.ShapeError, match=r"CrossEntropy\(\) after Sequential: .*known length, got \(N, T\)"
    ):
        dl.Objective(model, dl.CrossEntropy())


# --- sequences of different lengths that are not padded ---------------------------------------

PAD = r"Pad the shorter sequences to the length of the longest, and put Masking\(\) in front"


def test_ragged_lists_are_explained():
    reader = dl.Sequential([dl.Embedding(9, 2), dl.LSTM(3), dl.Dense(2), dl.Softmax()])
    reader.build((None,), rng=0)
    ragged, message = [[1, 2, 3], [4, 5]], f"Sequential: expected an array, got lists .*{PAD}"
    with pytest.raises(dl.ShapeError, match=message):
        reader.predict(ragged)
    trainer = dl.Trainer(reader, dl.CrossEntropy(), dl.SGD(0.1))
    with pytest.raises(dl.ShapeError, match=message):
        trainer.fit(ragged, [0, 1], epochs=1)
    with pytest.raises(dl.ShapeError, match=message):
        trainer.evaluate([(ragged, [0, 1])])


def test_arrays_of_sequences_are_explained():
    rows = np.empty(2, object)
    rows[:] = [np.ones((3, 2)), np.ones((2, 2))]
    with pytest.raises(dl.DTypeError, match=rf"expected dtype float32, got object\. {PAD}"):
        dl.LSTM(3).build((None, 2)).predict(rows)
    with pytest.raises(dl.DTypeError, match=r"got object\. Convert it: np\.asarray"):
        dl.Dense(3).build((2,)).predict(np.array([[1.0, None]]))


def test_other_mistakes_of_arrays_keep_their_own_words():
    class Broken:
        def __array__(self, dtype=None, copy=None):
            raise ValueError("nobody is at home")

    with pytest.raises(ValueError, match=r"^nobody is at home$"):
        dl.LSTM(3).build((None, 2)).predict(Broken())
