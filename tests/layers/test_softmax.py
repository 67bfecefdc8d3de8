"""The memory that softmax works in."""

import numpy as np
import pytest

from minidl.layers.softmax import FEW_CLASSES, classes_first


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(
    ("classes", "rearranged"), [(2, True), (FEW_CLASSES, True), (FEW_CLASSES + 1, False)]
)
def test_few_classes_come_first_in_memory_and_many_stay(classes, rearranged, order):
    x = np.asarray(np.random.default_rng(0).normal(size=(50, classes)), order=order)
    before = x.copy()
    z = classes_first(x)
    np.testing.assert_array_equal(z, x.T)
    assert z.flags.c_contiguous == (rearranged or order == "F")
    z[...] = 0  # a copy
    np.testing.assert_array_equal(x, before)
