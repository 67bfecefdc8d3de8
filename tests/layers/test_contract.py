"""The layer contract, one test a rule, over every case of tests/cases.py."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from cases import CASES, nested

import minidl as dl

each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
FLOATING = {name: case for name, case in CASES.items() if not case.integers}
each_floating_case = pytest.mark.parametrize("case", FLOATING.values(), ids=FLOATING.keys())
each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["f32", "f64"])
each_n = pytest.mark.parametrize("n", [1, 2, 7])
each_memory = pytest.mark.parametrize("strided", [False, True], ids=["contiguous", "strided"])


def tolerance(dtype):
    return {"rtol": 1e-5, "atol": 1e-6} if dtype == np.float32 else {"rtol": 1e-12, "atol": 1e-14}


def laid_out(x, strided):
    """The same numbers in other memory: every second row of a reversed block."""
    if not strided:
        return x
    block = np.zeros((2 * len(x), *x.shape[1:][::-1]), x.dtype)
    view = block.transpose(0, *range(x.ndim - 1, 0, -1))[::2]
    view[...] = x
    return view


def poisoned(shape, dtype):
    """Buffers full of NaN: contiguous, a slice of a larger one, transposed."""
    yield np.full(shape, np.nan, dtype)
    yield np.full([2 * length for length in shape], np.nan, dtype)[
        tuple(slice(1, None, 2) for _ in shape)
    ]
    yield np.full(shape[::-1], np.nan, dtype).T


def same_draws(case, dtype, n_passes=1):
    """Models whose random layers draw alike."""
    return [case.build(dtype) for _ in range(n_passes)]


@each_case
@each_dtype
@each_n
@each_memory
def test_forward_agrees_with_the_reference(case, dtype, n, strided):
    model = case.build(dtype)
    x = case.inputs(n, dtype)
    y = model.forward(laid_out(x, strided))
    assert y.dtype == dtype
    assert y.shape == (n, *model.output_shape(case.input_shape))
    np.testing.assert_allclose(y, case.reference(model, x), **tolerance(dtype))


@each_case
@each_dtype
@each_n
@each_memory
def test_backward_is_the_same_for_any_memory(case, dtype, n, strided):
    plain, other = same_draws(case, dtype, 2)
    x = case.inputs(n, dtype)
    y = plain.forward(x, training=True)
    dy = np.random.default_rng(1).normal(size=y.shape).astype(dtype)
    dx = plain.backward(dy)
    other.forward(laid_out(x, strided), training=True)
    other_dx = other.backward(laid_out(dy, strided))
    assert dx.shape == x.shape
    assert dx.dtype == dtype
    np.testing.assert_allclose(other_dx, dx, **tolerance(dtype))
    np.testing.assert_allclose(other.grads, plain.grads, **tolerance(dtype))


@each_case
@each_dtype
def test_gradients_agree_with_central_differences(case, dtype):
    report = dl.check_layer(case.make(), case.input_shape, inputs=case.inputs(3, dtype))
    assert report.worst <= 1e-6


@each_case
def test_gradients_agree_with_central_differences_along_random_directions(case):
    # an implementation of its own, so that check_layer does not vouch for itself
    x, step = case.inputs(4), 1e-6
    rng = np.random.default_rng(5)
    model = case.build()
    with model.preserved():
        u = rng.normal(size=model.forward(x, training=True).shape)
    with model.preserved():
        model.forward(x, training=True)
        dx, grads = model.backward(u), model.grads.copy()
    for _ in range(3):
        v = 0 * x if case.integers else rng.normal(size=x.shape)
        w = rng.normal(size=model.params.shape)
        values = []
        for sign in (1, -1):
            with model.preserved():
                model.params += sign * step * w
                moved = x if case.integers else x + sign * step * v
                values.append(model.forward(moved, training=True))
        measured = (u * (values[0] - values[1])).sum() / (2 * step)
        computed = (v * dx).sum() + (w * grads).sum()
        assert abs(measured - computed) <= 1e-6 * max(abs(measured), 1.0)


@each_case
@each_dtype
def test_arguments_are_only_read(case, dtype):
    model, x = case.build(dtype), case.inputs(2, dtype)
    x.flags.writeable = False
    y = model.forward(x, training=True)
    dy = np.ones_like(y)
    dy.flags.writeable = False
    model.backward(dy)
    model.forward(x)


@each_case
@each_dtype
def test_a_given_out_is_filled(case, dtype):
    x = case.inputs(3, dtype)
    first = case.build(dtype)
    y = first.forward(x, training=True)
    dy = np.random.default_rng(2).normal(size=y.shape).astype(dtype)
    dx = first.backward(dy)
    for y_out, dx_out in zip(poisoned(y.shape, dtype), poisoned(x.shape, dtype), strict=True):
        model = case.build(dtype)
        assert model.forward(x, training=True, out=y_out) is y_out
        np.testing.assert_allclose(y_out, y, **tolerance(dtype))
        assert model.backward(dy, out=dx_out) is dx_out
        np.testing.assert_allclose(dx_out, dx, **tolerance(dtype))
        np.testing.assert_allclose(model.grads, first.grads, **tolerance(dtype))
        inference = np.full_like(y_out, np.nan)
        assert model.forward(x, out=inference) is inference
        np.testing.assert_array_equal(inference, model.forward(x))


@each_case
def test_out_must_fit(case):
    model, x = case.build(), case.inputs(2)
    with pytest.raises(dl.ShapeError, match="expected out of shape"):
        model.forward(x, out=np.empty((1, 77)))
    with pytest.raises(dl.ShapeError, match="expected out of shape"):
        model.forward(x, out=np.empty_like(model.forward(x), dtype=np.float32))


@each_case
def test_a_returned_array_belongs_to_the_user(case):
    model, other = same_draws(case, np.float64, 2)
    x = case.inputs(3)
    y = model.forward(x, training=True)
    kept = y.copy()
    y[...] = 7.0  # must not reach what backward uses
    dy = np.ones_like(y)
    dx = model.backward(dy)
    kept_dx = dx.copy()
    other.forward(x, training=True)
    np.testing.assert_array_equal(other.backward(dy), dx)
    np.testing.assert_array_equal(other.grads, model.grads)
    assert not np.shares_memory(y, x)
    assert not np.shares_memory(dx, dy)
    model.forward(case.inputs(3, seed=9), training=True)  # must not overwrite what was returned
    model.backward(dy)
    np.testing.assert_array_equal(dx, kept_dx)
    inference = model.forward(x)
    assert not np.shares_memory(inference, x)
    assert kept.shape == inference.shape


@each_case
def test_inference_keeps_nothing(case):
    model, x = case.build(), case.inputs(2)
    first = model.forward(x)
    with pytest.raises(dl.StateError, match="needs a training forward before it"):
        model.backward(np.ones_like(first))
    np.testing.assert_array_equal(model.forward(x), first)
    assert all(layer._saved is None for layer in model.walk())


@each_case
def test_inference_does_not_disturb_a_training_pass(case):
    model, other = same_draws(case, np.float64, 2)
    x = case.inputs(3)
    dy = np.ones_like(model.forward(x, training=True))
    other.forward(x, training=True)
    model.forward(case.inputs(5, seed=4))
    model.predict(case.inputs(3, seed=4))
    np.testing.assert_array_equal(model.backward(dy), other.backward(dy))


@each_case
def test_backward_runs_once_for_each_training_forward(case):
    model, x = case.build(), case.inputs(2)
    dy = np.ones_like(model.forward(x, training=True))
    with pytest.raises(dl.StateError, match="expected dy of shape"):
        model.backward(np.ones((2, 77)))
    with pytest.raises(dl.StateError, match="expected dy of shape"):
        model.backward(dy[:1])
    model.backward(dy)  # the wrong calls before have lost nothing
    with pytest.raises(dl.StateError, match="needs a training forward before it"):
        model.backward(dy)


@each_case
def test_backward_overwrites_gradients(case):
    x = case.inputs(3)
    model, other = same_draws(case, np.float64, 2)
    dy = np.ones_like(model.forward(x, training=True))
    other.forward(x, training=True)
    model.grads = np.full_like(model.grads, np.nan)
    model.backward(dy)
    other.backward(dy)
    np.testing.assert_array_equal(model.grads, other.grads)


@each_case
def test_without_input_grad_parameters_get_the_same_gradient(case):
    x = case.inputs(3)
    model, other = same_draws(case, np.float64, 2)
    dy = np.ones_like(model.forward(x, training=True))
    other.forward(x, training=True)
    model.backward(dy)
    assert other.backward(dy, input_grad=False) is None
    np.testing.assert_array_equal(model.grads, other.grads)


@each_case
def test_rows_are_independent_unless_declared(case):
    model, x = case.build(), case.inputs(7)
    if not model.couples_rows:
        rows = [model.forward(x[i : i + 1])[0] for i in range(7)]
        np.testing.assert_allclose(rows, model.forward(x), rtol=1e-12, atol=1e-14)


@each_case
def test_forward_needs_build(case):
    with pytest.raises(dl.StateError, match=r"is not built. Call build\(input_shape\)"):
        case.make().forward(case.inputs(2))
    with pytest.raises(dl.StateError, match="is not built"):
        case.make().predict(case.inputs(2))


@each_case
def test_build_runs_once(case):
    with pytest.raises(dl.StateError, match="is built already"):
        case.build().build(case.input_shape)


@each_floating_case
def test_wrong_input_is_refused(case):
    model, x = case.build(np.float32), case.inputs(2, np.float32)
    with pytest.raises(dl.ShapeError, match="expected input of shape"):
        model.forward(np.zeros((2, 77), np.float32))
    with pytest.raises(dl.ShapeError, match="without the batch axis: use x"):
        model.forward(x[0])
    with pytest.raises(dl.ShapeError, match="at least one row"):
        model.forward(x[:0])
    with pytest.raises(dl.DTypeError, match="expected dtype float32, got float64"):
        model.forward(x.astype(np.float64))
    with pytest.raises(dl.DTypeError, match=r"x.astype\(np.float32\) / 255"):
        model.forward(x.astype(np.uint8))
    with pytest.raises(dl.DTypeError, match="expected a NumPy array, got list"):
        model.forward(x.tolist())
    with pytest.raises(dl.DTypeError, match="expected dtype float32, got complex"):
        model.predict(x.astype(complex))


@each_floating_case
def test_predict_converts_floating_input_and_cuts_it_into_batches(case):
    model = case.build(np.float32)
    x = case.inputs(7)
    whole = model.predict(x)
    assert whole.dtype == np.float32
    for batch_size in (1, 3, 100):
        parts = model.predict(x.astype(np.float32), batch_size=batch_size)
        np.testing.assert_allclose(parts, whole, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(model(x), whole)


@each_case
def test_parameters_are_views_of_the_vectors(case):
    model = case.build()
    for layer in model.walk():
        for spec in layer.bound.plan.specs:
            view = getattr(layer, spec.name)
            assert np.shares_memory(view, model.params)
            assert np.shares_memory(layer.gradients[spec.name], model.grads)
            setattr(layer, spec.name, np.full(spec.shape, 3.0))
            assert getattr(layer, spec.name) is view
            assert (view == 3.0).all()
            with pytest.raises(dl.ShapeError, match="Assignment copies"):
                setattr(layer, spec.name, np.zeros((9, 9, 9)))
    if model.params.size:
        assert (model.params == 3.0).all()
    model.params *= 0
    assert not model.params.any()


@each_case
def test_deepcopy_of_a_model_is_built_and_independent(case):
    model, x = case.build(), case.inputs(3)
    model.forward(x, training=True)  # saved state and buffers are not to be copied
    twin = copy.deepcopy(model)
    np.testing.assert_array_equal(twin.forward(x), model.forward(x))
    with pytest.raises(dl.StateError, match="needs a training forward"):
        twin.backward(np.ones_like(twin.forward(x)))
    before = model.params.copy()
    twin.params = twin.params + 1
    np.testing.assert_array_equal(model.params, before)
    for layer in twin.walk():
        for spec in layer.bound.plan.specs:
            assert np.shares_memory(getattr(layer, spec.name), twin.params)


@each_case
def test_pickled_model_goes_on_where_it_was(case):
    model, x = case.build(), case.inputs(3)
    model.forward(x, training=True)
    twin = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(twin.forward(x), model.forward(x))
    dy = np.ones_like(twin.forward(x, training=True))  # random layers draw on alike
    model.forward(x, training=True)
    np.testing.assert_array_equal(twin.backward(dy), model.backward(dy))
    np.testing.assert_array_equal(twin.grads, model.grads)


@each_case
def test_a_copied_inner_layer_keeps_its_values_in_a_new_model(case):
    outer = dl.Sequential([case.make(), dl.Flatten()]).build(case.input_shape, rng=3)
    for copied in (copy.deepcopy(outer.layers[0]), pickle.loads(pickle.dumps(outer.layers[0]))):
        assert not copied.built
        model = dl.Sequential([copied, dl.Flatten()]).build(case.input_shape, rng=4)
        np.testing.assert_array_equal(model.layers[0].params, outer.layers[0].params)
    with pytest.raises(dl.StateError, match=r"belongs to a model already.*copy.deepcopy"):
        dl.Sequential([outer.layers[0]]).build(case.input_shape)


@each_case
def test_replicas_share_parameters_and_nothing_else(case):
    model, x = case.build(), case.inputs(3)
    replica = model.replica()
    assert np.shares_memory(replica.params, model.params) or not model.params.size
    assert not np.shares_memory(replica.grads, model.grads)
    np.testing.assert_array_equal(replica.forward(x), model.forward(x))
    y = model.forward(x, training=True)
    replica.forward(case.inputs(5, seed=3), training=True)
    other = case.build()
    other.forward(x, training=True)
    np.testing.assert_array_equal(model.backward(np.ones_like(y)), other.backward(np.ones_like(y)))


@each_case
def test_inference_runs_in_several_threads_at_once(case):
    model = case.build()
    batches = [case.inputs(n, seed=n) for n in range(1, 21)]
    expected = [model.forward(x) for x in batches]
    with ThreadPoolExecutor(4) as pool:
        for y, right in zip(pool.map(model.forward, batches), expected, strict=True):
            np.testing.assert_array_equal(y, right)


@each_case
def test_two_training_passes_at_once_are_refused(case):
    model, x = case.build(), case.inputs(2)
    model.forward(x, training=True)
    with (
        ThreadPoolExecutor(1) as pool,
        pytest.raises(dl.StateError, match=r"two training passes at once.*replica"),
    ):
        pool.submit(model.forward, x, training=True).result()


@each_case
def test_config_makes_the_same_layer(case):
    layer = case.make()
    twin = type(layer)(**layer.config())
    assert repr(twin) == repr(layer)
    assert not twin.built


@each_case
def test_same_seed_same_values_and_draws(case):
    x = case.inputs(4)
    first, second, other = case.build(rng=0), case.build(rng=0), case.build(rng=1)
    np.testing.assert_array_equal(first.params, second.params)
    np.testing.assert_array_equal(first.forward(x, training=True), second.forward(x, training=True))
    if case.random:
        assert (first.forward(x, training=True) != other.forward(x, training=True)).any()
    if np.ptp(first.params) if first.params.size else 0:
        assert (first.params != other.params).any()


@each_floating_case
def test_nested_gradients_agree_with_central_differences(case):
    x = np.random.default_rng(8).normal(size=(3, 4))
    assert dl.check_layer(nested(case), (4,), inputs=x).worst <= 1e-6


@each_floating_case
@each_dtype
def test_nested_after_a_larger_batch_of_other_data(case, dtype):
    rng = np.random.default_rng(8)
    large, small = (rng.normal(size=(n, 4)).astype(dtype) for n in (7, 3))
    used, fresh = (nested(case).build((4,), rng=0, dtype=dtype) for _ in range(2))
    with used.preserved():
        used.backward(np.ones_like(used.forward(large, training=True)))
    y = used.forward(small, training=True)
    np.testing.assert_array_equal(y, fresh.forward(small, training=True))
    np.testing.assert_array_equal(used.backward(y), fresh.backward(y))
    np.testing.assert_array_equal(used.grads, fresh.grads)
