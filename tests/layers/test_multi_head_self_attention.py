"""Attention under masks, at its edges, and by hand."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from references import attention

import minidl as dl
from minidl.layers import attention as softmax_attention


def built(heads, width, *, causal=False, dtype=np.float64, seed=0):
    """A layer with biases that are not zero."""
    layer = dl.MultiHeadSelfAttention(heads, causal=causal)
    layer.build((None, width), rng=seed, dtype=dtype)
    layer.params += 0.1 * np.random.default_rng(seed).normal(size=len(layer.params)).astype(dtype)
    return layer


@st.composite
def masked_batches(draw):
    heads, head_width = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    n, t = draw(st.integers(1, 3)), draw(st.integers(1, 5))
    layer = built(heads, heads * head_width, causal=draw(st.booleans()))
    steps = st.lists(st.booleans(), min_size=t, max_size=t)
    mask = draw(st.none() | st.lists(steps, min_size=n, max_size=n).map(np.array))
    x = np.random.default_rng(draw(st.integers(0, 99))).normal(size=(n, t, heads * head_width))
    return layer, x, mask


@settings(max_examples=40, deadline=None)
@given(masked_batches())
def test_any_mask_agrees_with_loops(drawn):
    layer, x, mask = drawn
    expected = attention.attention(layer, x, mask)
    np.testing.assert_allclose(layer.forward(x, mask=mask), expected, rtol=1e-12, atol=1e-13)
    np.testing.assert_array_equal(
        layer.forward(x, mask=mask), layer.forward(x, mask=mask, training=True)
    )


@settings(max_examples=25, deadline=None)
@given(masked_batches())
def test_gradients_under_any_mask_agree_with_central_differences(drawn):
    layer, x, mask = drawn
    rng = np.random.default_rng(1)
    dy, along_x, along_params = (
        rng.normal(size=shape) for shape in (x.shape, x.shape, layer.params.shape)
    )
    layer.forward(x, training=True, mask=mask)
    dx = layer.backward(dy)
    computed = (dx * along_x).sum() + (layer.grads * along_params).sum()
    start, step, losses = layer.params.copy(), 1e-5, []
    for sign in (1, -1):
        layer.params = start + sign * step * along_params
        losses.append((layer.forward(x + sign * step * along_x, mask=mask) * dy).sum())
    measured = (losses[0] - losses[1]) / (2 * step)
    assert abs(computed - measured) <= 1e-6 * max(1.0, abs(measured))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("causal", [False, True])
def test_a_fully_masked_sequence_gives_the_output_bias_and_no_gradient(causal, dtype):
    layer = built(2, 4, causal=causal, dtype=dtype)
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(dtype)
    mask = np.zeros((2, 3), bool)
    y = layer.forward(x, training=True, mask=mask)
    np.testing.assert_array_equal(y, np.broadcast_to(layer.output_bias, y.shape))
    dx = layer.backward(np.ones_like(y))
    assert not dx.any()
    for name in ("weight", "bias", "output_weight"):
        assert not layer.gradients[name].any(), name
    np.testing.assert_array_equal(layer.gradients["output_bias"], np.full(4, 6.0))


def test_a_masked_beginning_leaves_the_first_causal_queries_nothing():
    layer = built(2, 4, causal=True)
    x = np.random.default_rng(0).normal(size=(1, 4, 4))
    mask = np.array([[False, False, True, True]])
    y = layer.forward(x, training=True, mask=mask)
    np.testing.assert_array_equal(y[0, :2], np.broadcast_to(layer.output_bias, (2, 4)))
    np.testing.assert_allclose(y[:, 2:], layer.forward(x[:, 2:]), rtol=1e-12)
    layer.backward(np.ones_like(y))
    layer.forward(x, training=True, mask=mask)
    dy = np.ones_like(y)
    dy[:, 2:] = 0.0
    assert not layer.backward(dy).any()


def test_padding_changes_neither_outputs_nor_gradients():
    padded, short = built(2, 4), built(2, 4)
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(2, 6, 4)), rng.normal(size=(2, 6, 4))
    dy[:, 4:] = 0.0  # no loss at padded steps
    mask = np.broadcast_to(np.arange(6) < 4, (2, 6))
    y = padded.forward(x, training=True, mask=mask)
    np.testing.assert_allclose(y[:, :4], short.forward(x[:, :4], training=True), rtol=1e-12)
    dx = padded.backward(dy)
    np.testing.assert_allclose(dx[:, :4], short.backward(dy[:, :4]), rtol=1e-11, atol=1e-14)
    assert not dx[:, 4:].any()
    np.testing.assert_allclose(padded.grads, short.grads, rtol=1e-11, atol=1e-14)


def test_what_stands_at_masked_steps_does_not_matter():
    layer = built(2, 4)
    x = np.random.default_rng(0).normal(size=(1, 3, 4))
    mask = np.array([[True, False, True]])
    other = x.copy()
    other[0, 1] = 1e6
    np.testing.assert_array_equal(
        layer.forward(x, mask=mask)[:, [0, 2]], layer.forward(other, mask=mask)[:, [0, 2]]
    )


@pytest.mark.parametrize("t", range(5))
def test_causal_outputs_depend_on_no_later_step(t):
    layer = built(2, 4, causal=True)
    x = np.random.default_rng(0).normal(size=(2, 5, 4))
    other = x.copy()
    other[:, t] += 1.0
    changed = (layer.forward(x) != layer.forward(other)).any(axis=(0, 2))
    np.testing.assert_array_equal(changed, np.arange(5) >= t)


def test_without_causal_the_order_of_steps_does_not_matter():
    layer = built(2, 4)
    x = np.random.default_rng(0).normal(size=(1, 5, 4))
    order = [3, 0, 4, 1, 2]
    np.testing.assert_allclose(layer.forward(x[:, order]), layer.forward(x)[:, order], rtol=1e-12)


def test_two_steps_by_hand():
    layer = dl.MultiHeadSelfAttention(1).build((2, 1), dtype=np.float64)
    layer.weight, layer.output_weight = [[2.0, 1.0, 10.0]], [[3.0]]
    layer.bias, layer.output_bias = [0.0, 5.0, 0.0], [0.5]
    x = np.array([[[0.0], [1.0]]])
    # queries 0 and 2, keys 5 and 6, values 0 and 10; scores (0, 0) and (10, 12)
    expected = [0.5 + 3 * 10 / 2, 0.5 + 3 * 10 * np.e**2 / (1 + np.e**2)]
    np.testing.assert_allclose(layer(x)[0, :, 0], expected, rtol=1e-14)


def test_scores_are_divided_by_the_root_of_the_heads_width():
    layer = dl.MultiHeadSelfAttention(1).build((2, 4), dtype=np.float64)
    identity = np.eye(4)
    layer.weight, layer.output_weight = np.hstack([identity] * 3), identity
    x = np.array([[[2.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]])
    e = np.exp(4 / 2)  # scores 2 * 2 / sqrt(4) and 0
    np.testing.assert_allclose(layer(x)[0, 0], [2 * e / (1 + e), 1 / (1 + e), 0, 0], rtol=1e-14)


def test_equal_steps_are_their_own_mean():
    layer = built(2, 4)
    step = np.random.default_rng(0).normal(size=4)
    x = np.broadcast_to(step, (1, 6, 4))
    np.testing.assert_allclose(layer.forward(x), layer.forward(x[:, :1]).repeat(6, 1), rtol=1e-12)


@pytest.mark.parametrize("scale", [0.0, 1e-30, 1e4])
def test_zero_tiny_and_huge_inputs_stay_finite(scale):
    layer = built(2, 4, causal=True, dtype=np.float32)
    x = (scale * np.random.default_rng(0).normal(size=(2, 5, 4))).astype(np.float32)
    mask = np.array([[True] * 5, [False] * 2 + [True] * 3])
    y = layer.forward(x, training=True, mask=mask)
    dx = layer.backward(np.ones_like(y))
    assert y.dtype == dx.dtype == np.float32
    assert all(np.isfinite(a).all() for a in (y, dx, layer.grads))


def test_lengths_may_differ_from_call_to_call():
    layer = built(2, 4)
    for t in (1, 7, 3):
        x = np.random.default_rng(t).normal(size=(2, t, 4))
        expected = attention.attention(layer, x)
        np.testing.assert_allclose(layer.forward(x, training=True), expected, rtol=1e-12)
        assert layer.backward(x).shape == x.shape


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (1, [(i, j) for i in "012" for j in "01"]),  # of these, 72 bytes: 3 x 3 numbers
        (2 * 72 - 1, [(i, j) for i in "012" for j in "01"]),
        (2 * 72, [(i, "01") for i in "012"]),
        (4 * 72 - 1, [(i, "01") for i in "012"]),
        (4 * 72, [("01", "01"), ("2", "01")]),
        (100 * 72, [("012", "01")]),
    ],
)
def test_weights_are_computed_in_pieces_that_fit_the_bound(size, expected, monkeypatch):
    monkeypatch.setattr(softmax_attention, "PIECE_BYTES", size)
    found = softmax_attention.pieces(np.zeros((3, 2, 3, 5)))  # (N, H, T, d)
    assert found == [
        (slice(int(i[0]), int(i[-1]) + 1), slice(int(j[0]), int(j[-1]) + 1)) for i, j in expected
    ]


@pytest.mark.parametrize("size", [1, 2 * 4 * 25 * 8])
@pytest.mark.parametrize("causal", [False, True])
def test_pieces_change_no_bit(causal, size, monkeypatch):
    layer, rng = built(2, 4, causal=causal), np.random.default_rng(0)
    x, dy = rng.normal(size=(2, 3, 5, 4))
    mask = np.array([[True] * 5, [False, True, True, False, True], [False] * 5])
    results = []
    for bound in (2**21, size):
        monkeypatch.setattr(softmax_attention, "PIECE_BYTES", bound)
        results.append([layer.forward(x, mask=mask), layer.forward(x, mask=mask, training=True)])
        results[-1] += [layer.backward(dy), layer.grads.copy()]
    for once, in_pieces in zip(*results, strict=True):
        np.testing.assert_array_equal(in_pieces, once)


def test_inference_keeps_no_weights_of_the_whole_batch():
    layer = built(2, 4, dtype=np.float32)
    x = np.zeros((32, 256, 4), np.float32)  # weights of 16 MiB
    tracemalloc.start()
    layer.forward(x)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * softmax_attention.PIECE_BYTES


def test_parameters_and_their_start():
    layer = dl.MultiHeadSelfAttention(2).build((3, 32), rng=0)
    assert {k: g.shape for k, g in layer.gradients.items()} == {
        "weight": (32, 96),
        "bias": (96,),
        "output_weight": (32, 32),
        "output_bias": (32,),
    }
    assert not layer.bias.any()
    assert not layer.output_bias.any()
    limits = np.sqrt(6 / (32 + 96)), np.sqrt(6 / (32 + 32))  # Glorot's
    for weight, limit in zip((layer.weight, layer.output_weight), limits, strict=True):
        assert 0.98 * limit < np.abs(weight).max() <= limit
    decayed = layer.decay_mask
    assert decayed.sum() == layer.weight.size + layer.output_weight.size


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (
            dl.MultiHeadSelfAttention(2),
            (4,),
            r"MultiHeadSelfAttention\(2\): expected input of shape \(N, T, D\), T steps of D "
            r"numbers, got \(N, 4\)\. Put Embedding or Reshape before it",
        ),
        (dl.MultiHeadSelfAttention(2), (2, 3, 4), r"got \(N, 2, 3, 4\)"),
        (
            dl.MultiHeadSelfAttention(4),
            (None, 6),
            r"a multiple of heads=4, got \(N, T, 6\)\. 6 channels can be cut into 1, 2, 3, 6 heads",
        ),
    ],
)
def test_shapes_that_do_not_fit_are_refused_at_build(layer, shape, message):
    with pytest.raises(dl.ShapeError, match=message):
        layer.build(shape)


@pytest.mark.parametrize("heads", [0, 2.0, True, None])
def test_heads_must_be_a_whole_number(heads):
    with pytest.raises(
        dl.ArgumentError, match="MultiHeadSelfAttention: heads must be a whole number of at least 1"
    ):
        dl.MultiHeadSelfAttention(heads)


def test_masks_must_fit():
    layer, x = built(2, 4), np.zeros((2, 3, 4))
    with pytest.raises(dl.ShapeError, match=r"expected a mask of shape \(N, T\) = \(2, 3\)"):
        layer.forward(x, mask=np.ones((2, 4), bool))
    with pytest.raises(dl.DTypeError, match="expected a mask of booleans, True where a step"):
        layer.forward(x, mask=np.ones((2, 3)))
