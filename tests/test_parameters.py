import copy
import pickle

import numpy as np
import pytest

import minidl as dl
from minidl.parameters import Gradients, carve, copy_into, total_size

SPECS = [
    dl.ParameterSpec("weight", (2, 3), dl.Zeros()),
    dl.ParameterSpec("scale", (), dl.Ones()),
    dl.ParameterSpec("bias", (3,), dl.Zeros(), decay=False),
]


def test_a_vector_is_cut_into_views_in_order():
    vector = np.arange(10.0)
    views = carve(vector, SPECS)
    assert total_size(SPECS) == 10
    assert views["weight"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert views["scale"].shape == ()
    assert views["bias"].tolist() == [7, 8, 9]
    assert all(np.shares_memory(view, vector) for view in views.values())


def test_copying_needs_the_exact_shape_and_real_numbers():
    view = np.zeros(3, np.float32)
    copy_into(view, [1, 2, 3], "w")
    assert view.tolist() == [1, 2, 3]
    with pytest.raises(dl.ShapeError, match=r"w: expected shape \(3,\), got \(1,\)"):
        copy_into(view, [1.0], "w")
    with pytest.raises(dl.DTypeError, match="w: expected real numbers, got dtype complex"):
        copy_into(view, np.zeros(3, complex), "w")


@pytest.mark.parametrize(
    ("layer", "shape", "fix"),
    [
        (dl.Dense(3), (2,), lambda w: w.T),
        (dl.Conv1D(3, 4), (9, 2), lambda w: w.T),
        (dl.Conv2D(3, (4, 5)), (9, 9, 2), lambda w: w.transpose(2, 3, 1, 0)),
        (dl.Conv2D(3, 4), (9, 9, 2), lambda w: w.transpose(2, 3, 1, 0)),
        (dl.Conv2DTranspose(3, 4), (9, 9, 2), lambda w: w.transpose(2, 3, 1, 0)),
    ],
    ids=lambda value: repr(value) if isinstance(value, dl.Layer) else None,
)
def test_weights_in_the_order_of_pytorch_are_told_how_to_be_turned(layer, shape, fix):
    layer = copy.deepcopy(layer).build(shape, rng=0)
    weight = layer.weight.copy()
    orders = {2: (1, 0), 3: (2, 1, 0), 4: (3, 2, 0, 1)}  # (F, C, KH, KW) of (KH, KW, C, F)
    theirs = weight.transpose(orders[weight.ndim])
    message = (
        r"PyTorch's order: assign w\.transpose\(2, 3, 1, 0\)\.$"
        if weight.ndim == 4
        else r"It is transposed\.$"
    )
    with pytest.raises(dl.ShapeError, match=message):
        layer.weight = theirs
    layer.weight = fix(theirs)
    np.testing.assert_array_equal(layer.weight, weight)


def test_kernels_in_no_known_order_are_told_nothing_wrong():
    layer = dl.Conv2D(3, (4, 5)).build((9, 9, 2))
    for order in ((3, 2, 1, 0), (2, 3, 0, 1), (0, 1, 3, 2)):
        with pytest.raises(dl.ShapeError, match=r"so the shape must be the same\.$"):
            layer.weight = layer.weight.transpose(order)


def test_assigning_a_gradient_copies_into_the_vector():
    vector = np.zeros(10)
    gradients = Gradients("Swish()", carve(vector, SPECS))
    gradients["scale"] = np.float64(2.5)
    assert vector[6] == 2.5
    with pytest.raises(KeyError, match=r"Swish\(\) has no parameter 'beta', only weight, scale"):
        gradients["beta"] = 1.0
    with pytest.raises(dl.ShapeError, match=r"gradients\['bias'\]: expected shape \(3,\)"):
        gradients["bias"] = 1.0


def test_masks_follow_specs_and_trainable():
    model = dl.Sequential([dl.Dense(2), dl.Sequential([dl.Dense(1)])]).build((3,))
    assert model.decay_mask.tolist() == [1] * 6 + [0] * 2 + [1] * 2 + [0]
    assert model.trainable_mask is None
    model.layers[1].trainable = False
    assert model.trainable_mask.tolist() == [1] * 8 + [0] * 3
    assert model.layers[1].layers[0].trainable_mask is None  # by itself it is not frozen
    assert dl.Dense(2, use_bias=False).build((3,)).decay_mask is None
    assert model.decay_mask.dtype == model.dtype


def test_a_matrix_in_f_order_is_cut_column_by_column():
    specs = [dl.ParameterSpec("weight", (2, 3), dl.Zeros(), order="F"), SPECS[1]]
    vector = np.arange(7.0)
    views = carve(vector, specs)
    assert views["weight"].tolist() == [[0, 2, 4], [1, 3, 5]]
    assert views["weight"].flags.f_contiguous
    assert np.shares_memory(views["weight"], vector)
    assert views["scale"] == 6


@pytest.mark.parametrize("units", [1, 10, 15, 16, 20])
def test_weights_of_few_columns_lie_in_f_order(units):
    model = dl.Sequential([dl.Dense(units)]).build((4,), rng=0)
    layer = model.layers[0]
    for array in (layer.weight, layer.gradients["weight"], model.replica().layers[0].weight):
        assert array.shape == (4, units)
        assert array.flags.f_contiguous == (units < 16)
        assert array.flags.c_contiguous == (units >= 16 or units == 1)


@pytest.mark.parametrize("units", [10, 16])
def test_weights_are_the_same_to_users_in_either_order(units):
    model = dl.Sequential([dl.Dense(units)]).build((4,), rng=0)
    layer = model.layers[0]
    w = np.arange(4.0 * units, dtype=np.float32).reshape(4, units)
    layer.weight = w
    layer.gradients["weight"] = g = -w
    layer.weight[1, 2] = w[1, 2] = 99.0
    vector = w.ravel(order="F" if units < 16 else "C")
    np.testing.assert_array_equal(model.params[: w.size], vector)
    np.testing.assert_array_equal(layer.gradients["weight"], g)
    x = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    np.testing.assert_allclose(model(x), x @ w, rtol=1e-5)
    for twin in (
        copy.deepcopy(model),
        pickle.loads(pickle.dumps(model)),
        model.replica(),
        dl.Sequential([copy.deepcopy(layer)]).build((4,), rng=1),
        dl.Sequential([pickle.loads(pickle.dumps(layer))]).build((4,), rng=1),
        dl.Sequential([model.detached_copy()]).build((4,), rng=1),
    ):
        np.testing.assert_array_equal(twin.params, model.params)
        np.testing.assert_array_equal(twin(x), model(x))
    other = dl.Sequential([dl.Dense(units)]).build((4,), rng=1)
    other.params = model.params
    np.testing.assert_array_equal(other.layers[0].weight, w)
    np.testing.assert_array_equal(other(x), model(x))


def test_initial_values_do_not_depend_on_the_order():
    class Plain(dl.Dense):
        def parameter_specs(self, input_shape):
            specs = super().parameter_specs(input_shape)
            return [dl.ParameterSpec(s.name, s.shape, s.initializer, fan_in=4) for s in specs]

    ours, plain = dl.Dense(10).build((4,), rng=0), Plain(10).build((4,), rng=0)
    assert ours.weight.flags.f_contiguous
    assert plain.weight.flags.c_contiguous
    np.testing.assert_array_equal(ours.weight, plain.weight)
