"""Embedding: indices that are none, padding, and gradients by hand."""

import numpy as np
import pytest

import minidl as dl


def built(**options):
    return dl.Embedding(5, 2, **options).build((3,), rng=0, dtype=np.float64)


def test_gradients_of_the_same_index_add_up():
    layer = built()
    layer.forward(np.array([[1, 4, 1], [0, 1, 4]]), training=True)
    dy = np.arange(12.0).reshape(2, 3, 2)
    dx = layer.backward(dy)
    expected = [[6, 7], [0 + 4 + 8, 1 + 5 + 9], [0, 0], [0, 0], [2 + 10, 3 + 11]]
    np.testing.assert_array_equal(layer.gradients["weight"], expected)
    assert dx.dtype == np.float64
    np.testing.assert_array_equal(dx, np.zeros((2, 3)))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.int64, np.uint64])
def test_any_integers_will_do(dtype):
    layer, x = built(), np.array([[0, 3, 4], [2, 2, 1]], dtype)
    y = layer.forward(x, training=True)
    np.testing.assert_array_equal(y, layer.weight[x.astype(int)])
    layer.backward(np.ones_like(y))
    np.testing.assert_array_equal(layer.gradients["weight"][:, 0], [1, 1, 2, 1, 1])


def test_a_vocabulary_may_be_larger_than_the_integers_reach_or_of_one_word():
    x = np.array([0, 255], np.uint8)
    layer = dl.Embedding(300, 1).build((), rng=0)
    np.testing.assert_array_equal(layer(x), layer.weight[[0, 255]])
    assert dl.Embedding(1, 2).build((3,), rng=0)(np.zeros((2, 3), np.int64)).shape == (2, 3, 2)


def test_padding_is_zero_and_learns_nothing():
    layer = built(padding_index=3)
    x = np.array([[3, 1, 3], [3, 3, 3]])
    y = layer.forward(x, training=True)
    assert not y[x == 3].any()
    np.testing.assert_array_equal(y[0, 1], layer.weight[1])
    np.testing.assert_array_equal(layer.compute_mask(x), [[False, True, False], [False] * 3])
    layer.backward(np.ones_like(y))
    np.testing.assert_array_equal(layer.gradients["weight"][:, 0], [0, 1, 0, 0, 0])


def test_without_padding_there_is_no_mask():
    assert built().compute_mask(np.array([[0, 1, 2]])) is None
    assert not built().makes_mask
    assert built(padding_index=0).makes_mask
    assert built(padding_index=0).compute_mask(np.array([0, 1, 2])) is None  # no steps


def test_a_step_of_several_indices_counts_if_one_of_them_does():
    x = np.array([[[3, 3], [3, 1]], [[0, 3], [3, 3]]])  # (N, T, K)
    layer = built(padding_index=3)
    np.testing.assert_array_equal(layer.compute_mask(x), [[False, True], [True, False]])
    deeper = np.stack([x, np.full_like(x, 3)], axis=2)  # (N, T, 2, K)
    np.testing.assert_array_equal(layer.compute_mask(deeper), [[False, True], [True, False]])


def test_padding_of_steps_of_several_indices_changes_nothing():
    layers = [dl.Embedding(9, 2, padding_index=0), dl.Reshape((-1, 6)), dl.LSTM(3)]
    model = dl.Sequential(layers).build((None, 3), rng=0, dtype=np.float64)
    x = np.random.default_rng(0).integers(1, 9, (2, 4, 3))
    x[0, 2, 1:] = 0
    padded = np.concatenate([x, np.zeros((2, 2, 3), int)], axis=1)
    np.testing.assert_array_equal(model.predict(padded), model.predict(x))


def test_initial_values_are_small():
    weight = dl.Embedding(100, 50).build((), rng=0).weight
    assert 0.045 < abs(weight).max() <= 0.05
    assert (dl.Embedding(2, 2, weight_initializer=dl.Ones()).build((), rng=0).weight == 1).all()


def test_sequences_of_any_length():
    layer = dl.Embedding(4, 3).build((None,), rng=0)
    assert layer.output_shape((None,)) == (None, 3)
    for steps in (1, 6, 2):
        assert layer(np.ones((2, steps), np.int64)).shape == (2, steps, 3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, bool])
def test_other_than_integers_are_explained(dtype):
    layer = dl.Embedding(5, 2).build((3,), rng=0)
    with pytest.raises(dl.DTypeError, match=r"Embedding\(5, 2\).*expected.*got"):
        layer.forward(np.zeros((2, 3), dtype))
    with pytest.raises(dl.DTypeError, match=r"expected integers, .*float32.*astype\(np.int64\)"):
        layer.forward(np.zeros((2, 3), np.float32))


def test_floats_from_a_layer_before_are_explained():
    class Own(dl.Sequential):  # a plain Sequential refuses such layers
        def forward(self, x, *, training=False, out=None):
            return super().forward(x, training=training, out=out)

    model = Own([dl.Dense(3), dl.Embedding(5, 2)]).build((4,), rng=0)
    with pytest.raises(dl.DTypeError, match=r"in layer 1 of Own.*is the first layer of a"):
        model(np.ones((2, 4)))


@pytest.mark.parametrize(
    ("index", "training"), [(5, False), (-1, False), (7, True), (2**40, False), (-1, True)]
)
def test_an_index_out_of_range_is_explained(index, training):
    model = dl.Sequential([dl.Embedding(5, 2), dl.Flatten()]).build((3,), rng=0)
    x = np.array([[0, 4, 1], [0, 0, 4], [4, index, 0], [index, 0, 0]])
    message = (
        rf"Embedding\(5, 2\) in layer 0 of Sequential: expected indices from 0 to 4, got {index}"
    )
    with pytest.raises(dl.DataError, match=f"{message} in row 2 of this batch, position 1"):
        model.forward(x, training=training)


def test_an_index_out_of_range_among_single_indices_is_explained():
    layer = dl.Embedding(5, 2).build((), rng=0)
    with pytest.raises(
        dl.DataError, match=r"got 5 in row 1 of this batch\. Give a larger vocabulary_size"
    ):
        layer(np.array([4, 5]))


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((0, 2), {}, "vocabulary_size must be a whole number of at least 1, got 0"),
        ((2, 1.5), {}, "units must be a whole number of at least 1, got 1.5"),
        ((3, 2), {"padding_index": -1}, "padding_index must be a whole number of at least 0"),
        ((3, 2), {"padding_index": 3}, "padding_index must be below vocabulary_size 3, got 3"),
    ],
)
def test_wrong_arguments_are_explained(arguments, options, message):
    with pytest.raises(dl.ArgumentError, match=f"Embedding: {message}"):
        dl.Embedding(*arguments, **options)


def test_memory_is_filled_in_place_and_in_minidls_order():
    layer = dl.Embedding(5, 3).build((4, 2), rng=0)
    x = np.ones((6, 4, 2), np.int64)
    y = layer(x)
    assert y.transpose(3, 1, 2, 0).flags.c_contiguous  # batch-innermost, as images lie
    out = np.empty((6, 4, 2, 3), np.float32)
    assert layer._forward(x, training=True, out=out) is out
    np.testing.assert_array_equal(out, y)
    dx = np.full((6, 4, 2), np.nan, np.float32)
    assert layer._backward(y, out=dx) is dx
    assert not dx.any()
