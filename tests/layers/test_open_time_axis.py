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
