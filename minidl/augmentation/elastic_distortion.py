"""Elastic distortion of images, as a hand varies what it writes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minidl.arguments import number_within
from minidl.augmentation.warp import Warp
from minidl.errors import ArgumentError
from minidl.typing import Array, RNGLike


class ElasticDistortion(Warp):
    r"""Move the pixels of each image by a smooth random field of its own.

    The field's two components are drawn from $U(-1, 1)$ for each pixel, smoothed by a Gaussian of
    standard deviation $\sigma$, and multiplied by $\alpha$. Far from the edge a pixel moves in each
    direction by $\alpha / (2 \sigma \sqrt{3 \pi})$ in root mean square: 1.4 pixels at the defaults,
    which are the paper's for MNIST. A small $\sigma$ crumples, a large one shifts and turns parts
    as wholes. Interpolation and edges are those of `RandomAffine`.

    Smoothing is linear: along an axis it is the product with a matrix, the smoothed identity.

    Shapes:
        x `(N, H, W)`, `(N, H, W, C)`, or flat rows `(N, D)` with `image_shape`; y unchanged.

    Args:
        alpha: Strength $\alpha$ in pixels, of the field before it is smoothed.
        sigma: Standard deviation $\sigma$ of the smoothing in pixels, above 0.
        image_shape: `(H, W)` or `(H, W, C)`, where images are flat rows.
        rng: Seed or generator of the draws.

    Raises:
        ArgumentError: If an argument is out of range.
        ShapeError: If x are no images.
        DTypeError: If x is not floating.

    Example:
        >>> import minidl as dl
        >>> x, y = dl.synthetic_digits(100, rng=0)
        >>> bent, same = ElasticDistortion(image_shape=(28, 28), rng=0)(x, y)
        >>> bent.shape, bool((bent != x).any(axis=1).all())
        ((100, 784), True)

    References:
        P. Simard, D. Steinkraus, J. Platt, Best practices for convolutional neural networks applied
        to visual document analysis, ICDAR 2003.
    """

    def __init__(
        self,
        alpha: float = 34.0,
        sigma: float = 4.0,
        *,
        image_shape: Sequence[int] | None = None,
        rng: RNGLike = None,
    ) -> None:
        super().__init__(image_shape, rng)
        self.alpha = number_within("ElasticDistortion", "alpha", alpha, 0.0)
        self.sigma = number_within("ElasticDistortion", "sigma", sigma, 0.0)
        if not self.sigma:
            raise ArgumentError("ElasticDistortion: sigma must be above 0.")

    def places(self, n: int, height: int, width: int) -> tuple[Array, Array]:
        field = self._generator.random((n, 2, height, width), dtype=np.float32)
        field = self.alpha * (2 * field - 1)
        # (H, H) @ (N, 2, H, W) @ (W, W) -> (N, 2, H, W)
        field = _smoothing(height, self.sigma) @ field @ _smoothing(width, self.sigma)
        down, right = field[:, 0], field[:, 1]
        return np.arange(height)[:, np.newaxis] + down, np.arange(width) + right


def _smoothing(length: int, sigma: float) -> Array:
    """The symmetric matrix (L, L) that smooths an axis; beyond its ends there is 0."""
    from scipy.ndimage import gaussian_filter1d

    matrix: Array = gaussian_filter1d(np.eye(length), sigma, mode="constant")
    return matrix.astype(np.float32)
