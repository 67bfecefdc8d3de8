"""Handwritten digits that are drawn, not collected: data for tests and for machines offline."""

from __future__ import annotations

import numpy as np

from minidl.arguments import whole_number
from minidl.datasets.pen_strokes import pen_paths
from minidl.randomness import seed_sequence
from minidl.typing import Array, RNGLike

_SIGMA = 0.6 / 28  # width of the soft minimum, in image widths: about the step between points
_WAVES = 3
_BLOCK = 64  # images whose work arrays fit the cache; another number gives other images


def synthetic_digits(n: int, *, rng: RNGLike, image_size: int = 28) -> tuple[Array, Array]:
    r"""Draw images of handwritten digits, in MNIST's form but not from MNIST.

    Each digit is a pen path, in one of the ways that people write it. The path is bent by
    $K = 3$ random waves (elastic distortion), slanted, turned, stretched and moved,

    $$p \leftarrow A \Big(p + \sum_{k=1}^{K} a_k \sin(2\pi f_k \cdot p + \varphi_k)\Big) + t,$$

    and drawn with a pen of random radius $r$: a pixel's ink is
    $\min(1, \max(0, \tfrac12 + r - d))$ at distance $d$ from the path, in pixels. The distance
    is a soft minimum over the path's pieces, of lengths $\ell_s$ and centres $(x_s, y_s)$,

    $$d^2 = -2\sigma^2 \log \sum_s \frac{\ell_s}{\sqrt{2\pi}\,\sigma}
      e^{-(x - x_s)^2 / 2\sigma^2}\, e^{-(y - y_s)^2 / 2\sigma^2},$$

    exact beside a straight line, and one matrix product an image, because $x$ and $y$ separate.

    Use it where MNIST cannot be had, and in tests. A 784-10-10 network trained on 10,000 of
    these digits gets 0.93 to 0.94 of others right; that says nothing about MNIST. Cost: about
    half a second for 10,000 images of 28 x 28.

    Args:
        n: Number of images.
        rng: Seed or generator; the same one gives the same bits. Take another for a test set.
        image_size: Height and width in pixels, at least 8.

    Returns:
        `(x, y)`, shuffled, with as many images of each digit as of any other, give or take one.

    Shapes:
        x: `(n, image_size * image_size)`, float32 from 0 (paper) to 1 (ink), a row an image.
        y: `(n,)`, int64 from 0 to 9.

    Raises:
        ArgumentError: `n` or `image_size` is too small or not a whole number.
        ArgumentTypeError: `rng` is no source of randomness.

    Example:
        >>> x, y = synthetic_digits(1000, rng=0)
        >>> x.shape, x.dtype.name, np.bincount(y).tolist()
        ((1000, 784), 'float32', [100, 100, 100, 100, 100, 100, 100, 100, 100, 100])

    References:
        P. Simard, D. Steinkraus, J. Platt, "Best practices for convolutional neural networks
        applied to visual document analysis", ICDAR 2003 (elastic distortion).
    """
    whole_number("synthetic_digits", "n", n)
    whole_number("synthetic_digits", "image_size", image_size, least=8)
    generator = np.random.default_rng(seed_sequence(rng))
    digits, paths, down = pen_paths()

    y = generator.permutation(np.arange(n) % 10)
    first = np.searchsorted(digits, np.arange(11))
    variants = generator.integers(first[y], first[y + 1])
    x = np.empty((n, image_size, image_size), dtype=np.float32)
    for start in range(0, n, _BLOCK):
        rows = slice(start, start + _BLOCK)
        chosen = variants[rows]
        _draw(*_write(paths[chosen], down[chosen], generator), out=x[rows])
    return x.reshape(n, -1), y


def _write(p: Array, down: Array, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Pieces of the paths (N, P, 2) as a hand might write them, in units of the image width.

    Returns:
        Centres (N, P - 1, 2) and lengths (N, P - 1) of the pieces, and the pen's radius (N,).
    """
    n = len(p)
    heading, frequency = rng.uniform(0, 2 * np.pi, (n, _WAVES)), rng.uniform(0.2, 0.9, (n, _WAVES))
    f = frequency[..., None] * np.stack([np.cos(heading), np.sin(heading)], axis=-1)
    phase = rng.uniform(0, 2 * np.pi, (n, 1, _WAVES))
    amplitude = rng.normal(0, 0.05, (n, _WAVES, 2))
    # (N, P, 2) @ (N, 2, K) -> (N, P, K); (N, P, K) @ (N, K, 2) -> (N, P, 2)
    p = p + np.sin(2 * np.pi * (p @ f.swapaxes(1, 2)) + phase) @ amplitude

    slant, turn = rng.uniform(-0.25, 0.55, n), rng.uniform(-0.25, 0.25, n)
    stretch = rng.uniform(0.75, 1.3, n)
    zero, one = np.zeros(n), np.ones(n)
    p = p @ _matrices(stretch, zero, -slant, one)
    p = p @ _matrices(np.cos(turn), np.sin(turn), -np.sin(turn), np.cos(turn))

    # The longer side of the digit's box gets a size that keeps pen and place inside the image.
    low, high = p.min(axis=1), p.max(axis=1)
    size = rng.uniform(0.6, 0.78, n) / (high - low).max(axis=1)
    place = 0.5 + rng.uniform(-0.05, 0.05, (n, 2))
    p = (p - ((low + high) / 2)[:, None]) * size[:, None, None] + place[:, None]

    step = np.diff(p, axis=1)
    radius = rng.uniform(0.022, 0.06, n)
    return (p[:, 1:] + p[:, :-1]) / 2, np.hypot(step[..., 0], step[..., 1]) * down, radius


def _draw(centres: Array, lengths: Array, radius: Array, *, out: Array) -> None:
    """Fill the images `out` (N, H, W) with strokes, smoothed at their edges."""
    size = out.shape[-1]
    pixels = (np.arange(size) + 0.5) / size
    z = ((centres[..., None] - pixels) / _SIGMA).astype(np.float32)  # (N, S, 2, H or W)
    # Beyond e^-40 the paper is white; smaller numbers are denormal, and slow.
    g = np.exp(np.maximum(-0.5 * z * z, -40))
    weights = (lengths / (np.sqrt(2 * np.pi) * _SIGMA)).astype(np.float32)
    # (N, H, S) @ (N, S, W) -> (N, H, W)
    ink = (weights[..., None] * g[:, :, 1]).swapaxes(1, 2) @ g[:, :, 0]
    d = _SIGMA * np.sqrt(np.maximum(-2 * np.log(np.maximum(ink, 1e-34)), 0))
    np.clip(0.5 + size * (radius[:, None, None].astype(np.float32) - d), 0, 1, out=out)


def _matrices(a: Array, b: Array, c: Array, d: Array) -> Array:
    """(N, 2, 2) from its entries."""
    return np.stack([a, b, c, d], axis=-1).reshape(-1, 2, 2)
