"""Arrays as images that look right on light and on dark paper: opacity is what varies."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.image import AxesImage

from docs.pictures.colours import AMBER, BLUE, INK


def ink(axes: Axes, values: np.ndarray) -> AxesImage:
    """Draw grey values between 0 (paper) and 1 (ink), such as a digit's pixels (H, W)."""
    return _bare(axes.imshow(tinted(values, INK)))


def signed(axes: Axes, values: np.ndarray, limit: float | None = None) -> AxesImage:
    """Draw values (H, W) of both signs: blue above 0, amber below, clear at 0, full at `limit`."""
    limit = float(np.abs(values).max()) if limit is None else limit
    strength = np.clip(np.abs(values) / (limit or 1.0), 0, 1)
    image = np.where((values > 0)[..., None], tinted(strength, BLUE), tinted(strength, AMBER))
    return _bare(axes.imshow(image))


def tinted(strength: np.ndarray, colour: str) -> np.ndarray:
    """Return the RGBA image (..., 4) of one colour whose opacity is `strength` (...), in 0..1."""
    image = np.empty((*np.shape(strength), 4))
    image[..., :3] = to_rgb(colour)
    image[..., 3] = strength
    return image


def _bare(image: AxesImage) -> AxesImage:
    image.axes.set(xticks=[], yticks=[])
    image.axes.spines[:].set_visible(True)
    image.axes.spines[:].set_linewidth(0.5)
    return image
