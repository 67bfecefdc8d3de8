"""Shift, rotation and zoom of images, in one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minidl.arguments import number_within
from minidl.augmentation.warp import Warp
from minidl.typing import Array, RNGLike


class RandomAffine(Warp):
    r"""Shift, rotate and zoom each image by a draw of its own, with one interpolation.

    With the centre c of the image, an angle $\varphi$, a factor f and a shift t, the pixel at p
    is fetched from

    $$c + \tfrac1f R_\varphi^{-1} (p - c - t), \qquad
      \varphi \sim U(-\text{rotation}, \text{rotation}), \quad
      f \sim U(1 - \text{zoom}, 1 + \text{zoom}), \quad
      t \sim U(-\text{shift}, \text{shift})^2,$$

    by bilinear interpolation; what comes from outside is the nearest pixel of the edge. No value
    leaves the range of the image. Small amounts suit digits: 2 pixels, 10 degrees, 0.1. Rotations
    that make one class look like another, such as a 6 like a 9, are too large.

    Three transforms one after another would blur, and cost, three times as much.

    Shapes:
        x `(N, H, W)`, `(N, H, W, C)`, or flat rows `(N, D)` with `image_shape`; y unchanged.

    Args:
        shift: The largest shift in pixels, down or up and right or left.
        rotation: The largest angle in degrees, in both directions.
        zoom: The largest change of size: 0.1 for factors of 0.9 to 1.1.
        image_shape: `(H, W)` or `(H, W, C)`, where images are flat rows.
        rng: Seed or generator of the draws.

    Raises:
        ArgumentError: If an argument is out of range.
        ShapeError: If x are no images.
        DTypeError: If x is not floating.

    Example:
        >>> import minidl as dl
        >>> x, y = dl.synthetic_digits(100, rng=0)
        >>> transform = RandomAffine(
        ...     shift=2, rotation=10, zoom=0.1, image_shape=(28, 28), rng=0
        ... )
        >>> moved, same = transform(x, y)
        >>> moved.shape, moved.dtype.name, bool((moved != x).any(axis=1).all())
        ((100, 784), 'float32', True)
    """

    def __init__(
        self,
        *,
        shift: float = 0.0,
        rotation: float = 0.0,
        zoom: float = 0.0,
        image_shape: Sequence[int] | None = None,
        rng: RNGLike = None,
    ) -> None:
        super().__init__(image_shape, rng)
        who = type(self).__name__
        self.shift = number_within(who, "shift", shift, 0.0)
        self.rotation = number_within(who, "rotation", rotation, 0.0)
        self.zoom = number_within(who, "zoom", zoom, 0.0, 1.0)

    def places(self, n: int, height: int, width: int) -> tuple[Array, Array]:
        # All four are always drawn, so that none of them depends on which others are wanted.
        draws = self._generator.uniform(-1, 1, (n, 4, 1))
        down, right = self.shift * draws[:, 0], self.shift * draws[:, 1]  # (N, 1)
        angle, factor = np.radians(self.rotation * draws[:, 2]), 1 + self.zoom * draws[:, 3]
        middle, centre = (height - 1) / 2, (width - 1) / 2
        r = (np.arange(height) - middle - down)[:, :, np.newaxis]  # (N, H, 1)
        q = (np.arange(width) - centre - right)[:, np.newaxis, :]  # (N, 1, W)
        cos = (np.cos(angle) / factor)[..., np.newaxis]  # (N, 1, 1)
        sin = (np.sin(angle) / factor)[..., np.newaxis]
        return cos * r + middle + sin * q, cos * q + centre - sin * r
