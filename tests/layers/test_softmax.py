"""The memory that softmax works in."""

import numpy as np
import pytest

import minidl as dl
from minidl.layers.softmax import FEW_CLASSES, classes_first


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(
    ("shape", "rearranged"),
    [
        ((50, 2), True),
        ((50, FEW_CLASSES), True),
        ((50, FEW_CLASSES + 1), False),
        ((5, 40, 3), True),
        ((5, 3, 40), False),
    ],
)
def test_few_classes_come_first_in_memory_and_many_stay(shape, rearranged, order):
    x = np.asarray(np.random.default_rng(0).normal(size=shape), order=order)
    before = x.copy()
    z = classes_first(x)
    np.testing.assert_array_equal(z, x.T)
    assert z.flags.c_contiguous == (rearranged or order == "F")
    z[...] = 0  # a copy
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("kind", [dl.Softmax, dl.LogSoftmax])
def test_samples_without_an_axis_of_classes_are_refused(kind):
    message = rf"{kind.__name__}\(\): expected input of shape \(N, ..., C\), got \(N\)\. Build"
    with pytest.raises(dl.ShapeError, match=message):
        kind().build(())
    assert kind().build((1,)).predict(np.zeros((3, 1))).shape == (3, 1)
