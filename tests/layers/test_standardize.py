"""Preprocessing that is a part of the model."""

import copy
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import minidl as dl
from minidl.layers import moments

X = np.random.default_rng(0).normal([10.0, -3.0, 1e4], [2.0, 0.1, 1.0], size=(200, 3))


def test_by_hand():
    layer = dl.Standardize().adapt([[1, 10], [3, 10], [5, 70]]).build((2,), dtype=np.float64)
    np.testing.assert_allclose(layer.mean, [3.0, 30.0])
    np.testing.assert_allclose(layer.std, [(8 / 3) ** 0.5, 800**0.5])
    y = layer.forward(np.array([[3.0, 58.284271247461902]]), training=True)
    np.testing.assert_allclose(y, [[0.0, 1.0]], atol=1e-15)
    np.testing.assert_allclose(
        layer.backward(np.ones((1, 2))), [[(3 / 8) ** 0.5, (1 / 800) ** 0.5]]
    )


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(1, 4), min_size=2, max_size=4),
    st.sampled_from([np.float32, np.float64, np.float16, np.int8, np.uint16, np.bool_]),
    st.sampled_from([1, 7, 10_000]),
)
def test_mean_and_deviation_of_any_data_in_any_blocks(shape, dtype, block):
    x = (10 * np.random.default_rng(1).normal(3.0, size=shape)).astype(dtype)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moments, "BLOCK", block)
        layer = dl.Standardize().adapt(x).build(tuple(shape[1:]), dtype=np.float64)
    rows = x.reshape(-1, shape[-1]).astype(float)
    spread = np.ptp(rows, axis=0) > 0
    np.testing.assert_allclose(layer.mean, rows.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(layer.std, np.where(spread, rows.std(axis=0), 1.0), rtol=1e-12)


@pytest.mark.parametrize("shape", [(3,), (5, 3), (4, 2, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_its_data_comes_out_with_mean_0_and_deviation_1(shape, dtype):
    x = np.random.default_rng(0).normal([10.0, -3.0, 0.5], [2.0, 0.1, 9.0], size=(40, *shape))
    x = x.astype(dtype)
    for layer in (
        dl.Standardize().adapt(x).build(shape, dtype=dtype),
        dl.Standardize().build(shape, dtype=dtype).adapt(x),
    ):
        rows = layer(x).reshape(-1, 3).astype(float)
        np.testing.assert_allclose(rows.mean(axis=0), 0, atol=1e-4)
        np.testing.assert_allclose(rows.std(axis=0), 1, rtol=1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_constant_features_become_0(dtype):
    x = np.tile(np.array([0.1, 1e8 / 3, 0.0, 1e-45, 1.0], dtype), (1000, 1))
    layer = dl.Standardize().adapt(x).build((5,), dtype=dtype)
    np.testing.assert_array_equal(layer(x), np.zeros_like(x))
    np.testing.assert_array_equal(layer.std, np.ones(5))
    assert layer(x + 2)[0, 4] == 2.0


def test_the_smallest_deviation_of_float32_is_one():
    tiny = float(np.finfo(np.float32).tiny)
    layer = dl.Standardize().adapt([[-tiny], [tiny]]).build((1,))
    assert layer.std.tolist() == [tiny]


def test_tiny_and_huge_features():
    x = np.outer([1.0, 2.0, 3.0], [1e-45, 1e-30, 1e30, 3e37])
    layer = dl.Standardize().adapt(x).build((4,))
    y = layer(x.astype(np.float32))
    assert np.isfinite(y).all()
    np.testing.assert_allclose(y[:, 1:], np.outer([-1, 0, 1], [1.5**0.5] * 3), atol=1e-4)
    with pytest.raises(dl.DataError, match=r"Standardize\(\): adapt: squares overflow in column 2"):
        dl.Standardize().adapt(1e170 * x)


def test_data_larger_than_memory_is_streamed(tmp_path):
    x = np.memmap(tmp_path / "x.bin", np.int16, "w+", shape=(60_000, 250))  # 30 MB, 120 as float64
    x[:] = np.arange(250)
    x[::2] += 10
    tracemalloc.start()
    layer = dl.Standardize().adapt(x)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40e6
    layer.build((250,))
    np.testing.assert_allclose(layer.mean, np.arange(250) + 5.0)
    np.testing.assert_allclose(layer.std, 5.0)


@pytest.mark.parametrize(("block", "rows"), [(30, [10, 10]), (31, [10, 10]), (1, [1] * 20)])
def test_data_are_read_in_blocks_of_so_many_numbers(monkeypatch, block, rows):
    seen = []
    monkeypatch.setattr(moments, "BLOCK", block)
    monkeypatch.setattr(moments, "is_finite", lambda part: seen.append(len(part)) is None)
    dl.Standardize().adapt(X[:20])
    assert seen == rows


@pytest.mark.parametrize("built", [False, True])
@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (np.ones((0, 3)), dl.DataError, r"adapt: expected at least one row, got shape \(0, 3\)"),
        (np.ones(3), dl.ShapeError, r"adapt: expected data of shape .* got \(3,\)\. Features lie"),
        (sparse.csr_array(np.eye(3)), dl.DTypeError, r"adapt: x must be an array, got .*toarray"),
        (np.array([["a", "b", "c"]]), dl.DTypeError, "adapt: expected real numbers, got dtype <U1"),
        (np.ones((4, 3)) * 1j, dl.DTypeError, "adapt: expected real numbers, got dtype complex128"),
        ([[1, 2, 3], [4, np.nan, 6]], dl.DataError, "adapt: x has NaN in row 1, column 1"),
        ([[1, 2, np.inf], [4, 5, 6]], dl.DataError, "adapt: x has infinity in row 0, column 2"),
    ],
)
def test_wrong_data(x, error, message, built):
    layer = dl.Standardize().build((3,)) if built else dl.Standardize()
    with pytest.raises(error, match=rf"Standardize\(\): {message}"):
        layer.adapt(x)


def test_values_that_float32_does_not_tell_apart_are_refused():
    eps = np.finfo(np.float32).eps
    times = 1.7e9 + np.random.default_rng(0).uniform(0, 30, (100, 1))
    fits = np.tile([[-2.0 + 32 * eps, 3.0], [-2.0 - 32 * eps, 3.0]], (10, 1))
    narrow = np.tile([[0.0, -2.0 + 31 * eps], [1.0, -2.0 - 31 * eps]], (10, 1))
    for make in (dl.Standardize, lambda: dl.Standardize().build((1,))):
        with pytest.raises(
            dl.DataError, match=r"column 0 has mean 1.7e\+09 and deviation 9.09.*Subtract an origin"
        ):
            make().adapt(times)
    with pytest.raises(dl.DataError, match="column 1 has mean -2 and deviation"):
        dl.Standardize().adapt(narrow)
    assert dl.Standardize().adapt(fits).build((2,)).std[1] == 1
    layer = dl.Standardize().build((1,), dtype=np.float64).adapt(times)
    assert abs(layer(times).std() - 1) < 1e-6
    layer = dl.Standardize().adapt(times - times.min(axis=0)).build((1,))
    assert len(np.unique(layer((times - times.min(axis=0)).astype(np.float32)))) > 90


def test_nan_in_a_later_block_is_named_by_its_row(monkeypatch):
    monkeypatch.setattr(moments, "BLOCK", 30)
    x = X.copy()
    x[[77, 78], 2] = np.nan
    with pytest.raises(dl.DataError, match="NaN in rows 77, 78, column 2"):
        dl.Standardize().adapt(x)


def test_another_number_of_features():
    model = dl.Sequential([dl.Standardize().adapt(X), dl.Dense(1)])
    with pytest.raises(
        dl.ShapeError,
        match=r"Standardize\(\) in layer 0 of Sequential: expected 3 features, as in the data that "
        r"it was adapted to, got \(N, 4\)",
    ):
        model.build((4,))
    layer = dl.Standardize().build((4,))
    with pytest.raises(dl.ShapeError, match=r"expected data of shape \(N, 4\), got \(200, 3\)"):
        layer.adapt(X)


def test_without_adapt_forward_says_so():
    model = dl.Sequential([dl.Standardize(), dl.Dense(1)]).build((3,), rng=0)
    x = X.astype(np.float32)
    with pytest.raises(
        dl.StateError, match=r"Standardize\(\) in layer 0 of Sequential: does not know.*adapt\(x\)"
    ):
        model.predict(x)
    with pytest.raises(dl.StateError, match="Call adapt"):
        dl.Trainer(model, dl.MeanSquaredError(), dl.SGD(0.1)).fit(x, x[:, :1], epochs=1)


def test_a_single_deviation_of_0_is_refused_too():
    layer = dl.Standardize().build((3,))
    layer.std = [1.0, 0.0, 1.0]
    with pytest.raises(dl.StateError, match="does not know"):
        layer.forward(np.ones((2, 3), np.float32))


def test_inside_a_model_too_backward_needs_a_forward():
    model = dl.Sequential([dl.Standardize().adapt(X)]).build((3,))
    with pytest.raises(dl.StateError, match="backward needs a training forward"):
        model.layers[0].backward(np.ones((1, 3), np.float32))


def test_a_model_that_gets_its_state_needs_no_adapt():
    def make():
        return dl.Sequential([dl.Standardize(), dl.Dense(1)])

    source = make().build((3,), rng=0)
    source.layers[0].adapt(X)
    loaded = make().build((3,), rng=1)
    loaded.params, loaded.state = source.params, source.state
    x = X.astype(np.float32)
    np.testing.assert_array_equal(loaded.predict(x), source.predict(x))


@pytest.mark.parametrize("built", [False, True])
def test_copies_carry_what_was_measured(built):
    layer = dl.Standardize().adapt(X)
    if built:
        layer.build((3,))
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), layer.detached_copy()):
        assert twin is not layer
        model = twin if twin.built else twin.build((3,))
        np.testing.assert_allclose(model.mean, X.mean(axis=0), rtol=1e-6)
        np.testing.assert_allclose(model.std, X.std(axis=0), rtol=1e-5)
        model.adapt(2 * X)
        again = layer if built else copy.deepcopy(layer).build((3,))
        np.testing.assert_allclose(again.mean, X.mean(axis=0), rtol=1e-6)


def test_adapted_again_it_takes_the_new_data():
    layer = dl.Standardize().adapt(X).adapt(X + 1)
    np.testing.assert_allclose(layer.build((3,)).mean, X.mean(axis=0) + 1, rtol=1e-6)
    np.testing.assert_allclose(layer.adapt(X).mean, X.mean(axis=0), rtol=1e-6)


def test_training_leaves_it_alone_and_batches_may_be_cut_into_chunks():
    def objective(**options):
        layers = [dl.Standardize().adapt(X), dl.Dense(4), dl.Tanh(), dl.Dense(1)]
        model = dl.Sequential(layers).build((3,), rng=0, dtype=np.float64)
        return dl.Objective(model, dl.MeanSquaredError(), **options)

    whole, chunked, threads = (
        objective(),
        objective(chunk_rows=32),
        objective(chunk_rows=32, workers=2),
    )
    assert chunked.chunked
    assert threads.chunked
    y = np.sin(X[:, :1])
    expected, grads = whole.value_and_grad(X, y)
    for other in (chunked, threads):
        value, other_grads = other.value_and_grad(X, y)
        assert value == pytest.approx(expected, rel=1e-12)
        np.testing.assert_allclose(other_grads, grads, rtol=1e-10, atol=1e-13)
    np.testing.assert_array_equal(chunked.model.state, whole.model.state)
    np.testing.assert_allclose(whole.model.state, [*X.mean(axis=0), *X.std(axis=0)])


def test_it_makes_features_of_different_scale_learnable():
    rng = np.random.default_rng(0)
    x = X.astype(np.float32)
    y = ((X - X.mean(axis=0)) / X.std(axis=0)).sum(axis=1, keepdims=True).astype(np.float32)
    model = dl.Sequential([dl.Standardize().adapt(x), dl.Dense(1)]).build((3,), rng=0)
    trainer = dl.Trainer(model, dl.MeanSquaredError(), dl.SGD(0.1), rng=rng)
    assert trainer.fit(x, y, epochs=20)["loss"][-1] < 1e-4


def test_check_layer_takes_an_adapted_one():
    assert dl.check_layer(dl.Standardize().adapt(X), (3,)).worst < 1e-6
