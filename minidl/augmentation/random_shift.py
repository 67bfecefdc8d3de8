"""Images moved a little."""

from __future__ import annotations

from collections.abc import Sequence

from minidl.augmentation.random_affine import RandomAffine
from minidl.typing import RNGLike


class RandomShift(RandomAffine):
    """Shift each image by a draw of its own; `RandomAffine` with nothing else.

    Args:
        shift: The largest shift in pixels, down or up and right or left. Draws are not whole.
        image_shape: `(H, W)` or `(H, W, C)`, where images are flat rows.
        rng: Seed or generator of the draws.

    Example:
        >>> import minidl as dl
        >>> x, y = dl.synthetic_digits(100, rng=0)
        >>> moved, same = RandomShift(2, image_shape=(28, 28), rng=0)(x, y)
        >>> moved.shape
        (100, 784)
    """

    def __init__(
        self, shift: float, *, image_shape: Sequence[int] | None = None, rng: RNGLike = None
    ) -> None:
        super().__init__(shift=shift, image_shape=image_shape, rng=rng)
