"""The same weighted sums with weights in int8, as C computes them.

The sums are those of the whole numbers, in float32; each output is multiplied by its channel's
scale at the end.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minidl.standalone.formulas.affine import conv1d, conv2d, dense
from minidl.typing import Array

NO_BIAS = np.zeros(1, np.float32)


def dense_int8(x: Array, weight: Array, bias: Array, scale: Array) -> Array:
    """Return (x Q) * scale + b."""
    return dense(x, weight.astype(np.float32), NO_BIAS) * scale + bias


def conv2d_int8(x: Array, weight: Array, bias: Array, scale: Array, **windows: Any) -> Array:
    """The convolution of images with whole numbers, scaled."""
    return conv2d(x, weight.astype(np.float32), NO_BIAS, **windows) * scale + bias


def conv1d_int8(x: Array, weight: Array, bias: Array, scale: Array, **windows: Any) -> Array:
    """The convolution of sequences with whole numbers, scaled."""
    return conv1d(x, weight.astype(np.float32), NO_BIAS, **windows) * scale + bias
