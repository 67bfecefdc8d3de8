"""SimpleRNN, LSTM and GRU under masks, along open time axes, at their edges, and by hand."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from references import recurrent

import minidl as dl

LAYERS = [dl.SimpleRNN, dl.LSTM, dl.GRU]
each_kind = pytest.mark.parametrize("kind", LAYERS)
each_output = pytest.mark.parametrize("return_sequences", [False, True], ids=["last", "sequences"])


def built(kind, units=3, width=2, *, return_sequences=False, dtype=np.float64, steps=None):
    """A layer whose parameters all differ from zero."""
    layer = kind(units, return_sequences=return_sequences).build((steps, width), rng=0, dtype=dtype)
    layer.params += 0.3 * np.random.default_rng(1).normal(size=len(layer.params)).astype(dtype)
    return layer


@st.composite
def masked_batches(draw):
    n, steps = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    row = st.lists(st.booleans(), min_size=steps, max_size=steps)
    mask = np.array(draw(st.lists(row, min_size=n, max_size=n)))
    x = np.random.default_rng(draw(st.integers(0, 99))).normal(size=(n, steps, 2))
    return x, mask


@each_kind
@each_output
@settings(max_examples=25, deadline=None)
@given(masked_batches())
def test_masked_steps_might_as_well_not_be_there(kind, return_sequences, batch):
    x, mask = batch
    layer = built(kind, return_sequences=return_sequences)
    y = layer.forward(x, training=True, mask=mask)
    dy = np.random.default_rng(2).normal(size=y.shape)
    if return_sequences:
        dy[~mask] = 0
    dx = layer.backward(dy)
    expected_y, expected_dx = np.zeros_like(y), np.zeros_like(dx)
    grads = np.zeros_like(layer.grads)
    for i, counts in enumerate(mask):
        if not counts.any():
            continue  # the state stays at zero
        alone = layer.forward(x[i : i + 1, counts], training=True)[0]
        if return_sequences:
            expected_y[i, counts] = alone
            for t in np.flatnonzero(~counts):  # the state is handed on
                expected_y[i, t] = expected_y[i, t - 1] if t else 0
        else:
            expected_y[i] = alone
        mine = dy[i : i + 1, counts] if return_sequences else dy[i : i + 1]
        expected_dx[i, counts] = layer.backward(mine)[0]
        grads += layer.grads
    np.testing.assert_allclose(y, expected_y, rtol=0, atol=1e-12)
    np.testing.assert_allclose(dx, expected_dx, rtol=0, atol=1e-12)
    assert not dx[~mask].any()
    layer.forward(x, training=True, mask=mask)
    layer.backward(dy)
    np.testing.assert_allclose(layer.grads, grads, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(layer.forward(x, mask=mask), y)


@each_kind
@each_output
@settings(max_examples=15, deadline=None)
@given(masked_batches())
def test_masked_gradients_agree_with_central_differences(kind, return_sequences, batch):
    x, mask = batch
    layer = built(kind, return_sequences=return_sequences)
    y = layer.forward(x, training=True, mask=mask)
    rng = np.random.default_rng(3)
    dy, along_x, along_params = (rng.normal(size=a.shape) for a in (y, x, layer.params))
    computed = (layer.backward(dy) * along_x).sum() + (layer.grads * along_params).sum()
    start, step, losses = layer.params.copy(), 1e-5, []
    for sign in (1, -1):
        layer.params = start + sign * step * along_params
        losses.append((layer.forward(x + sign * step * along_x, mask=mask) * dy).sum())
    measured = (losses[0] - losses[1]) / (2 * step)
    assert abs(computed - measured) <= 1e-6 * max(1.0, abs(measured))


@each_kind
@each_output
@settings(max_examples=20, deadline=None)
@given(st.integers(1, 3), st.integers(1, 5), st.integers(1, 4), st.integers(1, 4), st.booleans())
def test_any_sizes_agree_with_loops(kind, return_sequences, n, steps, width, units, masked):
    layer = built(kind, units, width, return_sequences=return_sequences)
    rng = np.random.default_rng(n)
    x = rng.normal(size=(n, steps, width))
    mask = rng.random((n, steps)) < 0.6 if masked else None
    expected = recurrent.recurrent(layer, x, mask)
    np.testing.assert_allclose(layer.forward(x, mask=mask), expected, rtol=1e-12, atol=1e-14)


@each_kind
@each_output
def test_a_fully_masked_sequence_gives_zeros_and_no_gradient(kind, return_sequences):
    layer = built(kind, return_sequences=return_sequences)
    x = np.full((2, 4, 2), 1e30)
    y = layer.forward(x, training=True, mask=np.zeros((2, 4), bool))
    assert not y.any()
    assert not layer.backward(np.ones_like(y)).any()
    assert not layer.grads.any()


@each_kind
def test_the_last_output_is_the_last_of_the_sequence(kind):
    x = np.random.default_rng(0).normal(size=(3, 5, 2))
    mask = np.random.default_rng(0).random((3, 5)) < 0.5
    last, all_steps = built(kind), built(kind, return_sequences=True)
    np.testing.assert_array_equal(
        last.forward(x, mask=mask), all_steps.forward(x, mask=mask)[:, -1]
    )


@each_kind
def test_batches_of_other_lengths_and_sizes_in_turn(kind):
    layer, rng = built(kind, return_sequences=True), np.random.default_rng(0)
    for n, steps in ((2, 3), (5, 9), (1, 4), (5, 9), (3, 1)):
        x = rng.normal(size=(n, steps, 2))
        known = built(kind, return_sequences=True, steps=steps)
        y = layer.forward(x, training=True)
        np.testing.assert_array_equal(y, known.forward(x, training=True))
        np.testing.assert_array_equal(layer.backward(y), known.backward(y))
        np.testing.assert_array_equal(layer.grads, known.grads)


@each_kind
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_long_sequences_of_large_numbers_stay_finite(kind, dtype):
    layer = built(kind, dtype=dtype)
    x = (1e4 * np.random.default_rng(0).normal(size=(2, 500, 2))).astype(dtype)
    x[1] = 1e30
    y = layer.forward(x, training=True)
    assert (abs(y) <= 1).all() or kind is dl.LSTM
    dx = layer.backward(np.ones_like(y))
    assert np.isfinite(y).all()
    assert np.isfinite(dx).all()
    assert np.isfinite(layer.grads).all()


@each_kind
@pytest.mark.parametrize("scale", [0.0, 1e-300])
def test_no_or_tiny_input_leaves_what_the_biases_say(kind, scale):
    layer = built(kind, return_sequences=True)
    x = np.full((2, 4, 2), scale)
    expected = recurrent.recurrent(layer, 0 * x)
    np.testing.assert_allclose(layer.forward(x), expected, rtol=1e-13, atol=1e-16)


def test_lstm_by_hand():
    # Without weights the gates are constants, and c is a geometric sum: i g (1 - f^t) / (1 - f).
    layer = dl.LSTM(1, return_sequences=True).build((None, 1), rng=0, dtype=np.float64)
    layer.params *= 0
    layer.bias = [0.0, np.log(3.0), 1.0, -np.log(4.0)]  # i = 1/2, f = 3/4, g = tanh 1, o = 1/5
    t = np.arange(1, 7)
    c = 0.5 * np.tanh(1.0) * (1 - 0.75**t) / (1 - 0.75)
    np.testing.assert_allclose(layer(np.ones((1, 6, 1)))[0, :, 0], np.tanh(c) / 5, rtol=1e-14)


def test_gru_by_hand():
    # Without weights h goes from 0 to n, and after t steps a share z^t of the way is left.
    layer = dl.GRU(1, return_sequences=True).build((None, 1), rng=0, dtype=np.float64)
    layer.params *= 0
    layer.bias = [np.log(3.0), -np.log(2.0), 0.25]
    layer.recurrent_bias = [0.0, -np.log(2.0), 0.4]  # r = 3/4, z = 1/5, n = tanh(1/4 + 3/4 2/5)
    t = np.arange(1, 7)
    h = np.tanh(0.55) * (1 - 0.2**t)
    np.testing.assert_allclose(layer(np.ones((1, 6, 1)))[0, :, 0], h, rtol=1e-14)


@pytest.mark.parametrize(
    ("kind", "gates", "bias"),
    [(dl.SimpleRNN, 1, [0]), (dl.LSTM, 4, [0, 1, 0, 0]), (dl.GRU, 3, [0, 0, 0])],
)
def test_initial_values(kind, gates, bias):
    layer = kind(20).build((None, 30), rng=0, dtype=np.float64)
    assert layer.weight.shape == (30, gates * 20)
    limit = np.sqrt(6 / (30 + gates * 20))
    assert 0.95 * limit < abs(layer.weight).max() <= limit
    product = layer.recurrent_weight @ layer.recurrent_weight.T
    np.testing.assert_allclose(product, np.eye(20), atol=1e-12)
    np.testing.assert_array_equal(layer.bias, np.repeat(bias, 20))
    biases = sum(layer.gradients[name].size for name in layer.gradients if "bias" in name)
    assert (layer.decay_mask == 0).sum() == biases


def test_gru_has_a_second_bias():
    layer = dl.GRU(2).build((4, 3), rng=0)
    assert layer.recurrent_bias.tolist() == [0] * 6
    assert layer.params.size == 3 * 6 + 2 * 6 + 6 + 6


@each_kind
def test_a_step_of_training_takes_no_fresh_memory_for_its_steps(kind):
    layer, x = built(kind, units=8, steps=20), np.ones((4, 20, 2))
    for _ in range(2):
        dy = np.ones_like(layer.forward(x, training=True))
        first = {name: id(block) for name, block in layer._scratch.items()}
        layer.backward(dy)
    assert {name: id(block) for name, block in layer._scratch.items() if name in first} == first
    assert set(first) == {"columns", "gates", "da", "inputs"}


@each_kind
def test_copies_and_inference_keep_no_memory(kind):
    layer = built(kind)
    layer.forward(np.ones((2, 3, 2)))
    assert not layer._scratch
    layer.forward(np.ones((2, 3, 2)), training=True)
    assert layer._scratch
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), layer.replica()):
        assert not twin._scratch
        assert twin._scratch is not layer._scratch


@each_kind
@pytest.mark.parametrize("shape", [(5,), (4, 3, 2), ()])
def test_wrong_rank_is_explained(kind, shape):
    with pytest.raises(dl.ShapeError, match=r"\(3\): expected input of shape \(N, T, D\)") as error:
        kind(3).build(shape)
    assert "Put Embedding or Reshape before it." in str(error.value)


@each_kind
@pytest.mark.parametrize("units", [0, -1, 2.0, True, "4"])
def test_wrong_units_are_explained(kind, units):
    message = f"{kind.__name__}: units must be a whole number of at least 1, got"
    with pytest.raises(dl.ArgumentError, match=message):
        kind(units)


@each_kind
def test_wrong_masks_are_explained(kind):
    layer, x = built(kind), np.ones((2, 4, 2))
    with pytest.raises(dl.ShapeError, match=r"shape \(N, T\) = \(2, 4\), got \(2, 3\)"):
        layer.forward(x, mask=np.ones((2, 3), bool))
    with pytest.raises(dl.DTypeError, match=f"{kind.__name__}.*mask of booleans.*got float64"):
        layer.forward(x, mask=np.ones((2, 4)))


@each_kind
def test_a_sequence_of_another_width_is_explained(kind):
    with pytest.raises(dl.ShapeError, match=r"expected input of shape \(N, None, 2\)|\(N, T, 2\)"):
        built(kind).forward(np.ones((2, 4, 3)))
