"""The few type names that minidl's signatures use."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
"""A NumPy array; minidl has no tensor class of its own."""

Shape: TypeAlias = tuple[Any, ...]
"""Lengths of the axes. The shape of a sample leaves the batch axis out: `(784,)`, `(28, 28, 1)`.

The first length of a sample may be None where sequences of any length are taken: `(None, 8)`.
"""

# A text, because naming np.random would import it, which takes a third of NumPy's own time.
RNGLike: TypeAlias = "int | np.random.Generator | np.random.SeedSequence | None"
"""What stands for randomness: a seed, a generator, a seed sequence, or None for a fresh seed."""

MetricFunction: TypeAlias = Callable[[Array, Array], float]
"""`(y_true, y_pred) -> float`; scikit-learn's metric functions are of this form."""
