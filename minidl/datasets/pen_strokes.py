"""The ten digits as pen strokes, in the ways that people write them."""

import functools

import numpy as np

from minidl.typing import Array

# A stroke is a row of points "x,y" in hundredths of the digit's height, from its left and its
# top. The pen goes through them in a smooth curve, straight where there are two. Strokes of one
# digit are separated by "/": they meet at corners, where a curve would be round.
GLYPHS = {
    0: (
        "34,0 12,14 2,48 10,86 32,100 56,86 66,50 58,14 34,0",
        "46,6 30,0 12,18 4,52 10,88 26,100 44,86 54,52 50,18 36,4 24,8",
    ),
    1: (
        "8,0 6,100",
        "4,30 24,0/24,0 22,100",
        "6,26 26,0/26,0 26,100/2,100 50,100",
    ),
    2: (
        "2,22 14,4 34,0 54,12 54,34 36,62 2,98/2,98 62,98",
        "4,20 18,2 42,2 54,20 44,50 22,84 8,96 2,88 12,80 30,90 48,98 64,90",
    ),
    3: (
        "4,12 24,0 48,6 52,26 38,42 20,46/20,46 44,50 58,70 46,94 22,100 2,88",
        "4,2 54,2/54,2 24,40/24,40 48,46 58,68 46,92 22,100 2,90",
    ),
    4: (
        "14,0 4,58/4,58 64,54/48,12 44,100",
        "46,0 0,66/0,66 66,66/46,0 46,100",
        "8,4 6,34 14,52 34,52 52,44/54,0 50,50 48,100",
    ),
    5: (
        "14,2 8,44/8,44 32,36 54,50 56,74 40,96 18,100 0,90/14,2 56,0",
        "58,4 36,2 18,8 12,26 22,42 44,52 52,72 42,94 20,100 2,92",
    ),
    6: (
        "48,0 22,18 6,50 6,82 24,100 46,92 52,70 38,54 18,60 6,80",
        "26,0 10,40 4,74 16,98 40,98 50,78 40,60 20,62 6,82",
    ),
    7: (
        "0,4 58,2/58,2 38,40 22,100",
        "2,4 60,2/60,2 40,44 26,100/16,50 56,46",
        "2,18 4,4/4,4 56,2/56,2 44,46 40,100",
    ),
    8: (
        "52,10 32,0 10,10 12,32 34,48 54,66 50,92 28,100 6,90 8,66 30,48 52,28 52,10",
        "30,0 12,8 10,28 28,46 46,30 46,8 30,0/28,46 6,62 6,88 28,100 52,88 52,62 28,46",
    ),
    9: (
        "50,16 30,0 8,10 2,32 14,50 36,46 50,16/50,16 48,50 42,100",
        "52,22 36,0 10,8 4,32 20,48 42,42 52,22/52,8 54,60 40,94 18,100 4,90",
    ),
}


@functools.cache
def pen_paths(points: int = 65) -> tuple[Array, Array, Array]:
    """Sample all glyphs at equal steps of arc length.

    Returns:
        digits: `(V,)`, the digit of each variant.
        paths: `(V, points, 2)`, the pen's way through the digit, centred, of height 1.
        down: `(V, points - 1)`, 1 where the pen writes and 0 where it jumps.
    """
    digits, paths, down = [], [], []
    for digit, variants in GLYPHS.items():
        for glyph in variants:
            curves = [_curve(stroke) for stroke in glyph.split("/")]
            lengths = np.array([np.hypot(*np.diff(c, axis=0).T).sum() for c in curves])
            steps = np.maximum(2, np.floor(lengths / lengths.sum() * (points - len(curves))))
            counts = 1 + steps.astype(int)
            counts[np.argmax(counts)] += points - counts.sum()
            path = np.concatenate([_resample(c, n) for c, n in zip(curves, counts, strict=True)])
            writes = np.ones(points - 1)
            writes[np.cumsum(counts)[:-1] - 1] = 0
            digits.append(digit)
            paths.append(path - (path.min(axis=0) + path.max(axis=0)) / 2)
            down.append(writes)
    return np.array(digits), np.array(paths), np.array(down)


def _curve(stroke: str) -> Array:
    """Catmull-Rom spline through the points of a stroke."""
    points = np.array([point.split(",") for point in stroke.split()], dtype=float) / 100
    before, after = 2 * points[0] - points[1], 2 * points[-1] - points[-2]
    p = np.concatenate([[before], points, [after]])
    t = np.linspace(0, 1, 20, endpoint=False)[:, None, None]
    p0, p1, p2, p3 = p[:-3], p[1:-2], p[2:-1], p[3:]
    pieces = p1 + t / 2 * (
        p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0))
    )
    return np.concatenate([pieces.transpose(1, 0, 2).reshape(-1, 2), points[-1:]])


def _resample(curve: Array, count: int) -> Array:
    """`count` points of a curve at equal distances along it."""
    s = np.concatenate([[0.0], np.hypot(*np.diff(curve, axis=0).T).cumsum()])
    at = np.linspace(0, s[-1], count)
    return np.stack([np.interp(at, s, curve[:, 0]), np.interp(at, s, curve[:, 1])], axis=1)
