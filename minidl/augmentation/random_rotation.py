"""Images turned a little."""

from __future__ import annotations

from collections.abc import Sequence

from minidl.augmentation.random_affine import RandomAffine
from minidl.typing import RNGLike


class RandomRotation(RandomAffine):
    """Rotate each image about its centre by a draw of its own; `RandomAffine` with nothing else.

    Args:
        rotation: The largest angle in degrees, in both directions.
        image_shape: `(H, W)` or `(H, W, C)`, where images are flat rows.
        rng: Seed or generator of the draws.

    Example:
        >>> import minidl as dl
        >>> x, y = dl.synthetic_digits(100, rng=0)
        >>> turned, same = RandomRotation(10, image_shape=(28, 28), rng=0)(x, y)
        >>> turned.shape
        (100, 784)
    """

    def __init__(
        self, rotation: float, *, image_shape: Sequence[int] | None = None, rng: RNGLike = None
    ) -> None:
        super().__init__(rotation=rotation, image_shape=image_shape, rng=rng)
