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
