"""Images made a little larger or smaller."""

from __future__ import annotations

from collections.abc import Sequence

from minidl.augmentation.random_affine import RandomAffine
from minidl.typing import RNGLike


class RandomZoom(RandomAffine):
    """Zoom each image about its centre by a draw of its own; `RandomAffine` with nothing else.

    Args:
        zoom: The largest change of size: 0.1 for factors of 0.9 to 1.1, the same for height and
            width.
        image_shape: `(H, W)` or `(H, W, C)`, where images are flat rows.
        rng: Seed or generator of the draws.

    Example:
        >>> import minidl as dl
        >>> x, y = dl.synthetic_digits(100, rng=0)
        >>> zoomed, same = RandomZoom(0.1, image_shape=(28, 28), rng=0)(x, y)
        >>> zoomed.shape
        (100, 784)
    """

    def __init__(
        self, zoom: float, *, image_shape: Sequence[int] | None = None, rng: RNGLike = None
    ) -> None:
        super().__init__(zoom=zoom, image_shape=image_shape, rng=rng)
